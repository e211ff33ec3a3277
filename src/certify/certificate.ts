/**
 * A certificate states that a backend, on one device with one driver, has the bits of the specification. It
 * holds the backend, device and driver, the digest of each operator's output, and the findings about the
 * device's own arithmetic.
 */
import { parseJson } from "../encoding/json.ts";
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import type { Backend, DeviceDescription, Probe } from "../repops/backends/backend.ts";
import type { CaseResult } from "./certify.ts";
import { DIGESTS } from "./digests.ts";
import { factsOf, type Machine, machine } from "./machine.ts";
import { SHORT_FORM } from "./vectors/short.ts";

const CERTIFICATE_VERSION = 2;

/**
 * What `verde certify` writes: whether a backend on one device has the bits of the specification, and where
 * it differs.
 */
export interface Certificate {
  schemaVersion: typeof CERTIFICATE_VERSION;
  specification: number;
  conforms: boolean;
  backend: string;
  /** Which vectors ran: all of them, or those that run automatically before a device's first job. */
  form: "full" | "short";
  /** Absent for backends without a device of their own: they compute where this code runs. */
  device?: DeviceDescription;
  machine: Machine;
  /** SHA-256 of each operator's output. */
  operators: Record<string, string>;
  probes: Probe[];
  differences: { operator: string; element?: number; expected?: string; actual?: string }[];
}

/**
 * The certificate of a backend.
 * @param form which vectors ran
 * @param device absent for backends without a device of their own
 * @param results one for each output of a vector
 * @param probes the findings about the device's own arithmetic
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
  const found = `element ${quote(element)} is ${quote(actual)}, and should be ${quote(expected)}`;
  return `${quote(operator)}: ${element === undefined ? "the digest differs" : found}`;
}

/** @throws {FormatError} when the content is not a certificate of this version */
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

/**
 * The differences between a certificate and this version of the specification. Only they decide whether it is
 * valid.
 */
export function specificationProblems({ specification, operators, form }: Certificate): string[] {
  if (specification !== SPEC_VERSION)
    return [`it is for version ${specification} of the specification, and this is version ${SPEC_VERSION}`];
  const wrong = Object.entries(operators).flatMap(([name, digest]) => {
    if (!Object.hasOwn(DIGESTS, name)) return [`${quote(name)}: there is no such vector in this version`];
    return digest === DIGESTS[name]
      ? []
      : [`${quote(name)}: its bits have the digest ${quote(digest)}, and should have ${DIGESTS[name]}`];
  });
  const needed = form === "short" ? SHORT_FORM : Object.keys(DIGESTS);
  const missing = needed.filter((name) => !Object.hasOwn(operators, name));
  if (missing.length === 0) return wrong;
  return [...wrong, `${missing.length} vectors of this version are not in it; the first is ${missing[0]}`];
}

/** The differences between the device of a certificate and this one. */
export function deviceProblems(certificate: Certificate, device: DeviceDescription | undefined): string[] {
  const here = factsOf(device, machine());
  const there = factsOf(certificate.device, certificate.machine);
  return [...new Set([...Object.keys(there), ...Object.keys(here)])].flatMap((fact) =>
    here[fact] === there[fact]
      ? []
      : [`${quote(fact)}: ${quote(there[fact] ?? "none")} there, ${here[fact] ?? "none"} here`],
  );
}
