/**
 * Several threads compute the bits of one. Work is cut as finely as possible here, so that small kernels are
 * dealt out too. Where helpers do all of it, every piece has run on another thread.
 */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import { toHex } from "../../../../src/encoding/bytes.ts";
import { chunkTree, type Tensor, tensorRoot } from "../../../../src/encoding/tensor.ts";
import { rootOf } from "../../../../src/encoding/merkle.ts";
import { loadJob } from "../../../../src/job/load.ts";
import type { Backend } from "../../../../src/repops/backends/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { setThreads, threads } from "../../../../src/repops/backends/threads.ts";
import { wasm, wasmWith } from "../../../../src/repops/backends/wasm/backend.ts";
import { crewOf } from "../../../../src/repops/backends/wasm/crew.ts";
import type { Dealing } from "../../../../src/repops/backends/wasm/dealing.ts";
import { prepareWasm } from "../../../../src/repops/backends/wasm/session.ts";
import { DOT_STEP, type KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../../src/repops/programs/expressions.ts";
import { run } from "../../../../src/trace/run.ts";
import { inputsOf, lists, operand } from "../../lists.ts";
import { conformanceSuite } from "../conformance.ts";

const SEED = 20261129;
/** Nanoseconds of a piece and of a list: everything is worth dealing out. */
const FINE = { piece: 4, list: 0 } as const;
const fine = (count: number, dealing: Dealing = {}): Backend =>
  wasmWith(`wasm, ${count} threads${dealing.idle ? ", this one idle" : ""}`, {
    dealing: { ...FINE, threads: count, ...dealing },
  });

const COUNTS = process.env.VERDE_SWEEP === undefined ? { kernels: 120, products: 60 } : { kernels: 250, products: 120 };
for (const count of [2, 3, 7]) conformanceSuite(fine(count), COUNTS);
conformanceSuite(fine(3, { idle: true }), COUNTS);

const bits = ({ data }: Tensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);

async function recorded(backend: Backend, list: KernelList, keep: readonly number[]): Promise<unknown> {
  const session = await backend.prepare(list, { keep });
  for (const [i, tensor] of inputsOf(list, SEED).entries()) await session.write(i, tensor);
  const { roots, captured, outOfRange } = await session.execute({ rootsOf: "all", capture: [...list.kernels.keys()] });
  const kept = await Promise.all(keep.map(async (tensor) => bits(await session.read(tensor))));
  const keptRoots = (await session.roots(keep)).map(toHex);
  await session.close();
  return {
    roots: [...roots].map(([kernel, root]) => [kernel, toHex(root)]),
    captured: [...captured].map(([kernel, tensor]) => [kernel, bits(tensor)]),
    outOfRange,
    kept,
    keptRoots,
  };
}

describe("lists of kernels on threads", () => {
  test.each([fine(2), fine(7), fine(2, { idle: true })])("have the reference's bits: $name", (backend) =>
    fc.assert(
      fc.asyncProperty(lists, async ({ list, kept }) => {
        expect(await recorded(backend, list, kept)).toEqual(await recorded(reference, list, kept));
      }),
      { seed: SEED, numRuns: 40 },
    ),
  );

  test("20 steps of the GPT have the same roots on 1, 2, 3 and 7 threads", async () => {
    const tiny = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, seed: 3, steps: 20 };
    const job = await loadJob("examples/char-gpt.ts", tiny);
    const roots = async (backend: Backend): Promise<string[]> => (await run(job, { backend })).segmentRoots.map(toHex);
    const wanted = await roots(fine(1));
    expect(wanted).toHaveLength(21);
    for (const backend of [fine(2), fine(3), fine(7), fine(2, { idle: true }), wasm])
      expect({ backend: backend.name, roots: await roots(backend) }).toEqual({ backend: backend.name, roots: wanted });
  });
});

/**
 * Σ_k a[i, k]·b[k, j], cos-like maps, a gather with rows outside, and an ordered scatter-add, all of some
 * size.
 */
function someOfEach(): { list: KernelList; inputs: Tensor[]; outside: number } {
  const [m, n, k] = [96, 80, 70];
  const random = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.fround(((i * 7919) % 1009) / 505 - 1));
  const index = Int32Array.from({ length: 500 }, (_, i) => ((i * 31) % 104) - 4);
  const inputs: Tensor[] = [
    { dtype: "f32", shape: [m, k], data: random(m * k) },
    { dtype: "f32", shape: [k, n], data: random(k * n) },
    { dtype: "i32", shape: [500], data: index },
  ];
  const type = (...shape: number[]) => ({ dtype: "f32" as const, shape });
  const program = defineProgram("ff", (x, y) => x.mul(y).add(0.5).div(y.abs().add(1)));
  const dot = (tensor: number, strides: number[]) => ({
    ...operand(tensor, { offset: 0, strides }),
    clampRange: "dot" as const,
  });
  const list: KernelList = {
    inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })),
    kernels: [
      {
        kind: "fold",
        type: type(m, n),
        program: DOT_STEP,
        start: 0,
        reduce: [k],
        args: [dot(0, [k, 0, 1]), dot(1, [0, 1, n])],
      },
      {
        kind: "map",
        type: type(m, n),
        program,
        args: [operand(3, { offset: 0, strides: [n, 1] }), operand(3, { offset: 0, strides: [0, 1] })],
      },
      { kind: "gather", type: type(500, n), source: 4, index: 2, fill: 0x3f800000 },
    ],
  };
  return { list, inputs, outside: index.filter((at) => at < 0 || at >= m).length };
}

