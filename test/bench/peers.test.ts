/** The comparisons of `verde bench --peers`: that both sides do the same work, and what is said where they don't. */
import { describe, expect, test } from "vitest";
import { compare } from "../../bench/peers/compare.ts";
import { Contender, Unable } from "../../bench/peers/contender.ts";
import { ours } from "../../bench/peers/contenders.ts";
import { element, places, type Task } from "../../bench/peers/tasks.ts";

const GPT = { kind: "gpt", layers: 1, heads: 2, dim: 16, context: 8, batch: 2, vocabulary: 32 } as const;
const TASKS: readonly Task[] = [
  ...(["", "a", "b"] as const).map(
    (transpose) => ({ kind: "product", batch: 1, m: 3, n: 5, k: 7, transpose }) as const,
  ),
  { kind: "product", batch: 2, m: 3, n: 5, k: 7, transpose: "b" },
  ...(["softmax", "layer norm", "GELU", "cross-entropy"] as const).map(
    (operator) => ({ kind: "operator", operator, rows: 4, columns: 8, gradient: true }) as const,
  ),
  { kind: "adamw", elements: 2048 },
  { ...GPT, trace: "every" },
];

/** A process that greets, and answers each question by a rule in JavaScript. */
const fake = (answer: string): Promise<Contender> => {
  const lines = `import("node:readline").then(({ createInterface }) => {
    console.log(JSON.stringify({ name: "Fake 1", threads: 1 }));
    createInterface({ input: process.stdin }).on("line", (line) => {
      const question = JSON.parse(line);
      console.log(JSON.stringify(${answer}));
    });
  });`;
  return Contender.start({ name: "fake", command: process.execPath, args: ["-e", lines], env: process.env });
};

/** One contender of Verde and a fake one, until the work is done. */
async function against<T>(answer: string, work: (mine: Contender, peer: Contender) => Promise<T>): Promise<T> {
  const [mine, peer] = [await Contender.start(ours("wasm", 1)), await fake(answer)];
  try {
    return await work(mine, peer);
  } finally {
    await mine.close();
    await peer.close();
  }
}

const product = (m: number, n: number, k: number): Task => ({ kind: "product", batch: 1, m, n, k, transpose: "" });

describe("a contender", () => {
  test("does every task, and the same each time", async () => {
    const [a, b] = [await Contender.start(ours("wasm", 1)), await Contender.start(ours("reference", 1))];
    try {
      for (const task of TASKS) {
        const { check } = await a.prepare(task);
        expect(check.length, JSON.stringify(task)).toBeGreaterThan(0);
        expect(check.every(Number.isFinite), JSON.stringify(task)).toBe(true);
        // The same bits, as everywhere in Verde.
        expect(await b.prepare(task), JSON.stringify(task)).toEqual({ check });
        expect(await a.time(1)).toBeGreaterThanOrEqual(0);
      }
      expect(await a.peak()).toBeGreaterThan(2 ** 20);
    } finally {
      await a.close();
      await b.close();
    }
  });

  test("updates the weights that its peers update", async () => {
    const elements = 2048;
    const mine = await Contender.start(ours("wasm", 1));
    const { check } = await mine.prepare({ kind: "adamw", elements });
    await mine.close();
    const updated = places(elements).map((i) => {
      const [w, m, g] = [element(i, 1), 0.1 * element(i, 2), element(i, 4)];
      const size = Math.sqrt(0.99 * 0.01 + 0.01 * g * g) + 1e-8;
      return w * (1 - 1e-3 * 0.01) - (1e-3 * (0.9 * m + 0.1 * g)) / size;
    });
    for (const [i, value] of updated.entries()) expect(Math.abs(check[i] - value)).toBeLessThan(1e-6);
  });

  test("multiplies the operands that its peers multiply", async () => {
    const mine = await Contender.start(ours("wasm", 1));
    const { check } = await mine.prepare(product(2, 2, 3));
    await mine.close();
    const cell = (i: number, j: number): number =>
      [0, 1, 2].reduce((sum, k) => sum + element(3 * i + k, 1) * element(2 * k + j, 2), 0);
    for (const [at, [i, j]] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ].entries())
      expect(check[at]).toBeCloseTo(cell(i, j), 6);
  });

  test("gives no answer to a task that it can't do, and says why", async () => {
    const mine = await Contender.start(ours("wasm", 1));
    const large = product(2 ** 15, 2 ** 15, 2);
    await expect(mine.prepare(large)).rejects.toThrow(Unable);
    expect((await mine.prepare(product(2, 2, 2))).check).toHaveLength(4);
    await mine.close();
    const missing = { name: "missing", command: "/nowhere/python3", args: [], env: {} };
    await expect(Contender.start(missing)).rejects.toThrow(Unable);
    await expect(fake("process.exit(7)").then((one) => one.time(1))).rejects.toThrow("has ended");
  });
});

describe("a comparison", () => {
  test("has the fields that are documented, and a ratio above 1 where ours is better", async () => {
    const {
      ratio,
      spread,
      ours: mine,
      peer,
      ...rest
    } = await against("question.prepare ? { check: [0.25] } : { millis: 1e6 }", (a, b) =>
      compare(a, b, { task: product(1, 1, 1), peerTask: product(1, 1, 1), pairs: 3 }, 1),
    );
    expect(rest).toEqual({ name: "product 1x1x1", peerName: "Fake 1", unit: "GFLOP/s", threads: 1 });
    expect(ratio).toBeGreaterThan(1);
    expect(mine).toBeGreaterThan(peer);
    expect(spread[0]).toBeLessThanOrEqual(ratio);
    expect(spread[1]).toBeGreaterThanOrEqual(ratio);
  });

  test("is refused where the peer has other results, or none", async () => {
    for (const check of ["[1, 2, 3, 4]", "[]", "[null, null, null, null]"])
      await expect(
        against(`question.prepare ? { check: ${check} } : { millis: 1 }`, (a, b) =>
          compare(a, b, { task: product(2, 2, 2), pairs: 1 }, 1),
        ),
      ).rejects.toThrow(/the same work|are compared with/);
  });

  test("is left out where the peer says that it can't", async () =>
    expect(
      against('{ unable: "not here" }', (a, b) => compare(a, b, { task: product(2, 2, 2), pairs: 1 }, 1)),
    ).rejects.toThrow(Unable));
});
