/** Admits a backend to its first job, by its certificate or by running vectors. */
import { DeviceError } from "../errors/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { type Certificate, certificateOf, describeDifference } from "./certificate.ts";
import { certify } from "./certify.ts";
import type { GateOptions } from "./gate.ts";
import { keepCertificate } from "./kept.ts";
import { factsOf, machine } from "./machine.ts";
import { casesNamed, SHORT_FORM } from "./vectors/short.ts";

/** Backends that have passed in this process, with their code and the facts of their device at that time. */
const passed = new WeakMap<Backend, { facts: string; prepare: Backend["prepare"] }>();

/**
 * Runs vectors on a backend, unless it has passed in this process.
 * @param own whether it is one of Verde's own, which are not tested again after a failure
 * @param kept a certificate; of Verde's own backends only a failed one
 * @throws {DeviceError} when it has other bits; the message names the first operator
 */
export async function admit(
  backend: Backend,
  device: DeviceDescription | undefined,
  kept: Certificate | undefined,
  { say, store, own }: Required<GateOptions>,
): Promise<void> {
  if (own && kept) throw refusal(kept);
  const facts = JSON.stringify(factsOf(device, machine()));
  const failed = kept?.differences.map(({ operator }) => operator) ?? [];
  const before = passed.get(backend);
  if (before?.facts === facts && before.prepare === backend.prepare && failed.length === 0) return;
  const cases = await casesNamed([...SHORT_FORM, ...failed]);
  const on = device ? ` on ${device.name}` : "";
  say(`certifying ${backend.name}${on} before its first job: ${cases.length} vectors`);
  const results = await certify(backend, cases);
  const certificate = certificateOf(backend, "short", device, results, (await backend.probe?.()) ?? []);
  const problem = await keepCertificate(certificate, backend, own, store);
  if (problem !== undefined) say(problem);
  if (!certificate.conforms) throw refusal(certificate);
  passed.set(backend, { facts, prepare: backend.prepare });
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
