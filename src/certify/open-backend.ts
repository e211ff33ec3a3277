/** Which backend a command runs on: certified before its device's first job, and never replaced in silence. */
import { BackendError, DeviceError, messageOf, UsageError } from "../errors/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { backendByName } from "../repops/backends/index.ts";
import { shortCases } from "./vectors/all.ts";
import { certify } from "./certify.ts";
import { type Certificate, certificateOf, describeDifference } from "./certificate.ts";
import { cachedCertificate, cacheFolder, keepCertificate } from "./cache.ts";

/** Takes a line for people, without its end. */
type Say = (line: string) => void;

const onStderr: Say = (line) => void process.stderr.write(`${line}\n`);

/** What a command runs on, and what it would rather have run on. */
export interface Choice {
  backend: Backend;
  device?: DeviceDescription;
  passedOver: { backend: string; reason: string }[];
}

/**
 * Puts a device to the short form of the conformance vectors, unless a certificate of it is at hand.
 * @param folder of the cache
 * @throws {DeviceError} naming the first operator with other bits
 */
export async function ensureCertified(
  backend: Backend,
  say: Say,
  folder: string = cacheFolder(),
): Promise<DeviceDescription | undefined> {
  const device = await backend.describe?.();
  if (!device || (await cachedCertificate(backend, device, folder))) return device;
  const cases = shortCases();
  say(`certifying ${backend.name} on ${device.name} before its first job: ${cases.length} vectors`);
  const results = await certify(backend, cases);
  const certificate = certificateOf(backend, "short", device, results, (await backend.probe?.()) ?? []);
  const problem = await keepCertificate(certificate, backend, folder);
  if (problem !== undefined) say(problem);
  if (!certificate.conforms) throw refusal(certificate, device);
  return device;
}

function refusal({ backend, differences }: Certificate, device: DeviceDescription): DeviceError {
  const [first] = differences;
  return new DeviceError(
    "BITS",
    `${backend} on ${device.name} does not have the bits of the specification, so nothing runs on it: ` +
      `${describeDifference(first)} (\`verde certify --backend ${backend}\` shows all; wasm runs everywhere)`,
    { backend, device: device.name, ...first, expected: first.expected, found: first.actual },
  );
}

/** The backends that `auto` tries before WASM, the best first. */
const PREFERRED = { guarded: "webgpu", strict: "webgpu:strict" } as const;

/** The backend by its name on the command line, with `--strict` in view; `auto` is not decided here. */
export function namedBackend(name: string, strict: boolean): Backend {
  if (!strict) return backendByName(name);
  const { name: full } = backendByName(name);
  if (full === PREFERRED.guarded || full === PREFERRED.strict) return backendByName(PREFERRED.strict);
  throw new UsageError(
    "CONFLICT",
    `the backend ${full} has no strict arithmetic, webgpu has: --backend webgpu --strict` +
      (full === "wasm" || full === "reference" ? "; WebAssembly and JavaScript fix theirs to the bit anyway" : ""),
    { backend: full },
  );
}

/**
 * Chooses, certifies, and says what is not as one might think: a device in software, and what `auto` passed over.
 * @throws {BackendError} when the device asked for is not there, {DeviceError} when it has other bits
 */
export async function chooseBackend(
  name: string,
  strict: boolean,
  say: Say = onStderr,
  folder?: string,
): Promise<Choice> {
  if (name !== "auto") {
    const backend = namedBackend(name, strict);
    const device = await ensureCertified(backend, say, folder);
    if (device?.software) say(`${device.name} is a software device: the processor computes in place of a GPU`);
    return { backend, ...(device && { device }), passedOver: [] };
  }
  return chooseBest([backendByName(strict ? PREFERRED.strict : PREFERRED.guarded)], backendByName("wasm"), say, folder);
}

/** The first candidate that has a GPU with the right bits, or the backend that every machine has. */
export async function chooseBest(
  candidates: readonly Backend[],
  last: Backend,
  say: Say,
  folder?: string,
): Promise<Choice> {
  const passedOver: Choice["passedOver"] = [];
  const taken = async (): Promise<Omit<Choice, "passedOver">> => {
    for (const backend of candidates)
      try {
        const device = await backend.describe?.();
        if (device?.software)
          throw new BackendError(
            "SOFTWARE",
            `${device.name} is a software device, and ${last.name} is faster; use it, or choose another device`,
          );
        await ensureCertified(backend, say, folder);
        return { backend, ...(device && { device }) };
      } catch (error) {
        if (!(error instanceof BackendError || error instanceof DeviceError)) throw error;
        passedOver.push({ backend: backend.name, reason: messageOf(error) });
      }
    return { backend: last };
  };
  const { backend, device } = await taken();
  for (const { backend: other, reason } of passedOver) say(`not ${other}: ${reason}`);
  say(`auto takes ${backend.name}${device ? ` on ${device.name}` : ""}`);
  return { backend, ...(device && { device }), passedOver };
}
