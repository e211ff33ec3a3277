/** What `verde bench --peers` compares, in groups that need the same two processes. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/errors/index.ts";
import { Contender, Unable } from "./contender.ts";
import { type Case, type Comparison, compare, comparePeaks, expectThreads } from "./compare.ts";
import { javascriptPeer, ours, startPython } from "./contenders.ts";
import { installPeers } from "./install.ts";
import { compareStarts } from "./starts.ts";
import { type GptTask, type OperatorTask, type ProductTask, sizeOf, titleOf } from "./tasks.ts";

/** Reports what happens; each comparison as soon as there is one. */
export interface Report {
  say(line: string): void;
  result(comparison: Comparison): void;
  /** What is not compared. `failed`: something is wrong, and not just missing. */
  skip(what: string, why: string, failed: boolean): void;
}

/** Comparisons that belong together. */
export interface Group {
  name: string;
  run(report: Report): Promise<void>;
}

const product = (m: number, n: number, k: number, transpose: ProductTask["transpose"] = "", batch = 1): Case => ({
  task: { kind: "product", batch, m, n, k, transpose },
});

const SQUARES = [256, 512, 1024, 2048].map((size) => product(size, size, size));
/** The products of a GPT's step at width 256 and 1,024 tokens, with those of its gradients. */
const TRANSFORMER = [
  product(1024, 768, 256),
  product(1024, 1024, 256),
  product(1024, 256, 1024),
  product(1024, 256, 1024, "b"),
  product(256, 1024, 1024, "a"),
  product(128, 128, 32, "b", 64),
  product(128, 32, 128, "", 64),
  product(64, 64, 16),
];
const PRODUCTS = [...SQUARES, ...TRANSFORMER];

const operator = (name: OperatorTask["operator"], rows: number, columns: number, gradient = false): Case => ({
  task: { kind: "operator", operator: name, rows, columns, gradient },
});
const OPERATORS = [
  operator("softmax", 8192, 128),
  operator("softmax", 8192, 128, true),
  operator("layer norm", 1024, 768),
  operator("layer norm", 1024, 768, true),
  operator("GELU", 1024, 1024),
  operator("GELU", 1024, 1024, true),
  operator("GELU, erf form", 1024, 1024),
  operator("cross-entropy", 1024, 256, true),
  operator("cross-entropy", 256, 50_257, true),
];
const ADAMW = 2 ** 24;
/** Three tensors are written and four are read. */
const ADAMW_BYTES = 7 * 4 * ADAMW;
const COPY = 2 ** 28;

const SMALL: GptTask = {
  kind: "gpt",
  layers: 4,
  heads: 8,
  dim: 256,
  context: 128,
  batch: 8,
  vocabulary: 256,
  trace: "every",
};
const LARGE: GptTask = { ...SMALL, layers: 12, heads: 12, dim: 768, context: 256, batch: 1, vocabulary: 50_257 };
/** Both contenders of the large GPT together. */
const LARGE_BYTES = 10 * 2 ** 30;

/**
 * Runs the cases of two contenders. One that can't be done is skipped with a word, and so is all if one is
 * not there.
 */
async function versus(
  report: Report,
  name: string,
  threads: number,
  start: readonly [ours: () => Promise<Contender>, peer: () => Promise<Contender>],
  cases: readonly Case[],
  after?: (mine: Contender, peer: Contender) => Promise<void>,
): Promise<void> {
  const started: Contender[] = [];
  try {
    for (const one of start) started.push(await one());
    const [mine, peer] = started;
    expectThreads(mine, threads);
    for (const one of cases)
      try {
        report.result(await compare(mine, peer, one, threads));
      } catch (error) {
        report.skip(`${name}: ${titleOf(one.task)}`, messageOf(error), !(error instanceof Unable));
      }
    await after?.(mine, peer);
  } catch (error) {
    report.skip(name, messageOf(error), !(error instanceof Unable));
  } finally {
    for (const contender of started) await contender.close();
  }
}

const native = (threads: number) => () => Contender.start(ours("native", threads));

