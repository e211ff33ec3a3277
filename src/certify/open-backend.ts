/**
 * Chooses the backend that a job runs on. It is certified before its device's first job, and never replaced
 * silently.
 */
import { BackendError, DeviceError, messageOf, UsageError } from "../errors/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { backendByName, BACKENDS, DEFAULT, PREFERRED } from "../repops/backends/index.ts";
import { backendFromFile, isBackend, isFile } from "./backend-file.ts";
import { ensureCertified, type GateOptions, onStderr } from "./gate.ts";

/** The options for opening a backend. */
export interface OpenOptions extends Omit<GateOptions, "own"> {
  /** Use the mode of the backend that computes floats with integers only. */
  strict?: boolean;
}

/** The backend that a job runs on, and the preferred backends that were passed over. */
export interface OpenBackend {
  backend: Backend;
  /** Absent for backends without a device of their own: they compute where this code runs. */
  device?: DeviceDescription;
  passedOver: { backend: string; reason: string }[];
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
 * backends that `auto` passed over. Everything that runs kernels opens its backend here.
 * @param wanted as for `findBackend`; `auto` chooses a GPU with the right bits, or WASM
 * @throws {UsageError} as `findBackend` does
 * @throws {BackendError} when the requested device is not available
 * @throws {DeviceError} when it has other bits; the message names the operator
 */
export async function openBackend(wanted: Backend | string, options: OpenOptions = {}): Promise<OpenBackend> {
  const { strict = false, say = onStderr, store } = options;
  // Nothing else: whether a backend is one of Verde's own is not for the caller to say.
  const gate = { say, ...(store && { store }) };
  if (wanted === "auto") {
    const candidates = PREFERRED.map((backend) => (strict ? strictOf(backend) : backend));
    return openBest(candidates, DEFAULT, gate);
  }
  const backend = await findBackend(wanted, strict);
  const device = await ensureCertified(backend, gate);
  // A backend that is given as an object was chosen by the caller.
  if (device?.software && typeof wanted === "string")
    say(`${device.name} is a software device: the processor does the work of a GPU`);
  return { backend, ...(device && { device }), passedOver: [] };
}

/** The first candidate that has a GPU with the right bits, or the backend that every machine has. */
export async function openBest(
  candidates: readonly Backend[],
  last: Backend,
  options: GateOptions,
): Promise<OpenBackend> {
  const { say = onStderr } = options;
  const passedOver: OpenBackend["passedOver"] = [];
  const taken = async (): Promise<Omit<OpenBackend, "passedOver">> => {
    for (const backend of candidates)
      try {
        const device = await backend.describe?.();
        if (device?.software)
          throw new BackendError(
            "SOFTWARE",
            `${device.name} is a software device, and ${last.name} is faster; use it, or choose another device`,
          );
        await ensureCertified(backend, options);
        return { backend, ...(device && { device }) };
      } catch (error) {
        if (!(error instanceof BackendError || error instanceof DeviceError)) throw error;
        passedOver.push({ backend: backend.name, reason: messageOf(error) });
      }
    await ensureCertified(last, options);
    return { backend: last };
  };
  const { backend, device } = await taken();
  for (const { backend: other, reason } of passedOver) say(`not ${other}: ${reason}`);
  say(`auto takes ${backend.name}${device ? ` on ${device.name}` : ""}`);
  return { backend, ...(device && { device }), passedOver };
}
