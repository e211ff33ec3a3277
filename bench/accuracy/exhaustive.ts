/**
 * Measures functions on every canonical input, and writes their certificates of accuracy.
 *
 *     node bench/accuracy/exhaustive.ts [--only exp,log] [--workers 2] [--state FOLDER]
 *
 * Native code computes the outputs where this machine has a compiler, and WASM elsewhere; the bits are the
 * same. A function takes minutes. What is done is kept in the state folder, so a run that was stopped
 * continues.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { asBytes, hex32 } from "../../src/encoding/bytes.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { native } from "../../src/repops/backends/native/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { fromBits } from "../../src/repops/numbers/vf32.ts";
import { type AccuracyCertificate, certificateFile, programHash, rounded, sampleOf, UNARY } from "./certificate.ts";
import { bitsAt, CANONICAL_COUNT } from "./inputs.ts";
import { BLOCK, outputsOf } from "./outputs.ts";
import { type Claim, CLAIMS, type UnaryName } from "./references.ts";
import { emptyTally, join, type Tally, tallyOf } from "./tally.ts";

/** Inputs for one task of a worker. */
const SEGMENT = 2 ** 26;
const SEGMENTS = Math.ceil(CANONICAL_COUNT / SEGMENT);

/** A segment's tally, or the digest of all outputs. */
type Task = number | "digest";
interface State {
  segments: Record<number, Tally>;
  digest?: string;
}

async function backendHere(): Promise<Backend> {
  return native.describe!().then(
    () => native,
    () => wasm,
  );
}

async function work(name: UnaryName): Promise<void> {
  const program = PROGRAMS[name];
  const claim: Claim = CLAIMS[name];
  const outputs = await outputsOf(program, await backendHere());
  parentPort!.on("message", async (task: Task) => {
    if (task === "digest") {
      const hash = createHash("sha256");
      for (let at = 0; at < CANONICAL_COUNT; at += BLOCK)
        hash.update(asBytes((await outputs.of(at, Math.min(BLOCK, CANONICAL_COUNT - at))).results));
      return parentPort!.postMessage(hash.digest("hex"), []);
    }
    let tally = emptyTally();
    const end = Math.min((task + 1) * SEGMENT, CANONICAL_COUNT);
    for (let at = task * SEGMENT; at < end; at += BLOCK)
      tally = join(tally, tallyOf(program, claim, at, await outputs.of(at, Math.min(BLOCK, end - at))));
    return parentPort!.postMessage(tally, []);
  });
}

/** Deals the tasks that are left out to workers. */
async function measure(name: UnaryName, state: State, save: () => void, workers: number): Promise<void> {
  const tasks: Task[] = [
    ...(state.digest === undefined ? ["digest" as const] : []),
    ...Array.from({ length: SEGMENTS }, (_, i) => i).filter((i) => !state.segments[i]),
  ];
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: name,
        env: { ...process.env, VERDE_THREADS: "1" },
      });
      let task: Task | undefined;
      const next = (): void => {
        task = tasks.shift();
        if (task === undefined) void worker.terminate().then(() => resolve());
        else worker.postMessage(task, []);
      };
      worker.on("error", reject);
      worker.on("message", (result: Tally | string) => {
        if (typeof result === "string") state.digest = result;
        else state.segments[task as number] = result;
        save();
        next();
      });
      next();
    });
  await Promise.all(Array.from({ length: workers }, one));
}

async function certify(name: UnaryName, folder: string, workers: number): Promise<void> {
  const program = PROGRAMS[name];
  const sha256 = programHash(program);
  const file = joinPath(folder, `${name}-${sha256.slice(0, 16)}.json`);
  const state: State = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as State) : { segments: {} };
  await measure(name, state, () => writeFileSync(file, JSON.stringify(state)), workers);
  const tally = Array.from({ length: SEGMENTS }, (_, i) => state.segments[i]).reduce(join);
  const claim: Claim = CLAIMS[name];
  const { largest, at, total, counted, absolute, absoluteAt, disorders, inputs } = tally;
  const place = (index: number) => ({ x: fromBits(bitsAt(index)), bits: hex32(bitsAt(index)) });
  const certificate: AccuracyCertificate = {
    schemaVersion: 1,
    function: name,
    program: { sha256, instructions: program.steps.length },
    inputs,
    sha256: state.digest!,
    ulp: { largest: rounded(largest), ...place(at), mean: rounded(total / counted) },
    ...(claim.from !== undefined && {
      absolute: { below: claim.from, largest: rounded(absolute), ...place(absoluteAt) },
    }),
    ...(claim.monotonic && { monotonic: { holds: disorders === 0, disorders } }),
    sample: await sampleOf(name, wasm),
  };
  writeFileSync(certificateFile(name), `${JSON.stringify(certificate, undefined, 2)}\n`);
}

if (!isMainThread) await work(workerData as UnaryName);
else if (import.meta.main) {
  const { values } = parseArgs({
    options: { only: { type: "string" }, workers: { type: "string" }, state: { type: "string" } },
  });
  const only = values.only?.split(",") ?? UNARY;
  const unknown = only.filter((name) => !UNARY.includes(name as UnaryName));
  if (unknown.length > 0) throw new RangeError(`--only ${unknown.join()}: give some of ${UNARY.join(",")}`);
  const folder = values.state ?? joinPath(tmpdir(), "verde-accuracy");
  mkdirSync(folder, { recursive: true });
  for (const name of only as UnaryName[]) {
    const began = performance.now();
    await certify(name, folder, Number(values.workers ?? availableParallelism()));
    console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
}