/** A GPT's step against PyTorch's, which begins with the same weights. */
async function gptVersusTorch(report: Report, name: string, task: GptTask, threads: number, pairs: number) {
  const folder = mkdtempSync(join(tmpdir(), "verde-bench-"));
  const file = join(folder, "weights.safetensors");
  const weighted: GptTask = { ...task, weights: file };
  const mine = async () => {
    const maker = await Contender.start(ours("native", threads));
    try {
      await maker.prepare({ kind: "weights", gpt: task, file });
    } finally {
      await maker.close();
    }
    return native(threads)();
  };
  try {
    const note = "traced with roots at every step";
    const starts = [mine, () => startPython("torch", threads)] as const;
    await versus(report, name, threads, starts, [{ task: weighted, pairs, note }], async (one, peer) => {
      const title = `GPT step ${sizeOf(task)}, traced, peak memory`;
      if (existsSync(file)) report.result(await comparePeaks(one, peer, title, threads));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A GPT's step with and without a trace, or on two threads and on one. */
function gptVersusItself(report: Report, name: string, backend: string, threads: readonly [number, number], one: Case) {
  const starts = threads.map((count) => () => Contender.start(ours(backend, count)));
  return versus(named(report, one.note!), name, threads[0], [starts[0], starts[1]], [one]);
}

/** Says what the other contender is, where both are Verde. */
function named(report: Report, note: string): Report {
  const other = note.split(" over ")[1];
  return { ...report, result: (comparison) => report.result({ ...comparison, peerName: other }) };
}

const ifMemory = (report: Report, name: string, run: () => Promise<void>): Promise<void> | void => {
  const free = freemem();
  if (free >= LARGE_BYTES) return run();
  const [needed, found] = [LARGE_BYTES, free].map((bytes) => (bytes / 2 ** 30).toFixed(1));
  report.skip(name, `both contenders need ${needed} GiB of free memory together, and ${found} are free`, false);
};

function threadsGroup(backend: "native" | "wasm"): Group {
  const name = `${backend}, two threads over one`;
  const note = `${backend}, two threads over one thread`;
  return {
    name,
    run: async (report) => {
      const starts = [2, 1].map((count) => () => Contender.start(ours(backend, count)));
      const cases = [product(1024, 1024, 1024), product(1024, 1024, 256)].map((one) => ({ ...one, note }));
      await versus(named(report, note), name, 2, [starts[0], starts[1]], cases);
      await gptVersusItself(report, name, backend, [2, 1], { task: { ...SMALL, trace: "none" }, note });
    },
  };
}

function tracingGroup(title: string, task: GptTask, pairs: number, threads: number): Group {
  const name = `${title}, tracing over not tracing`;
  const run = async (report: Report): Promise<void> => {
    for (const trace of ["auto", "every"] as const) {
      const note = `${trace === "auto" ? "traced with the cadence auto" : "traced with roots at every step"} over not traced`;
      const one = { task: { ...task, trace }, peerTask: { ...task, trace: "none" as const }, pairs, note };
      await gptVersusItself(report, name, "native", [threads, threads], one);
    }
  };
  return { name, run: async (report) => (task === LARGE ? ifMemory(report, name, () => run(report)) : run(report)) };
}

/** @param most the threads of comparisons on all cores */
export function groups(most: number): Group[] {
  const counts = most > 1 ? [1, most] : [1];
  const npm = (name: string): Group => ({
    name: `products against ${name}`,
    run: async (report) => {
      const start = async () => Contender.start(javascriptPeer(name, await installPeers(report.say)));
      const cases = PRODUCTS.filter(
        ({ task }) => task.kind === "product" && !(task.batch > 1 && task.transpose !== ""),
      );
      await versus(report, `products against ${name}`, 1, [native(1), start], cases);
    },
  });
  return [
    ...counts.map((threads) => ({
      name: `products against OpenBLAS, ${threads} threads`,
      run: (report: Report) =>
        versus(
          report,
          `products against OpenBLAS, ${threads} threads`,
          threads,
          [native(threads), () => startPython("numpy", threads)],
          threads === 1 ? PRODUCTS : SQUARES.slice(1),
        ),
    })),
    ...["onnxruntime-node", "onnxruntime-web", "tfjs-wasm"].map(npm),
    {
      name: "operators against PyTorch",
      run: (report) =>
        versus(
          report,
          "operators against PyTorch",
          1,
          [native(1), () => startPython("torch", 1)],
          [...OPERATORS, { task: { kind: "adamw", elements: ADAMW } }],
        ),
    },
    {
      name: "AdamW against a copy",
      run: (report) =>
        versus(
          report,
          "AdamW against a copy",
          1,
          [native(1), native(1)],
          [
            {
              task: { kind: "adamw", elements: ADAMW },
              peerTask: { kind: "copy", bytes: COPY },
              speed: { ours: ADAMW_BYTES, peer: 2 * COPY, unit: "GB/s" },
              note: "against the bandwidth of a copy",
            },
          ],
        ),
    },
    ...counts.map((threads) => ({
      name: `GPT 4x256 against PyTorch, ${threads} threads`,
      run: (report: Report) =>
        gptVersusTorch(report, `GPT 4x256 against PyTorch, ${threads} threads`, SMALL, threads, 15),
    })),
    {
      name: "GPT 12x768 against PyTorch",
      run: async (report) =>
        ifMemory(report, "GPT 12x768 against PyTorch", () =>
          gptVersusTorch(report, "GPT 12x768 against PyTorch", LARGE, most, 5),
        ),
    },
    threadsGroup("native"),
    threadsGroup("wasm"),
    tracingGroup("GPT 4x256", SMALL, 15, most),
    tracingGroup("GPT 12x768", LARGE, 5, most),
    { name: "starts of native", run: compareStarts },
  ];
}
