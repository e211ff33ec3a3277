/** One job over several workers: the same bits, whoever computes a shard, and whatever a worker does. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { byteLength } from "../../src/encoding/tensor.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import type { WorkerAddress } from "../../src/shards/channel.ts";
import { ShardPlan } from "../../src/shards/plan.ts";
import { run, type RunOptions, type RunResult } from "../../src/trace/run.ts";
import { openTrace } from "../../src/trace/index.ts";
import cut from "../fixtures/cut.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { type Ran, runWith as runJobWith, workerHere } from "./workers.ts";

const at = temporaryFolder();
const job = await cut.close();
const plain = await run(job, { backend: wasm });
const runWith = (...args: Tail<Parameters<typeof runJobWith>>): Promise<Ran> => runJobWith(job, ...args);
type Tail<List> = List extends [unknown, ...infer Rest] ? Rest : never;

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `w${i}`);
const sameRun = (result: RunResult): void => {
  expect(toHex(result.runRoot)).toBe(toHex(plain.runRoot));
  expect(result.metrics).toEqual(plain.metrics);
};

describe("the same bits", () => {
  test.each([0, 1, 2, 3, 5])("with %s workers", async (count) => {
    const { result, summary, said } = await runWith(names(count).map((name) => workerHere(name)));
    sameRun(result);
    expect(said).toEqual([]);
    const shards = summary.workers.map((worker) => worker.shards);
    expect(shards.reduce((sum, each) => sum + each, summary.own)).toBe(4 * job.steps);
    expect(shards).toEqual({ 0: [], 1: [20], 2: [10, 10], 3: [5, 5, 10], 5: [0, 5, 5, 5, 5] }[count]);
    expect(result.noted).toEqual(plain.noted);
  });

  test("on the reference", async () =>
    sameRun((await runWith([workerHere("a"), workerHere("b")], { on: reference })).result));

  test("and the same trace, byte for byte, with the roots of all operators", async () => {
    const backend = wasm;
    const options: RunOptions = { detail: "operators", backend };
    await run(job, { ...options, out: at("alone.trace") });
    await runWith([workerHere("a"), workerHere("b")], {}, { ...options, out: at("crew.trace") });
    const [a, b] = await Promise.all(["alone.trace", "crew.trace"].map((name) => openTrace(at(name))));
    expect(toHex(b.runRoot!)).toBe(toHex(a.runRoot!));
    expect(await readFile(at("crew.trace"))).toEqual(await readFile(at("alone.trace")));
  });
});

describe("state that a worker has", () => {
  test("is sent once, and then what has changed", async () => {
    const { summary } = await runWith([workerHere("a")]);
    const [{ bytesSent, bytesReceived }] = summary.workers;
    const plan = new ShardPlan(job);
    const down = plan.entryTypes.reduce((sum, type) => sum + byteLength(type), 0);
    const up = plan.outputBytes([0, 1, 2, 3]);
    // The job is sent once. Beside the tensors there are some hundred bytes in each message.
    expect(bytesReceived).toBeGreaterThan(up * job.steps);
    expect(bytesReceived).toBeLessThan((up + 400) * job.steps);
    expect(bytesSent).toBeLessThan((down + 400) * job.steps + 200_000);
  });

  test("is refused when it is another one, and sent anew", async () => {
    const worker = workerHere("a");
    let tasks = 0;
    const forgets = workerHere("b", {
      // The worker is started anew in the third step, and has nothing.
      between: async (message, pass) => (++tasks === 4 ? worker.service.replyTo(message) : pass(message)),
    });
    const { result, summary, said } = await runWith([forgets]);
    sameRun(result);
    expect(said).toEqual([]);
    expect(summary.workers[0].failures).toBe(0);
  });
});

describe("a worker that fails", () => {
  const failing = {
    "ends in a step": () => Promise.reject(new Error("socket hang up")),
    "answers nothing": async () => new Uint8Array(0),
    "answers garbage": async () => Uint8Array.from({ length: 300 }, (_, i) => (i * 73) % 256),
    "answers with a huge frame": async () => new Uint8Array(2 ** 22),
  };
  test.each(Object.entries(failing))("and %s is replaced within the step", async (_, answer) => {
    let messages = 0;
    const bad = workerHere("bad", { between: (message, pass) => (++messages > 3 ? answer() : pass(message)) });
    const { result, summary, said } = await runWith([bad, workerHere("good")]);
    sameRun(result);
    expect(said[0]).toMatch(
      /^verde: training step 3: worker bad does not answer for shards 0, 1 \(.+\); others compute it$/,
    );
    expect(summary.workers[0].failures).toBeGreaterThan(0);
    expect(summary.workers[1].shards).toBeGreaterThan(10);
    expect(summary.lies).toEqual([]);
  });

  test("and stalls is replaced when its time is over", async () => {
    let messages = 0;
    const stalls = (): Promise<never> => new Promise(() => undefined);
    const bad = workerHere("bad", { between: (message, pass) => (++messages > 3 ? stalls() : pass(message)) });
    const { result, summary, said } = await runWith([bad], { timeout: 4000 });
    sameRun(result);
    expect(summary.workers[0].failures).toBeGreaterThan(0);
    expect(summary.own).toBeGreaterThan(0);
    expect(said[0]).toContain("no answer within 4 s");
  });

  test("and is the last one leaves its work to the coordinator, and is asked again later", async () => {
    let messages = 0;
    const away = workerHere("away", {
      between: (message, pass) => (++messages === 3 ? Promise.reject(new Error("gone")) : pass(message)),
    });
    const { result, summary } = await runWith([away]);
    sameRun(result);
    // Away in step 2, left out in step 3, back in step 4.
    expect(summary).toMatchObject({ own: 8, workers: [{ shards: 12, failures: 1 }] });
  });

  test("and sends numbers that are none is refused", async () => {
    const bad = workerHere("bad", {
      between: async (message, pass) => {
        const reply = Uint8Array.from(await pass(message));
        // A NaN in the first output.
        if (reply.length > 200) reply.set([0, 0, 0xc0, 0x7f], 9 + 36 + 4);
        return reply;
      },
    });
    const { result, said } = await runWith([bad, workerHere("good")]);
    sameRun(result);
    expect(said[0]).toContain("which is not a vf32");
  });

  test("before the first step is an error, if no other one answers", async () => {
    const away: WorkerAddress = { name: "away", connect: () => Promise.reject(new Error("connection refused")) };
    await expect(runWith([away])).rejects.toThrow("none of the workers can be used (away: connection refused)");
    const { result, said } = await runWith([away, workerHere("b")]);
    sameRun(result);
    expect(said[0]).toBe("verde: worker away: connection refused; the others compute its shards");
  });
});

describe("a worker that lies", () => {
  const label = "shard 2/layer/matmul";
  const operator = job.step.labels.indexOf(label);
  const fault = { kind: "flip", step: 3, operator, element: 4, bit: 20 } as const;

  test("is named with the step, the shard and the operator, and the run has the right bits", async () => {
    expect(operator).toBeGreaterThan(0);
    const { result, summary, said } = await runWith([workerHere("a"), workerHere("liar", { fault })], { checked: 1 });
    sameRun(result);
    expect(summary.lies).toEqual([
      expect.objectContaining({ worker: "liar", step: 3, shard: 2, operator, label, unchecked: 0 }),
    ]);
    expect(summary.suspect).toBe(0);
    expect(summary.workers[1]).toMatchObject({ lied: true, shards: 6 });
    expect(said).toEqual([
      expect.stringContaining(`worker liar gave a wrong result for shard 2: operator ${operator} (${label})`),
    ]);
  });

  test("and does not stand by its lie is named with what it sent", async () => {
    let messages = 0;
    const liar = workerHere("liar", {
      between: async (message, pass) => {
        const reply = Uint8Array.from(await pass(message));
        // One bit of the first output, once.
        if (++messages === 2) reply[9 + 36 + 1] ^= 1;
        return reply;
      },
    });
    const { result, summary } = await runWith([liar], { checked: 1 });
    sameRun(result);
    const [first] = new ShardPlan(job).outputs[0];
    const sent = first - job.step.inputs.length;
    expect(summary.lies).toMatchObject([{ step: 1, shard: 0, operator: sent, label: job.step.labels[sent] }]);
  });

  test("is found by a draw, and what was not drawn before is said", async () => {
    const seen: number[] = [];
    // Nothing is drawn in the first two steps, and everything from the third on.
    const draw = (): number => (seen.push(0) > 8 ? 0 : 0.99);
    const workers = [workerHere("a"), workerHere("liar", { fault })];
    const { result, summary } = await runWith(workers, { checked: 0.5, draw });
    sameRun(result);
    expect(summary.lies).toMatchObject([{ worker: "liar", step: 3, shard: 2, unchecked: 4 }]);
    expect(summary.suspect).toBe(4);
    expect(summary.workers[0].checked).toBe(10);
  });

  test("and is not found makes another run", async () => {
    const { result, summary } = await runWith([workerHere("liar", { fault })]);
    expect(summary.lies).toEqual([]);
    expect(toHex(result.runRoot)).not.toBe(toHex(plain.runRoot));
  });

  test("that numbers have diverged does not stop the run", async () => {
    const bits = { kind: "flip", step: 3, operator, element: 2, bit: 30 } as const;
    // Nothing is drawn, but what would stop a run is computed again.
    const { result, summary } = await runWith([workerHere("a"), workerHere("liar", { fault: bits })]);
    sameRun(result);
    expect(summary.lies).toMatchObject([{ worker: "liar", step: 3, shard: 2, operator, label }]);
  });
});

describe("whatever happens to workers", () => {
  /** Numbers from 0 to 1 that follow from a seed. */
  const randomOf = (seed: number) => {
    let state = seed;
    return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  };
  const seeds = Array.from({ length: process.env.VERDE_SWEEP === "1" ? 60 : 4 }, (_, i) => i + 1);

  test.each(seeds)("the run has the same root, with seed %s", async (seed) => {
    const random = randomOf(seed);
    const workers = names(1 + Math.floor(5 * random())).map((name) =>
      workerHere(name, {
        between: async (message, pass) => {
          const what = random();
          if (what < 0.1) throw new Error("gone");
          const reply = Uint8Array.from(await pass(message));
          // A cut, a changed byte anywhere, or more than there should be.
          if (what < 0.2) return reply.subarray(0, Math.floor(random() * reply.length));
          if (what < 0.3) reply[Math.floor(random() * reply.length)] ^= 1 << Math.floor(8 * random());
          if (what < 0.35) return Uint8Array.from([...reply, 0]);
          return reply;
        },
      }),
    );
    // One that does its work, so that the others may fail from the beginning.
    const { result, summary } = await runWith([...workers, workerHere("good")], { checked: 1 });
    sameRun(result);
    expect(summary.suspect, `seed ${seed}`).toBe(0);
  });
});
