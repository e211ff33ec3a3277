/** The table of limits in the specification (clause 9): each is probed at its value, and one above it. */
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkName } from "../src/encoding/name.ts";
import { checkShape } from "../src/encoding/tensor.ts";
import { VerdeError } from "../src/errors/index.ts";
import { checkHeader } from "../src/graph/graph.ts";
import { checkJob, type ClosedJob, jobId } from "../src/job/closed.ts";
import { checkKernel, type FoldKernel, type MapKernel } from "../src/repops/kernels/kernel.ts";
import { checkProgram, type Program } from "../src/repops/programs/program.ts";
import { encodeManifest, manifestOf } from "../src/trace/manifest.ts";
import { openingOf } from "../src/trace/records.ts";
import { temporaryFolder } from "./fixtures/folder.ts";
import { verdeIn } from "./fixtures/verde.ts";
import { tinyJob } from "./referee/tiny-job.ts";

const path = temporaryFolder();
const CLAIM = `0x${"11".repeat(32)}`;
const job = tinyJob(3);

/** Does something at the given size. It throws a `VerdeError` if the size is not allowed. */
type Probe = (size: number) => unknown;

/** A program with this many values, all used: it adds its input to itself. */
const programOf = ({ inputs = 0, floats = 0, ints = 0, steps = 0 }): Program => {
  const values = inputs + floats + ints;
  const list = Array.from({ length: steps }, (_, i) => {
    // Each instruction takes the value before it, and one of those that no instruction has taken yet.
    const before = i === 0 ? 0 : values + i - 1;
    return { name: "iadd", args: [before, Math.min(i + 1, values - 1)] } as const;
  });
  return {
    inputs: Array.from({ length: inputs }, () => "i"),
    floats: Array.from({ length: floats }, (_, i) => 0x3f800000 + i),
    ints: Array.from({ length: ints }, (_, i) => i),
    steps: list,
  };
};

const SUM: Program = { inputs: ["f", "f"], floats: [], ints: [], steps: [{ name: "fadd", args: [0, 1] }] };

const fold = (reduce: number[], strides: number[]): void =>
  checkKernel(
    {
      kind: "fold",
      type: { dtype: "f32", shape: [] },
      program: SUM,
      start: 0,
      reduce,
      args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides }, clampRange: "sum" }],
    } satisfies FoldKernel,
    [{ dtype: "f32", shape: [1] }],
    "a fold",
  );

const view = (stride: number, extent: number): void => {
  const bounds: [number, number][] = [[0, 0]];
  checkKernel(
    {
      kind: "map",
      type: { dtype: "f32", shape: [extent] },
      program: { inputs: ["f"], floats: [], ints: [], steps: [] },
      args: [
        { kind: "operand", tensor: 0, view: { offset: 0, strides: [stride], bounds, fill: 0 }, clampRange: "none" },
      ],
    } satisfies MapKernel,
    [{ dtype: "f32", shape: [1] }],
    "a view",
  );
};

const settings = { commitEvery: 1, checkpointEvery: 0, detail: "steps", backend: "wasm" } as const;
const unitOf = (perStep: number): ClosedJob => ({ ...job, unit: { name: "samples", perStep } });

const ITEM = { name: "a name", dtype: "f32", shape: [], tensor: 0 } as const;
const alike = (count: number): (typeof ITEM)[] => Array.from({ length: count }, () => ITEM);
/** Passes if the only objection is that two names are alike. */
function counted(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof VerdeError) || error.code !== "VERDE_GRAPH_DUPLICATE") throw error;
  }
}

