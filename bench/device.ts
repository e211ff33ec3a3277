/**
 * Everything there is to measure on a GPU, in one command on a fresh machine:
 *
 *     node bench/device.ts --out FOLDER [--sizes 512,1024] [--backend webgpu|cuda] [--minutes 6]
 *
 * The certificate of the device; 100 steps of a GPT, or 200 on CUDA, whose roots must equal those of WASM;
 * the speed of products and steps, and of roots on CUDA; and the speed of PyTorch on the same device, if it
 * is installed. FOLDER receives certificate.json and results.json. It ends after so many minutes, whatever
 * has been measured by then: the results say what was stopped. Exits with 0 if every bit is right, with 1 if
 * one is not, or was not computed in time, with 3 if there is no device.
 */
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BackendError } from "../src/errors/index.ts";
import type { DeviceDescription } from "../src/repops/backends/backend.ts";
import { backendByName } from "../src/repops/backends/index.ts";
import { machine, type Sample } from "./measure.ts";
import { DEVICE_SIZES, GPT_SHAPES, SOFTWARE_SIZES } from "./webgpu.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const MAIN = path("../src/cli/main.ts");
/** Steps of the GPT, and the program that measures products and steps. */
const BENCHES = { webgpu: { steps: 100, program: "webgpu.ts" }, cuda: { steps: 200, program: "cuda.ts" } } as const;
type Name = keyof typeof BENCHES;
/** A device that is a program takes a model that it can bear. */
const MODEL = { layers: 2, dim: 64, heads: 4, context: 64, batch: 16, dropout: 0.1 };
const SOFTWARE_MODEL = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 };

/** Milliseconds that are left to PyTorch, without whose figures the others say little. */
const FOR_TORCH = 60_000;

type Line = Record<string, unknown>;
/** What a program printed, as JSON lines; its last words on stderr where it failed. */
interface Outcome {
  status: number | null;
  lines: Line[];
  error: string;
}

/** Runs a program; after so many milliseconds it is stopped, and what it has printed counts. */
function run(millis: number, command: string, ...args: string[]): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let isLate = false;
  const timer = setTimeout(() => (isLate = child.kill("SIGKILL")), Math.max(millis, 0));
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.on("error", ({ message }) => resolve({ status: null, lines: [], error: message }));
    child.on("close", (status) => {
      clearTimeout(timer);
      const whole = stdout.slice(0, stdout.lastIndexOf("\n") + 1).split("\n");
      const lines = whole.filter((line) => line.startsWith("{")).map((line): Line => JSON.parse(line));
      resolve({ status, lines, error: isLate ? "stopped: the time was over" : stderr.trim() });
    });
  });
}

const node = (millis: number, ...args: string[]): Promise<Outcome> => run(millis, process.execPath, ...args);

/** Whether the device has the bits of the specification; the certificate goes into the folder. */
async function certify(backend: string, file: string, millis: number): Promise<Line> {
  const { lines, error } = await node(millis, MAIN, "certify", "--backend", backend, "--json", "--out", file);
  const [certificate] = lines;
  if (!certificate) return { conforms: false, error };
  const { conforms, operators, differences } = certificate;
  return { conforms, vectors: Object.keys(operators as object).length, differences };
}

