/** `verde bench`: how fast this machine executes the parts of a run, on WASM and on native code beside it. */
import type { Command } from "commander";
import { benchElementwise } from "../../bench/elementwise.ts";
import { benchHashing } from "../../bench/hashing.ts";
import { benchMatmul } from "../../bench/matmul.ts";
import { machine, type Sample } from "../../bench/measure.ts";
import { benchStep } from "../../bench/step.ts";
import { ensureCertified } from "../certify/gate.ts";
import { BackendError, DeviceError } from "../errors/index.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { native } from "../repops/backends/native/backend.ts";
import { wasm } from "../repops/backends/wasm/backend.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";

const BENCHES = { matmul: benchMatmul, elementwise: benchElementwise, hashing: benchHashing, step: benchStep } as const;
const NAME_WIDTH = 58;

export function register(program: Command): void {
  const command = program
    .command("bench")
    .description("measure matrix products, element-wise operators, state roots and a training step of a GPT")
    .option("--json", "one JSON object on each line");
  addProgressOption(command).action(async ({ json }: { json?: boolean }) => {
    const progress = new Progress();
    const host = machine();
    const backends = await backendsHere();
    if (json) writeJson({ schemaVersion: 1, machine: host });
    else {
      writeLine(colors.dim(`${host.cpu}, one core, Node ${host.node}`));
      writeLine(`${"".padEnd(NAME_WIDTH)} ${backends.map(({ name }) => name.padStart(10)).join("")}`);
    }
    for (const [name, bench] of Object.entries(BENCHES)) {
      const results: { backend: string; samples: Sample[] }[] = [];
      for (const backend of backends) {
        progress.show(`measuring ${name} on ${backend.name} …`, true);
        results.push({ backend: backend.name, samples: await bench(backend) });
      }
      progress.clear();
      for (const sample of results[0].samples) {
        const found = results.map(({ backend, samples }) => ({
          backend,
          ...(samples.find((other) => other.name === sample.name) ?? { ...sample, value: undefined }),
        }));
        if (json) for (const one of found) if (one.value !== undefined) writeJson({ schemaVersion: 1, ...one });
        if (!json)
          writeLine(
            rowOf(
              sample,
              found.map(({ value }) => value),
            ),
          );
      }
    }
  });
}

/** WASM, and native code where this machine has a compiler and gives it the right bits. */
async function backendsHere(): Promise<Backend[]> {
  try {
    await ensureCertified(native, { say: reportLine });
    return [wasm, native];
  } catch (error) {
    if (!(error instanceof BackendError || error instanceof DeviceError)) throw error;
    reportLine(`not native: ${error.message}`);
    return [wasm];
  }
}

function rowOf({ name, unit }: Sample, values: readonly (number | undefined)[]): string {
  const shown = values.map((value) => (value?.toFixed(value < 10 ? 2 : 1) ?? "").padStart(10));
  return `${name.padEnd(NAME_WIDTH)} ${shown.join("")} ${unit}`;
}
