/** `verde certify`: whether a backend on this machine may be called Verde. */
import { writeFile } from "node:fs/promises";
import { arch, cpus, platform } from "node:os";
import type { Command } from "commander";
import { everyCase } from "../graph/conformance.ts";
import { SPEC_VERSION } from "../job/closed.ts";
import { BACKEND_NAMES, backendByName } from "../repops/backends/index.ts";
import { type CaseResult, certify } from "../repops/certify/certify.ts";
import { EXIT } from "./exit.ts";
import { colors, formatSeconds, Progress, writeJson, writeLine } from "./output.ts";

interface Flags {
  backend: string;
  out?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("certify")
    .description("run the conformance vectors on this machine, and compare every bit")
    .option("--backend <name>", BACKEND_NAMES, "wasm")
    .option("--out <file>", "write the certificate: machine, backend, a digest an operator")
    .option("--json", "one JSON object")
    .action(async (flags: Flags) => {
      const progress = new Progress();
      const began = performance.now();
      const backend = backendByName(flags.backend);
      const device = await backend.describe?.();
      const results = await certify(backend, everyCase(), ({ name }) => progress.show(name));
      progress.clear();
      const certificate = certificateOf(flags.backend, device, results);
      if (flags.out !== undefined) await writeFile(flags.out, `${JSON.stringify(certificate, null, 2)}\n`);
      if (flags.json) writeJson(certificate);
      else
        print(
          device === undefined ? flags.backend : `${flags.backend} on ${device}`,
          results,
          (performance.now() - began) / 1000,
        );
      process.exitCode = certificate.conforms ? EXIT.agree : EXIT.divergence;
    });
}

function certificateOf(backend: string, device: string | undefined, results: readonly CaseResult[]) {
  return {
    schemaVersion: 1,
    specification: SPEC_VERSION,
    conforms: results.every(({ conforms }) => conforms),
    backend,
    ...(device !== undefined && { device }),
    machine: { cpu: cpus()[0]?.model ?? "unknown", arch: arch(), platform: platform(), engine: process.version },
    operators: Object.fromEntries(results.map(({ name, digest }) => [name, digest])),
    differences: results.filter(({ conforms }) => !conforms).map(({ name, difference }) => ({ name, ...difference })),
  };
}

function print(backend: string, results: readonly CaseResult[], seconds: number): void {
  const wrong = results.filter(({ conforms }) => !conforms);
  for (const { name, difference } of wrong) {
    const where = difference && `element ${difference.element} is ${difference.actual}, not ${difference.expected}`;
    writeLine(colors.red(`✗ ${name}: ${where ?? "the digest differs"}`));
  }
  const count = `${results.length - wrong.length} of ${results.length} vectors`;
  if (wrong.length === 0)
    writeLine(`${colors.green("✓")} ${backend} has the bits of the specification: ${count}, ${formatSeconds(seconds)}`);
  else writeLine(colors.bold(`${backend} must not be used here: ${count} have the right bits`));
}
