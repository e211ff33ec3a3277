/** Nothing runs on a device whose bits are not the specification's: the test before its first job. */
import { DeviceError } from "../errors/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { isOwn } from "../repops/backends/index.ts";
import { type Certificate, certificateOf, describeDifference, factsOf, machine } from "./certificate.ts";
import { certify } from "./certify.ts";
import { keepCertificate, keptCertificate } from "./kept.ts";
import { type CertificateStore, defaultStore } from "./store.ts";
import { casesNamed, SHORT_FORM } from "./vectors/short.ts";

/** Takes a line for people, without its end. */
export type Say = (line: string) => void;

export interface GateOptions {
  /** A line on stderr in Node, nothing in a browser, unless given. */
  say?: Say;
  /** The cache folder in Node, memory in a browser, unless given. */
  store?: CertificateStore;
  /** Whether the code is one of Verde's own backends, to which certificates are bound; the table of backends says it. */
  own?: boolean;
}

/** Objects that have passed in this process, with their code and the facts of their device then. */
const passed = new WeakMap<Backend, { facts: string; prepare: Backend["prepare"] }>();

const stderr = (globalThis as { process?: NodeJS.Process }).process?.stderr;

export const onStderr: Say = (line) => void stderr?.write(`${line}\n`);

/**
 * Lets a backend pass, or not:
 *
 * - A certificate that says no, of the short form or of all vectors, is enough to refuse one of Verde's own backends.
 * - Those that have no device (WASM and the reference) compute where this code runs, and have the tests of this version: they
 *   pass unless there is such a certificate.
 * - A device passes with a good certificate, and is put to the short form without one.
 * - Code from elsewhere may change without notice. It is put to the short form once a process, and to what it failed before.
 *
 * @throws {DeviceError} naming the first operator with other bits, {BackendError} when the device is not there
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
