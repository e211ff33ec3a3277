/**
 * A certificate: that a backend on one device, with one driver, has the bits of the specification. It says what it is for,
 * what every operator gave, and what the device's own arithmetic was found to do.
 */
import { parseJson } from "../encoding/json.ts";
import { os } from "../encoding/node.ts";
import { FormatError } from "../errors/index.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import type { Backend, DeviceDescription, Probe } from "../repops/backends/backend.ts";
import type { CaseResult } from "./certify.ts";
import { DIGESTS } from "./digests.ts";
import { SHORT_FORM } from "./vectors/short.ts";

const CERTIFICATE_VERSION = 2;

/** What `verde certify` writes: that, or where, a backend on one device has the specification's bits. */
export interface Certificate {
  schemaVersion: typeof CERTIFICATE_VERSION;
  specification: number;
  conforms: boolean;
  backend: string;
  /** Which vectors ran: all, or those that a device's first job runs by itself. */
  form: "full" | "short";
  /** Absent for backends that compute where this code runs. */
  device?: DeviceDescription;
  machine: { cpu: string; arch: string; platform: string; engine: string };
  /** SHA-256 of each operator's output. */
  operators: Record<string, string>;
  probes: Probe[];
  differences: { operator: string; element?: number; expected?: string; actual?: string }[];
}

export function machine(): Certificate["machine"] {
  const { process, navigator } = globalThis as {
    process?: Partial<NodeJS.Process>;
    navigator?: { userAgent?: string };
  };
  if (process?.version === undefined)
    return { cpu: "unknown", arch: "unknown", platform: "browser", engine: navigator?.userAgent ?? "unknown" };
  return { cpu: os.cpus()[0]?.model ?? "unknown", arch: os.arch(), platform: os.platform(), engine: process.version };
}

/**
 * The certificate of a backend.
 * @param form which vectors ran
 * @param device absent for backends that compute where this code runs
 * @param results one an output of a vector
 * @param probes what the device's own arithmetic was found to do
 */
export function certificateOf(
  backend: Backend,
  form: Certificate["form"],
  device: DeviceDescription | undefined,
  results: readonly CaseResult[],
  probes: Probe[],
): Certificate {
  const wrong = results.filter(({ conforms }) => !conforms);
  return {
    schemaVersion: CERTIFICATE_VERSION,
    specification: SPEC_VERSION,
    conforms: wrong.length === 0,
    backend: backend.name,
    form,
    ...(device && { device }),
    machine: machine(),
    operators: Object.fromEntries(results.map(({ name, digest }) => [name, digest])),
    probes,
    differences: wrong.map(({ name, difference }) => ({ operator: name, ...difference })),
  };
}

/** `instruction fadd: element 3 is 0x00000001, and should be 0x00000000` */
export function describeDifference({
  operator,
  element,
  expected,
  actual,
}: Certificate["differences"][number]): string {
  return `${operator}: ${element === undefined ? "the digest differs" : `element ${element} is ${actual}, and should be ${expected}`}`;
}

/** @throws {FormatError} for what is no certificate of this version */
export function parseCertificate(text: string, what: string): Certificate {
  const value = parseJson(text, what);
  const {
    schemaVersion,
    specification,
    backend,
    operators,
    machine: made,
    device,
    form,
    conforms,
    differences,
  } = (value ?? {}) as Partial<Certificate>;
  const isText = (entry: unknown): boolean => typeof entry === "string";
  if (typeof schemaVersion === "number" && schemaVersion !== CERTIFICATE_VERSION)
    throw new FormatError(
      "VERSION",
      `${what} is a certificate of version ${schemaVersion}, and this reads version ${CERTIFICATE_VERSION}; certify the device again`,
      { what, expected: CERTIFICATE_VERSION, found: schemaVersion },
    );
  const complete =
    schemaVersion === CERTIFICATE_VERSION &&
    typeof specification === "number" &&
    isText(backend) &&
    (form === "full" || form === "short") &&
    Array.isArray(differences) &&
    differences.every((difference) => isRecord(difference) && isText(difference.operator)) &&
    conforms === (differences.length === 0) &&
    isRecord(operators) &&
    Object.values(operators).every(isText) &&
    isRecord(made) &&
    Object.values(made).every(isText) &&
    (device === undefined || (isRecord(device) && isText(device.name) && isRecord(device.driver)));
  if (!complete)
    throw new FormatError("MALFORMED", `${what} is no certificate; make one with \`verde certify --out FILE\``, {
      what,
    });
  return value as Certificate;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Where a certificate and the specification of this version differ: nothing else decides whether it is one. */
export function specificationProblems({ specification, operators, form }: Certificate): string[] {
  if (specification !== SPEC_VERSION)
    return [`it is for version ${specification} of the specification; this is version ${SPEC_VERSION}`];
  const wrong = Object.entries(operators).flatMap(([name, digest]) => {
    if (!Object.hasOwn(DIGESTS, name)) return [`${name}: there is no such vector in this version`];
    return digest === DIGESTS[name]
      ? []
      : [`${name}: its bits have the digest ${digest}, and should have ${DIGESTS[name]}`];
  });
  const needed = form === "short" ? SHORT_FORM : Object.keys(DIGESTS);
  const missing = needed.filter((name) => !Object.hasOwn(operators, name));
  if (missing.length === 0) return wrong;
  return [...wrong, `${missing.length} vectors of this version are not in it, the first is ${missing[0]}`];
}

/** Where the device that a certificate was made on differs from this one. */
export function deviceProblems(certificate: Certificate, device: DeviceDescription | undefined): string[] {
  const here = factsOf(device, machine());
  const there = factsOf(certificate.device, certificate.machine);
  return [...new Set([...Object.keys(there), ...Object.keys(here)])].flatMap((fact) =>
    here[fact] === there[fact] ? [] : [`${fact}: ${there[fact] ?? "none"} there, ${here[fact] ?? "none"} here`],
  );
}

/** What a certificate is bound to. A processor matters only where it is the device: its arithmetic is the engine's. */
export function factsOf(
  device: DeviceDescription | undefined,
  { engine, arch: architecture, platform: system }: Certificate["machine"],
): Record<string, string> {
  const facts: Record<string, string> = { engine, platform: `${system} ${architecture}` };
  if (!device) return facts;
  facts.device = device.name;
  for (const [name, value] of Object.entries(device.driver)) facts[`driver ${name}`] = value;
  return facts;
}
