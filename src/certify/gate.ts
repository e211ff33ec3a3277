/**
 * The test before a device's first job: nothing runs on a device that does not have the bits of the
 * specification.
 */
import { DeviceError } from "../errors/index.ts";
import { escapeText } from "../errors/text.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { isOwn } from "../repops/backends/index.ts";
import { type Certificate, certificateOf, describeDifference, factsOf, machine } from "./certificate.ts";
import { certify } from "./certify.ts";
import { keepCertificate, keptCertificate } from "./kept.ts";
import { type CertificateStore, defaultStore } from "./store.ts";
import { casesNamed, SHORT_FORM } from "./vectors/short.ts";

/** Takes a line of text for the user, without a line end. */
export type Say = (line: string) => void;

export interface GateOptions {
  /** Receives messages; default: stderr in Node, nothing in a browser. */
  say?: Say;
  /** Where certificates are kept; default: the cache folder in Node, memory in a browser. */
  store?: CertificateStore;
  /**
   * Whether the code is one of Verde's own backends, to which certificates are bound; default: whether the
   * table of backends lists it.
   */
  own?: boolean;
}

/** Backends that have passed in this process, with their code and the facts of their device at that time. */
const passed = new WeakMap<Backend, { facts: string; prepare: Backend["prepare"] }>();

const stderr = (globalThis as { process?: NodeJS.Process }).process?.stderr;

export const onStderr: Say = (line) => void stderr?.write(`${escapeText(line)}\n`);

/**
 * Decides whether a backend may run:
 *
 * - One of Verde's own backends is refused if there is a failed certificate, of the short form or of all
 *   vectors.
 * - Backends without a device (WASM and the reference) compute where this code runs, and the tests of this
 *   version cover them. They pass unless there is a failed certificate.
 * - A device passes with a good certificate. Without one it has to run the short form.
 * - Code from elsewhere may change without notice. In each process it has to run the short form once, and
 *   every vector that it failed before.
 *
 * @throws {DeviceError} when the device has other bits; the message names the first operator
 * @throws {BackendError} when the device is not available
 */
export async function ensureCertified(
  backend: Backend,
  { say = onStderr, store = defaultStore(), own = isOwn(backend) }: GateOptions = {},
): Promise<DeviceDescription | undefined> {
  const device = await backend.describe?.();
  const kept = await keptCertificate(backend, own, device, store);
  if (own) {
    if (kept && !kept.conforms) throw refusal(kept);
    if (kept || !device) return device;
  }
  const facts = JSON.stringify(factsOf(device, machine()));
  const failed = kept?.differences.map(({ operator }) => operator) ?? [];
  const before = passed.get(backend);
  if (before?.facts === facts && before.prepare === backend.prepare && failed.length === 0) return device;
  const cases = casesNamed([...SHORT_FORM, ...failed]);
  const on = device ? ` on ${device.name}` : "";
  say(`certifying ${backend.name}${on} before its first job: ${cases.length} vectors`);
  const results = await certify(backend, cases);
  const certificate = certificateOf(backend, "short", device, results, (await backend.probe?.()) ?? []);
  const problem = await keepCertificate(certificate, backend, own, store);
  if (problem !== undefined) say(problem);
  if (!certificate.conforms) throw refusal(certificate);
  passed.set(backend, { facts, prepare: backend.prepare });
  return device;
}

function refusal({ backend, device, differences, form }: Certificate): DeviceError {
  const [first] = differences;
  const on = device ? `${backend} on ${device.name}` : backend;
  const found = form === "full" ? "by its certificate of all vectors, " : "";
  return new DeviceError(
    "BITS",
    `${on} does not have the bits of the specification, so nothing runs on it: ${found}${describeDifference(first)} ` +
      "(`verde certify` with this --backend tests all vectors again; wasm runs everywhere)",
    { backend, ...(device && { device: device.name }), ...first, expected: first.expected, found: first.actual },
  );
}
