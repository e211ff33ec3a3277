/**
 * Chooses the backend that a job runs on. It is certified before its device's first job, and never replaced
 * silently.
 */
import { UsageError } from "../errors/index.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { backendByName, BACKENDS, DEFAULT, PREFERRED } from "../repops/backends/index.ts";
import { backendFromFile, isBackend, isFile } from "./backend-file.ts";
import { chooseBackend, type ChoiceOptions, type OpenBackend } from "./choose.ts";
import { ensureCertified, onStderr } from "./gate.ts";

/** The options for opening a backend. */
export interface OpenOptions extends Omit<ChoiceOptions, "own" | "asked"> {
  /** Use the mode of the backend that computes floats with integers only. */
  strict?: boolean;
}

/**
 * Finds a backend, without certifying it.
 * @param wanted a backend, its name, or the file of a module that exports one by default
 * @throws {UsageError} for an unknown name, a module without a backend, or `strict` for a backend without
 * such a mode
 */
export async function findBackend(wanted: Backend | string, strict = false): Promise<Backend> {
  if (typeof wanted !== "string" && !isBackend(wanted))
    throw new UsageError(
      "VALUE",
      "this is no backend: give a name, a module's file, or an object with name and prepare",
    );
  const backend =
    typeof wanted !== "string" ? wanted : isFile(wanted) ? await backendFromFile(wanted) : backendByName(wanted);
  return strict ? strictOf(backend) : backend;
}

/**
 * @throws {UsageError} when the backend has no strict arithmetic; the message names the backends that have it
 */
function strictOf(backend: Backend): Backend {
  if (backend.strict) return backend.strict;
  const others = Object.values<Backend>(BACKENDS).filter((other) => other.strict && other.strict !== other);
  const have = others.map(({ name }) => name).join(" and ");
  throw new UsageError(
    "CONFLICT",
    `the backend ${backend.name} has no strict arithmetic, but ${have} has: --backend ${others[0].name} --strict` +
      (backend.describe ? "" : "; WebAssembly and JavaScript fix theirs to the bit anyway"),
    { backend: backend.name },
  );
}

/**
 * Finds a backend and certifies it. It tells the user about surprises: a device that is software, and
 * backends that were passed over. Everything that runs kernels opens its backend here.
 * @param wanted as for `findBackend`; `auto` takes the fastest for the load (see choose.ts) and says what it
 * took; absent: the same, silently
 * @throws {UsageError} as `findBackend` does
 * @throws {BackendError} when the requested device is not available
 * @throws {DeviceError} when it has other bits; the message names the operator
 */
export async function openBackend(
  wanted: Backend | string | undefined,
  options: OpenOptions = {},
): Promise<OpenBackend> {
  const { strict = false, say = onStderr, store, load } = options;
  // Nothing else: whether a backend is one of Verde's own is not for the caller to say.
  const gate = { say, ...(store && { store }) };
  if (wanted === undefined || wanted === "auto") {
    const candidates = strict ? PREFERRED.flatMap((backend) => backend.strict ?? []) : PREFERRED;
    return chooseBackend({ candidates, last: DEFAULT }, { ...gate, ...(load && { load }), asked: wanted === "auto" });
  }
  const backend = await findBackend(wanted, strict);
  const device = await ensureCertified(backend, gate);
  // A backend that is given as an object was chosen by the caller.
  if (device?.software && typeof wanted === "string")
    say(`${device.name} is a software device: the processor does the work of a GPU`);
  return { backend, ...(device && { device }), passedOver: [] };
}
