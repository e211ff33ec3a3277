/**
 * The PTX that the CUDA backend emits, without a GPU: what stands in it, whether NVIDIA's assembler takes it,
 * and whether it computes the bits of the reference. `VERDE_SWEEP=1` takes everything, the gate a sample.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { certify } from "../../src/certify/certify.ts";
import { loadJob } from "../../src/job/load.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { Plan } from "../../src/repops/backends/cuda/plan.ts";
import { type Entry, moduleText } from "../../src/repops/backends/cuda/ptx.ts";
import { TILES } from "../../src/repops/backends/cuda/tile.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { Execution } from "../../src/trace/execution.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { vectorsFor } from "../gpu/vectors.ts";
import { words } from "../../src/repops/conformance/data.ts";
import { conformanceSuite, sessionSuite } from "../repops/backends/conformance.ts";
import { expectViewProducts } from "../repops/backends/view-products-suite.ts";
import type { Case } from "../repops/kernels.ts";
import { checkNotes } from "../repops/notes.ts";
import { foreign } from "./allowed.ts";
import { ofJob, ofProducts, ofRandomKernels, ofRows, ofTheBackend, ofVectors } from "./emitted.ts";
import { interpreted } from "./interpreted.ts";
import { ROW_FOLDS } from "./rows.ts";
import { assemble, hasPtxas, PROCESSORS } from "./ptxas.ts";

const SEED = 20261129;
const ALL = process.env.VERDE_SWEEP !== undefined;
const GPT = { layers: 1, dim: 32, heads: 2, context: 16, batch: 2, dropout: 0.1, steps: 2 };
const TINY = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, seed: 3, steps: 10 };

/** The kernels of everything that is named, each once. */
async function everyEntry(): Promise<Entry[]> {
  const jobs = [await ofJob("char-gpt", GPT), await ofJob("digits-convnet", { steps: 2 })];
  const all = [...jobs, ofVectors(), ofProducts(), ofRows(), ofTheBackend()].flat();
  return [...new Map(all.map((entry) => [entry.code, entry])).values()];
}

const sample = <T>(all: readonly T[], count: number): T[] => {
  const next = words(SEED);
  return ALL ? [...all] : Array.from({ length: count }, () => all[next() % all.length]);
};

const entries = await everyEntry();
/** Products, and folds along rows: what goes through shared memory, and has loops that should touch no other. */
const isTiled = ({ code }: Entry): boolean => code.includes("bar.sync");

describe("emitted PTX", () => {
  test("has no instruction but the allowed ones", () => {
    expect(entries.length).toBeGreaterThan(300);
    expect(foreign(moduleText([...entries, ...ofRandomKernels(SEED, 200)]))).toEqual([]);
  });

  test("would show a foreign instruction", () => {
    for (const line of [
      "fma.rn.f32 %f0, %f1, %f2, %f3;",
      "mad.lo.s32 %r0, %r1, %r2, %r3;",
      "div.approx.f32 %f0, %f1, %f2;",
      "add.rn.ftz.f32 %f0, %f1, %f2;",
      "add.f32 %f0, %f1, %f2;",
      "mul.f32 %f0, %f1, %f2;",
      "add.rn.f32 %f0, %f1, x;",
      "// a comment",
    ])
      expect(foreign(line)).toEqual([line]);
    expect(foreign("@!%p1 add.rn.f32 %f0, %f1, 0f00000000;")).toEqual([]);
  });

  const path = temporaryFolder();
  test.runIf(hasPtxas())(
    "is assembled for every processor, and no tile needs more registers than there are",
    async () => {
      const [tiled, others] = [entries.filter(isTiled), entries.filter((entry) => !isTiled(entry))];
      const chosen = [...new Set([...sample(tiled, 6), ...sample(others, 12)])];
      const found = await Promise.all(PROCESSORS.map((processor) => assemble(chosen, processor, path("."))));
      for (const [i, { errors, spilled, registers }] of found.entries()) {
        expect(errors, PROCESSORS[i]).toBe("");
        expect(registers).toHaveLength(chosen.length);
        const moved = chosen.flatMap((entry, j) =>
          isTiled(entry) && spilled[j] > 0 ? [entry.code.slice(0, 2000)] : [],
        );
        expect(moved, PROCESSORS[i]).toEqual([]);
      }
    },
    ALL ? 3_600_000 : undefined,
  );

  test(`has the digests of the conformance vectors${ALL ? "" : ", a share of them"}`, async () => {
    const cases = ALL ? vectorsFor(1) : sample(vectorsFor(1), 12);
    const results = await certify(interpreted(), cases);
    expect(results.filter(({ conforms }) => !conforms)).toEqual([]);
  });

  test("reads rows in tiles with the reference's bits and notes, whatever their number and length", async () => {
    const found = async (backend: Backend, { list, inputs }: Case) => {
      const session = await backend.prepare(list, { keep: [inputs.length] });
      for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
      const { noted } = await session.execute();
      const { data } = await session.read(inputs.length);
      await session.close();
      return { noted, words: [...new Uint32Array(data.buffer, data.byteOffset, data.length)] };
    };
    for (const one of ROW_FOLDS)
      expect(await found(interpreted(), one), JSON.stringify(one.list.kernels)).toEqual(await found(reference, one));
    // One that is too short for a tile is read by each thread alone.
    const tiled = ROW_FOLDS.filter(({ list, inputs }) =>
      new Plan(list, [inputs.length], "fused").entries.some(isTiled),
    );
    expect([ROW_FOLDS.length, tiled.length]).toEqual([122, 96]);
    // So are the rows of a GPT's step: softmax and norms, forward and backward.
    expect((await ofJob("char-gpt", GPT)).filter((entry) => isTiled(entry) && entry.code.includes("shared"))).not.toEqual([]); // prettier-ignore
  });
});

const backends: readonly Backend[] = [
  interpreted(),
  ...TILES.map((tile) => interpreted({ name: `interpreted, ${tile.rows}×${tile.columns}`, tiles: [tile] })),
];

const counts = ALL ? { kernels: 600, products: 200 } : { kernels: 30, products: 12 };
conformanceSuite(backends[0], counts);
test.each(backends.slice(1))("products of views, $name", (backend) => expectViewProducts(backend, ALL ? 1 : 17));
sessionSuite([interpreted({ mode: "watched" })], 3000);

test("notes saturations and operands outside of a domain", () => checkNotes(backends[0]));

test.each(["fused", "watched"] as const)("ten steps of a GPT have WASM's roots, %s", async (mode) => {
  const job = await loadJob(fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url)), TINY);
  const roots = async (backend: Backend): Promise<string[]> => {
    const execution = await Execution.open(job, backend);
    await execution.initialise();
    const found = [toHex(await execution.stateRoot())];
    for (let step = 0; step < (ALL || mode === "fused" ? TINY.steps : 2); step++) {
      await execution.advance();
      found.push(toHex(await execution.stateRoot()));
    }
    await execution.close();
    return found;
  };
  expect(await roots(interpreted({ mode }))).toEqual(await roots(wasm));
});