async function opened(dealing: Dealing): Promise<Awaited<ReturnType<typeof prepareWasm>>> {
  const { list, inputs } = someOfEach();
  const session = await prepareWasm(list, [3, 4, 5], { dealing });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  return session;
}

const { outside } = someOfEach();
const OUTSIDE = [{ kernel: 2, count: outside }];

async function expectRight(session: Awaited<ReturnType<typeof opened>>): Promise<void> {
  const alone = await opened({ threads: 1 });
  expect((await alone.execute()).outOfRange).toEqual(OUTSIDE);
  expect((await session.execute()).outOfRange).toEqual(OUTSIDE);
  for (const tensor of [3, 4, 5]) expect(bits(await session.read(tensor))).toEqual(bits(await alone.read(tensor)));
  expect((await session.roots([3, 4, 5])).map(toHex)).toEqual((await alone.roots([3, 4, 5])).map(toHex));
  await alone.close();
}

describe("helpers", () => {
  test("run what is dealt out, and reads outside are counted over all pieces", async () => {
    const session = await opened({ ...FINE, threads: 3, idle: true });
    await expectRight(session);
    expect(session.helped).toBeGreaterThan(12);
    await session.close();
  });

  test("are not started for small work, or for one thread", async () => {
    const small = await opened({ threads: 4 });
    await expectRight(small);
    expect(small.helped).toBe(0);
    expect(bits(await small.read(3)).buffer).not.toBeInstanceOf(SharedArrayBuffer);
    await small.close();
  });

  test("share sessions that run in turn, and do without those that are closed", async () => {
    const sessions = await Promise.all([2, 3, 4].map((count) => opened({ ...FINE, threads: count, idle: true })));
    for (let round = 0; round < 3; round++) for (const session of sessions) await expectRight(session);
    await sessions[1].close();
    for (const session of [sessions[0], sessions[2]]) {
      await expectRight(session);
      await session.close();
    }
  });

  test("hash large tensors as the specification does", async () => {
    for (const words of [0, 1, 64, 64 * 4 * 9 + 3, 1_000_003]) {
      const type = { dtype: "i32" as const, shape: [words] };
      const tensor = { ...type, data: Int32Array.from({ length: words }, (_, i) => Math.imul(i, 0x9e3779b1)) };
      const session = await prepareWasm({ inputs: [type], kernels: [] }, [], {
        dealing: { ...FINE, threads: 3, idle: true },
      });
      await session.write(0, tensor);
      expect(toHex((await session.roots([0]))[0])).toBe(toHex(tensorRoot(tensor)));
      expect(toHex(rootOf(chunkTree(new Uint8Array(tensor.data.buffer)))).length).toBe(66);
      await session.close();
    }
  });

  test("that end leave the rest to this thread, even if they have taken a call", async () => {
    const crew = crewOf(2)!;
    const session = await opened({ ...FINE, threads: 3, idle: true });
    await expectRight(session);
    // A fork is begun, and nobody is there to finish it: it waits, sees that they have ended, and does it
    // alone.
    for (const helper of crew.helpers) void helper.end();
    await expectRight(session);
    expect(crew.hasEnded).toBe(true);
    const before = session.helped;
    await expectRight(session);
    expect(session.helped).toBe(before);
    await session.close();
    const next = await opened({ ...FINE, threads: 3, idle: true });
    await expectRight(next);
    expect(next.helped).toBeGreaterThan(0);
    await next.close();
  });
});

describe("the number of threads", () => {
  afterAll(() => {
    vi.unstubAllEnvs();
    setThreads(undefined);
  });

  test("is named by the environment or a call, and is a whole number from 1", () => {
    vi.stubEnv("VERDE_THREADS", "5");
    expect(threads()).toBe(5);
    setThreads(2);
    expect(threads()).toBe(2);
    setThreads(undefined);
    for (const wrong of ["0", "1.5", "many", "257"]) {
      vi.stubEnv("VERDE_THREADS", wrong);
      expect(() => threads()).toThrow(`VERDE_THREADS is "${wrong}"; take a whole number from 1 to 256`);
    }
    vi.unstubAllEnvs();
    expect(threads()).toBeGreaterThan(0);
  });
});

test.each(["closed", "forgotten"])("the memory of %s sessions is freed, here and by helpers", (which) => {
  const program = `
    import { prepareWasm } from "./src/repops/backends/wasm/session.ts";
    const type = { dtype: "f32", shape: [2 ** 24] };
    let most = 0;
    for (let i = 0; i < 40; i++) {
      const session = await prepareWasm({ inputs: [type], kernels: [] }, [], { dealing: { threads: 2 } });
      await session.write(0, { ...type, data: new Float32Array(2 ** 24).fill(1) });
      ${which === "closed" ? "await session.close();" : ""}
      await new Promise((resolve) => setTimeout(resolve, 5));
      most = Math.max(most, process.memoryUsage.rss());
    }
    console.log(most);`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  // All 40 at once have 2,560 MiB.
  expect(Number(said) / 2 ** 20).toBeLessThan(1_600);
});

test("a process ends though its helpers still wait for work", () => {
  const program = `
    import { prepareWasm } from "./src/repops/backends/wasm/session.ts";
    const session = await prepareWasm({ inputs: [{ dtype: "f32", shape: [100000] }], kernels: [] }, [], { dealing: { threads: 3, piece: 1, list: 0, idle: true } });
    await session.roots([0]);
    console.log(session.helped > 0);`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(said).toBe("true\n");
});