/** Whether the device has the roots of WASM at every step of a GPT. */
async function compareSteps(backend: string, steps: number, model: object, left: () => number): Promise<Line> {
  const options = Object.entries({ steps, ...model }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const roots = async (name: string): Promise<{ roots: unknown[]; error: string }> => {
    const job = path("../examples/char-gpt.ts");
    const { lines, error } = await node(left(), MAIN, "run", job, ...options, "--backend", name, "--json");
    return { roots: lines.map(({ root, runRoot }) => root ?? runRoot), error };
  };
  const expected = await roots("wasm");
  const actual = await roots(backend);
  const first = expected.roots.findIndex((root, i) => root !== actual.roots[i]);
  const equal = expected.roots.length === steps + 2 && actual.roots.length === steps + 2 && first < 0;
  return {
    steps,
    model,
    equal,
    runRoot: expected.roots.at(-1),
    ...(!equal && { firstDifference: first, error: actual.error || expected.error }),
  };
}

const samplesOf = ({ lines }: Outcome): Sample[] =>
  lines.filter(({ value }) => value !== undefined).map(({ name, value, unit }) => ({ name, value, unit }) as Sample);

/** PyTorch on the same device, or why it is not here. */
async function torch(sizes: readonly number[], millis: number): Promise<Line> {
  const outcome = await run(millis, "python3", path("torch-gpt.py"), JSON.stringify({ sizes, shapes: GPT_SHAPES }));
  if (outcome.lines.length === 0)
    return { skipped: outcome.error.replace(/^skipped: /, "") || `python3 exits with ${outcome.status}` };
  return { ...outcome.lines[0], samples: samplesOf(outcome), ...(outcome.status !== 0 && { error: outcome.error }) };
}

interface Options {
  folder: string;
  backend: Name;
  /** Of products; none: those of the device. */
  named: readonly number[];
  minutes: number;
}

async function main({ name, software }: DeviceDescription, { folder, backend, named, minutes }: Options) {
  const { steps: count, program } = BENCHES[backend];
  const end = performance.now() + 60_000 * minutes;
  const left = (): number => end - performance.now() - Math.min(FOR_TORCH, 10_000 * minutes);
  await mkdir(folder, { recursive: true });
  const say = (line: string): void => console.error(line);
  say(`${name}: certifying …`);
  const certificate = await certify(backend, join(folder, "certificate.json"), left());
  say(`  ${JSON.stringify(certificate)}`);
  say(`${count} steps of a GPT against WASM …`);
  const steps = await compareSteps(backend, count, software ? SOFTWARE_MODEL : MODEL, left);
  say(`  ${JSON.stringify(steps)}`);
  say("products and steps …");
  const sizes = named.length > 0 ? named : software ? SOFTWARE_SIZES : DEVICE_SIZES;
  const bench = await node(left(), path(program), ...sizes.map(String));
  const samples = samplesOf(bench);
  for (const sample of samples) say(`  ${sample.name}: ${sample.value.toFixed(2)} ${sample.unit}`);
  if (bench.status !== 0) say(`  failed: ${bench.error}`);
  const pytorch = await torch(sizes, end - performance.now());
  say(`PyTorch: ${JSON.stringify(pytorch)}`);
  const stopped = bench.status !== 0 && { error: bench.error };
  const results = {
    schemaVersion: 1,
    machine: machine(),
    device: name,
    backend,
    certificate,
    steps,
    samples,
    ...stopped,
    pytorch,
  };
  await writeFile(join(folder, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  console.log(JSON.stringify({ schemaVersion: 1, out: folder, conforms: certificate.conforms, equal: steps.equal }));
  return certificate.conforms === true && steps.equal === true && bench.status === 0 ? 0 : 1;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      sizes: { type: "string" },
      backend: { type: "string", default: "webgpu" },
      minutes: { type: "string" },
    },
  });
  if (values.out === undefined) throw new Error("--out FOLDER is missing: where results.json and certificate.json go");
  const sizes = (values.sizes ?? "").split(",").filter(Boolean).map(Number);
  const { backend } = values;
  if (!Object.hasOwn(BENCHES, backend)) throw new Error(`--backend is ${Object.keys(BENCHES).join(" or ")}`);
  try {
    const device = await backendByName(backend).describe!();
    // A device in software takes as long as it takes; a real one is lent.
    const minutes = Number(values.minutes ?? (device.software ? 60 : 6));
    if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is no number above 0`);
    process.exitCode = await main(device, { folder: values.out, backend: backend as Name, named: sizes, minutes });
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    console.error(error.message);
    process.exitCode = 3;
  }
  process.exit();
}
