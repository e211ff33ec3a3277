/** `verde bench`: how fast this machine executes the parts of a run, and beside other libraries. */
import { Command, Option } from "commander";
import { benchElementwise } from "../../bench/elementwise.ts";
import { benchHashing } from "../../bench/hashing.ts";
import { benchMatmul } from "../../bench/matmul.ts";
import { describeMachine, machine, type Sample } from "../../bench/measure.ts";
import type { Comparison } from "../../bench/peers/compare.ts";
import { benchStep } from "../../bench/step.ts";
import { ensureCertified } from "../certify/gate.ts";
import { BackendError, DeviceError, UsageError } from "../errors/index.ts";
import { writeResult } from "../files/replace.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { native, tileHere } from "../repops/backends/native/backend.ts";
import { wasm } from "../repops/backends/wasm/backend.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";
import { expectJsonResult } from "./result.ts";

const BENCHES = { matmul: benchMatmul, elementwise: benchElementwise, hashing: benchHashing, step: benchStep } as const;
const NAME_WIDTH = 58;

interface Flags {
  peers?: boolean;
  growth?: boolean;
  size: string;
  only?: string;
  out?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("bench")
    .description("measure matrix products, element-wise operators, state roots and a training step of a GPT")
    .option("--peers", "compare with OpenBLAS, PyTorch, onnxruntime and TensorFlow.js on the same work instead")
    .option("--growth", "measure instead how speed, memory and disputes grow with the model and the run")
    .addOption(
      new Option("--size <size>", "of --growth: small takes minutes, full has the greatest sizes")
        .choices(["small", "full"])
        .default("small"),
    )
    .option("--only <text>", "of --peers and --growth: measure only what has this in its name")
    .option("--out <file>", "write the results too, with this machine's description, for scripts/benchmarks.ts")
    .option("--json", "one JSON object on each line");
  addProgressOption(command).action(async (flags: Flags) => {
    if (flags.peers && flags.growth)
      throw new UsageError("CONFLICT", "--peers and --growth measure different things; choose one");
    if (flags.out !== undefined) await expectJsonResult(flags.out, "--out");
    const measure = flags.peers ? peers : flags.growth ? growth : parts;
    const result = await measure(flags);
    if (flags.out !== undefined) await writeResult(flags.out, `${JSON.stringify(result, null, 1)}\n`);
  });
}

async function peers({ json = false, only }: Flags): Promise<object> {
  const progress = new Progress();
  const said = (write: () => void): void => {
    progress.clear();
    write();
  };
  // Only these two need it, and every command loads this file.
  const { benchPeers } = await import("../../bench/peers.ts");
  const result = await benchPeers({
    ...(only !== undefined && { only }),
    say: (line) => progress.show(line, true),
    result: (one) => said(() => (json ? writeJson({ schemaVersion: 1, ...one }) : writeLine(comparisonRow(one)))),
    skip: (what, why, failed) => said(() => reportLine(`verde: ${failed ? "failed" : "skipped"}: ${what}: ${why}`)),
  });
  progress.clear();
  if (result.skipped.some(({ failed }) => failed)) exitWith(EXIT.failure);
  if (json) writeJson({ schemaVersion: 1, machine: result.machine });
  return result;
}

async function growth({ json = false, only, size }: Flags): Promise<object> {
  const progress = new Progress();
  const { benchGrowth } = await import("../../bench/growth.ts");
  const result = await benchGrowth({
    size: size as "small" | "full",
    ...(only !== undefined && { only }),
    say: (line) => progress.show(line, true),
    point: (series, point) => {
      progress.clear();
      if (json) writeJson({ schemaVersion: 1, series, ...point });
      else
        writeLine(
          `${series}: ${Object.entries(point)
            .map(([name, value]) => `${name} ${shown(value)}`)
            .join(", ")}`,
        );
    },
  });
  progress.clear();
  if (json) writeJson({ schemaVersion: 1, machine: result.machine });
  return result;
}

async function parts({ json = false }: Flags): Promise<object> {
  const progress = new Progress();
  const host = machine();
  const kept: { backend: string; samples: Sample[] }[] = [];
  const backends = await backendsHere();
  if (json) writeJson({ schemaVersion: 1, machine: host });
  else {
    writeLine(colors.dim(`${host.cpu}, one core, Node ${host.node}`));
    if (backends.includes(native)) {
      const { tile, why } = await tileHere();
      writeLine(colors.dim(`native: products in tiles of ${tile}, ${why}`));
    }
    writeLine(`${"".padEnd(NAME_WIDTH)} ${backends.map(({ name }) => name.padStart(10)).join("")}`);
  }
  for (const [name, bench] of Object.entries(BENCHES)) {
    const results: { backend: string; samples: Sample[] }[] = [];
    for (const backend of backends) {
      progress.show(`measuring ${name} on ${backend.name} …`, true);
      results.push({ backend: backend.name, samples: await bench(backend) });
    }
    progress.clear();
    kept.push(...results);
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
  const samples = kept.flatMap(({ backend, samples: own }) => own.map((sample) => ({ backend, ...sample })));
  return { schemaVersion: 1, kind: "parts", machine: await describeMachine(), samples };
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

const shown = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

function rowOf({ name, unit }: Sample, values: readonly (number | undefined)[]): string {
  const cells = values.map((value) => (value === undefined ? "" : shown(value)).padStart(10));
  return `${name.padEnd(NAME_WIDTH)} ${cells.join("")} ${unit}`;
}

/** `product 512x512x512   95.1 GFLOP/s, OpenBLAS 98.0: 0.97x (0.95 to 0.99), 1 thread` */
function comparisonRow({ name, ours, peer, peerName, unit, ratio, threads, spread }: Comparison): string {
  const figures = `${shown(ours)} ${unit}, ${peerName} ${shown(peer)}`;
  const [low, high] = spread.map((value) => value.toFixed(2));
  const times = `${ratio.toFixed(2)}x (${low} to ${high})`;
  return `${name.padEnd(NAME_WIDTH)} ${colors.bold(times)}  ${figures}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}