const PROBES: Readonly<Record<string, [limit: number, probe: Probe]>> = {
  "inputs of a scalar program": [8, (n) => checkProgram(programOf({ inputs: n, steps: n }))],
  "inputs, constants and instructions of a scalar program": [
    256,
    (n) => checkProgram(programOf({ ints: 100, steps: n - 100 })),
  ],
  "float constants, int constants, instructions, each": [255, (n) => checkProgram(programOf({ ints: 1, steps: n }))],
  "axes of a tensor": [8, (n) => checkShape(new Array<number>(n).fill(1), "a tensor")],
  "elements of a tensor": [2 ** 31 - 1, (n) => checkShape([n], "a tensor")],
  "an extent, where another extent is 0": [2 ** 32 - 1, (n) => checkShape([n, 0], "a tensor")],
  "axes of a fold, beside those of its output": [
    8,
    (n) => fold(new Array<number>(n).fill(1), new Array<number>(n).fill(0)),
  ],
  "elements that a fold runs over for one output element": [2 ** 22, (n) => fold([n], [0])],
  "magnitude of an offset, stride or bound of a view": [2 ** 31 - 1, (n) => view(-n, 1)],
  "operators of a graph": [2 ** 20, (n) => checkHeader({ inputs: [], outputs: [], kernelCount: n })],
  // So many have too many names for a test, so the last two are alike: the count is checked before.
  "inputs of a graph": [2 ** 21, (n) => counted(() => checkHeader({ inputs: alike(n), outputs: [], kernelCount: 0 }))],
  "outputs of a graph": [2 ** 20, (n) => counted(() => checkHeader({ inputs: [], outputs: alike(n), kernelCount: 1 }))],
  "bytes of a name": [1_024, (n) => checkName("é".repeat(n / 2) + "x".repeat(n % 2), "a name")],
  "training steps of a job": [2 ** 31 - 1, (n) => checkJob({ ...job, steps: n })],
  "units for each step": [2 ** 53 - 1, (n) => jobId(unitOf(n))],
  "steps between two roots, or between two checkpoints": [
    2 ** 31 - 1,
    (n) => {
      encodeManifest(manifestOf(job, { ...settings, commitEvery: n }));
      encodeManifest(manifestOf(job, { ...settings, checkpointEvery: n }));
    },
  ],
};

const numberOf = (text: string): number => {
  const [, power, rest] = /^2\^(\d+)( - 1)?$/.exec(text) ?? [];
  return power === undefined ? Number(text.replaceAll(",", "")) : 2 ** Number(power) - (rest ? 1 : 0);
};

const spec = readFileSync(new URL("../docs/spec.md", import.meta.url), "utf8");
const table = new Map(
  [...spec.slice(spec.indexOf("## 9. Limits")).matchAll(/^\| (.+) \| (.+) \| ([\d.]+) \|$/gm)].map(([, what, most]) => [
    what,
    numberOf(most),
  ]),
);

test.each(Object.entries(PROBES))("%s", (what, [limit, probe]) => {
  expect(table.get(what)).toBe(limit);
  probe(limit);
  expect(() => probe(limit + 1)).toThrow(VerdeError);
});

test("magnitude of a stride times a coordinate", () => {
  const what = "magnitude of a stride times a coordinate";
  expect(table.get(what)).toBe(2 ** 53 - 1);
  // Read where nothing is outside: the last coordinate of an axis is one below its extent.
  const at = (stride: number, extent: number): void =>
    checkKernel(
      {
        kind: "map",
        type: { dtype: "f32", shape: [extent] },
        program: { inputs: ["f"], floats: [], ints: [], steps: [] },
        args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides: [stride] }, clampRange: "none" }],
      },
      [{ dtype: "f32", shape: [2 ** 31 - 1] }],
      "a view",
    );
  at(1, 2 ** 31 - 1);
  expect(() => at(2 ** 31 - 1, 2 ** 31 - 1)).toThrow("above 2^53");
  expect(() => at(2, 2 ** 31 - 1)).toThrow("of a tensor with");
});

test("bytes of the first record of a trace", () => {
  expect(table.get("bytes of the first record of a trace")).toBe(2 ** 26);
  const manifest = manifestOf(job, settings);
  openingOf(manifest);
  const roots = Array.from({ length: 2_000_000 }, () => manifest.outline.datasetRoots[0] ?? new Uint8Array(32));
  const large = { ...manifest, outline: { ...manifest.outline, datasetRoots: roots as never } };
  expect(() => openingOf(large)).toThrow("at most 67108864");
});

test("bytes of a verdict", async () => {
  expect(table.get("bytes of a verdict")).toBe(2 ** 26);
  const file = openSync(path("v.json"), "w");
  ftruncateSync(file, 2 ** 26 + 1);
  closeSync(file);
  const { code, stderr } = await verdeIn(path("."))(["check", "v.json", "--a", CLAIM, "--b", CLAIM]);
  expect(code).toBe(2);
  expect(stderr).toContain("at most 67108864");
});

test("every row of the table is probed", () => {
  const others = [
    "magnitude of a stride times a coordinate",
    "bytes of the first record of a trace",
    "bytes of a verdict",
  ];
  expect([...table.keys()].sort()).toEqual([...Object.keys(PROBES), ...others].sort());
});
