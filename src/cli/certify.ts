/** `verde certify`: whether a backend on this machine computes the bits of the specification. */
import type { Command } from "commander";
import { messageOf, unreadable, UsageError } from "../errors/index.ts";
import { writeResult } from "../files/replace.ts";
import { everyCase } from "../certify/vectors/operators.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { BACKEND_NAMES, backendByName, isOwn } from "../repops/backends/index.ts";
import { certify } from "../certify/certify.ts";
import { DIGESTS } from "../certify/digests.ts";
import {
  type Certificate,
  certificateOf,
  describeDifference,
  deviceProblems,
  parseCertificate,
  specificationProblems,
} from "../certify/certificate.ts";
import { keepCertificate } from "../certify/kept.ts";
import { findBackend } from "../certify/open-backend.ts";
import { defaultStore } from "../certify/store.ts";
import { readRegularText } from "../files/regular.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatSeconds, reportLine, writeJson, writeLine } from "./output.ts";
import { addThreadsOption } from "./threads.ts";
import { addProgressOption, Progress } from "./progress.ts";
import { expectJsonResult } from "./result.ts";

interface Flags {
  backend?: string;
  strict?: boolean;
  out?: string;
  check?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("certify")
    .description("run the conformance vectors on this machine, and compare every bit")
    .option("--backend <name>", `${BACKEND_NAMES}, or a module that exports one (default: wasm)`)
    .option("--strict", "compute floats with integers only, if the backend has such a mode (webgpu)")
    .option("--out <file>", "write the certificate: device, driver, a digest for each vector, probes, differences")
    .option(
      "--check <file>",
      "run nothing; check that this certificate has the specification's bits and is for this device",
    )
    .option("--json", "one JSON object");
  addProgressOption(addThreadsOption(command)).action(async (flags: Flags) => {
    if (flags.check === undefined) await make(flags);
    else await check(flags.check, flags);
  });
}

async function make(flags: Flags): Promise<void> {
  if (flags.out !== undefined) await expectJsonResult(flags.out, "--out");
  const progress = new Progress();
  const began = performance.now();
  const { backend: named = "wasm", strict = false } = flags;
  const backend = await findBackend(named, strict);
  const device = await backend.describe?.();
  const results = await certify(backend, everyCase(), ({ name }) => progress.show(name));
  const certificate = certificateOf(backend, "full", device, results, (await backend.probe?.()) ?? []);
  progress.clear();
  if (flags.out !== undefined) await writeResult(flags.out, `${JSON.stringify(certificate, null, 2)}\n`);
  const problem = await keepCertificate(certificate, backend, isOwn(backend), defaultStore());
  if (problem !== undefined) reportLine(`verde: ${problem}`);
  if (flags.json) writeJson(certificate);
  else print(certificate, (performance.now() - began) / 1000);
  exitWith(certificate.conforms ? EXIT.agree : EXIT.divergence);
}

const on = ({ backend, device }: Certificate): string =>
  device ? `${backend} on ${device.name}${device.software ? " (a software device)" : ""}` : backend;

function print(certificate: Certificate, seconds: number): void {
  const { differences, operators, probes, conforms } = certificate;
  for (const difference of differences) writeLine(colors.red(`✗ ${describeDifference(difference)}`));
  const all = Object.keys(operators).length;
  const count = `${all - differences.length} of ${all} vectors`;
  if (conforms)
    writeLine(
      `${colors.green("✓")} ${on(certificate)} has the bits of the specification: ${count}, ${formatSeconds(seconds)}`,
    );
  else writeLine(colors.bold(`${on(certificate)} must not be used here: ${count} have the right bits`));
  for (const line of lines(probes.map(({ name, finding }) => `${name}: ${finding}`))) writeLine(colors.dim(line));
}

/** Facts joined by dots, as many on each line as fit. */
function lines(facts: readonly string[]): string[] {
  const made: string[] = [];
  for (const fact of facts) {
    const longer = `${made.at(-1)} · ${fact}`;
    if (made.length > 0 && longer.length <= 110) made[made.length - 1] = longer;
    else made.push(`  ${fact}`);
  }
  return made;
}

async function check(path: string, { backend: named, strict, json }: Flags): Promise<void> {
  const certificate = parseCertificate(await read(path), path);
  const meant = named === undefined ? undefined : await findBackend(named, strict);
  if (meant && meant.name !== certificate.backend)
    throw new UsageError(
      "FOREIGN",
      `${path} is for the backend ${certificate.backend}, not ${meant.name}; omit --backend, or name the certificate's backend`,
      { path, expected: meant.name, found: certificate.backend },
    );
  const specification = specificationProblems(certificate);
  const device = await problemsHere(certificate, meant);
  const holds = specification.length === 0 && device.length === 0;
  if (json) writeJson({ schemaVersion: 1, holds, backend: certificate.backend, specification, device });
  else {
    const { operators, form } = certificate;
    writeLine(
      `${path}: ${on(certificate)}, ${Object.keys(operators).length} of ${Object.keys(DIGESTS).length} vectors`,
    );
    for (const problem of specification) writeLine(colors.red(`✗ ${problem}`));
    if (specification.length === 0)
      writeLine(`${colors.green("✓")} it has the specification's bits${form === "short" ? ", in the short form" : ""}`);
    for (const problem of device) writeLine(colors.yellow(`✗ not this device: ${problem}`));
    if (device.length === 0) writeLine(`${colors.green("✓")} it was made on this device, driver and engine`);
  }
  exitWith(holds ? EXIT.agree : EXIT.divergence);
}

async function read(path: string): Promise<string> {
  try {
    return await readRegularText(path);
  } catch (cause) {
    throw unreadable(`the certificate ${path}`, path, cause, "make one with `verde certify --out FILE`");
  }
}

/** @param meant the certificate's backend, if the user named it; if not, it is one of Verde's own */
async function problemsHere(certificate: Certificate, meant: Backend | undefined): Promise<string[]> {
  let device: DeviceDescription | undefined;
  try {
    device = await (meant ?? backendByName(certificate.backend)).describe?.();
  } catch (cause) {
    return [messageOf(cause)];
  }
  return deviceProblems(certificate, device);
}
