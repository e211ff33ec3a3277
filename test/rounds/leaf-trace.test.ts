/** What a leaf keeps while it is computed, and what becomes of it when it is cut off: continued, cut, or begun anew. */
import { decode, encode } from "cborg";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../src/encoding/hash.ts";
import { Reader, toHex, Writer } from "../../src/encoding/bytes.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { DEFAULT as wasm } from "../../src/repops/backends/index.ts";
import type { LeafFault } from "../../src/rounds/fault.ts";
import { type ExecutedLeaf, LeafRunner, type SourceState } from "../../src/rounds/leaf.ts";
import { describeNews, type LeafNews } from "../../src/rounds/leaf-news.ts";
import { type LeafCheckpoints, removeTrace } from "../../src/rounds/leaf-trace.ts";
import { type Plan, sourcesOf } from "../../src/rounds/plan.ts";
import { lockTrace } from "../../src/trace/folder.ts";
import { frame, HEAD, KIND, MAGIC } from "../../src/trace/records.ts";
import { dataFolder } from "../../src/trace/source.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { CUT_STEPS, cutPlan } from "./cut-plan.ts";

const path = temporaryFolder();
const PLACE = { round: 1, seat: 0 };
const FLIP: LeafFault = { kind: "flip", step: 42, operator: 2, element: 0, bit: 22 };
const file = path("rounds/0001/local-0.trace");
const folder = dataFolder(file);
let plan: Plan;
let sources: SourceState[];
let expected: ReturnType<typeof plain>;

/** A machine that stops after so many executions of graphs. */
function stopping(executions: number): Backend {
  let left = executions;
  return {
    ...wasm,
    prepare: async (...given) => {
      const session = await wasm.prepare(...given);
      const execute: typeof session.execute = (...options) => {
        if (left-- <= 0) throw new Error("the machine has stopped");
        return session.execute(...options);
      };
      return new Proxy(session, {
        get: (target, name) => {
          const value: unknown = name === "execute" ? execute : Reflect.get(target, name);
          return typeof value === "function" ? (value as (...given: unknown[]) => unknown).bind(target) : value;
        },
      });
    },
  };
}

interface Tried extends Partial<LeafCheckpoints> {
  backend?: Backend;
  fault?: LeafFault;
  from?: readonly SourceState[];
}

/** With byte arrays of one class, which are compared by their bytes. */
const plain = (leaf: ExecutedLeaf) => ({ ...leaf, job: toHex(leaf.job), start: toHex(leaf.start), end: toHex(leaf.end), roots: leaf.roots.map(toHex) }); // prettier-ignore

/** Executes the leaf with checkpoints. @returns it, and what was said */
async function leaf({ backend = wasm, fault, from = sources, ...checkpoints }: Tried = {}) {
  const runner = new LeafRunner(backend);
  const news: LeafNews[] = [];
  try {
    const own = { file, every: 10, onNews: (each: LeafNews) => void news.push(each), ...checkpoints };
    return { done: plain(await runner.run(plan, PLACE, from, { fault, checkpoints: own })), news };
  } finally {
    await runner.close();
  }
}

/** A leaf that was cut off in step 45 of 300, with states of the steps 30 and 40. */
const cut = (options: Tried = {}) => expect(leaf({ backend: stopping(45), ...options })).rejects.toThrow("has stopped");
const names = (): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
const stateOf = (step: number): string => `${folder}/${names().find((name) => name.startsWith(`stopped-000000${step}`))}`; // prettier-ignore

function flipByte(name: string, at: number): void {
  const bytes = readFileSync(name);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  writeFileSync(name, bytes);
}

beforeAll(async () => {
  plan = await cutPlan();
  const runner = new LeafRunner(wasm);
  sources = [];
  for (const { seat } of sourcesOf(plan, PLACE)) {
    const { roots, state } = await runner.run(plan, { round: 0, seat }, []);
    sources.push({ roots, tensors: state });
  }
  expected = plain(await runner.run(plan, PLACE, sources));
  await runner.close();
});
beforeEach(() => removeTrace(file));

describe("a leaf that was cut off", () => {
  test("continues after its newest state, with the same result, and keeps two states at most", async () => {
    await cut();
    expect(names().map((name) => name.slice(0, 16))).toEqual(["stopped-00000030", "stopped-00000040"]);
    const { done, news } = await leaf();
    expect(done).toEqual(expected);
    expect(news).toEqual([{ kind: "continued", step: 40, steps: CUT_STEPS }]);
    expect(describeNews("local-0", 1, news[0])).toBe("continues local-0 of round 1 at step 40 of 300");
    expect(names().map((name) => name.slice(0, 16))).toEqual(["stopped-00000280", "stopped-00000290"]);
  });

  test("continues again after a second cut", async () => {
    await cut();
    await cut({ every: 7, backend: stopping(30) });
    const { done, news } = await leaf();
    expect(done).toEqual(expected);
    expect(news).toMatchObject([{ kind: "continued", step: 70 }]);
  });

  test("keeps the fault of a drill, which is struck before or after the cut", async () => {
    for (const fault of [FLIP, { ...FLIP, step: 20 }, { ...FLIP, step: 200 }]) {
      await removeTrace(file);
      const { done: whole } = await leaf({ fault, every: 0 });
      expect(whole.end).not.toEqual(expected.end);
      await cut({ fault });
      const { done, news } = await leaf({ fault });
      expect(news).toMatchObject([{ kind: "continued", step: 40 }]);
      expect(done).toEqual(whole);
    }
  });

  test("keeps nothing where its trace could not name the fault, and continues from nothing", async () => {
    for (const fault of [
      { kind: "steps", count: 20 },
      { kind: "message", entry: 0, element: 0, bit: 20 },
    ] as const) {
      await removeTrace(file);
      const { done: whole } = await leaf({ fault, every: 0 });
      await cut({ fault });
      expect(existsSync(file)).toBe(false);
      await cut();
      const { done, news } = await leaf({ fault });
      expect({ done, news }).toEqual({ done: whole, news: [] });
    }
  });
});

describe("a trace that does not fit", () => {
  test("is of another job: the leaf begins anew, and says why", async () => {
    await cut();
    const [first, ...others] = sources;
    const tensors = first.tensors.map((tensor, i) => (i === 0 ? { ...tensor, data: tensor.data.map((x) => x + 1) as typeof tensor.data } : tensor)); // prettier-ignore
    const { tensorRoot } = await import("../../src/encoding/tensor.ts");
    const { done, news } = await leaf({ from: [{ roots: tensors.map(tensorRoot), tensors }, ...others] });
    expect(done.job).not.toEqual(expected.job);
    expect(news).toEqual([{ kind: "anew", why: expect.stringContaining("its trace is of another job") as string }]);
    expect(describeNews("local-0", 1, news[0])).toMatch(/^begins local-0 of round 1 anew: its trace is of another job/);
  });

  test("has another fault, another backend or another version: the leaf begins anew", async () => {
    await cut({ fault: FLIP });
    expect(await leaf()).toEqual({ done: expected, news: [{ kind: "anew", why: "its trace has the fault flip:step=42,operator=2,element=0,bit=22, and not none" }] }); // prettier-ignore
    await removeTrace(file);
    await cut({ backend: { ...stopping(45), name: "other" } });
    expect(await leaf()).toEqual({ done: expected, news: [{ kind: "anew", why: "its trace has the backend other, and not wasm" }] }); // prettier-ignore
    await removeTrace(file);
    await cut();
    const bytes = readFileSync(file);
    const length = new Reader(new Uint8Array(bytes.subarray(MAGIC.length)), file).u32();
    const manifest = decode(
      new Uint8Array(bytes.subarray(MAGIC.length + HEAD, MAGIC.length + HEAD + length)),
    ) as object;
    const { record } = frame(sha256(MAGIC), KIND.manifest, encode({ ...manifest, format: 4 }));
    writeFileSync(file, new Writer().bytes(MAGIC).bytes(record).finish());
    expect(await leaf()).toEqual({ done: expected, news: [{ kind: "anew", why: "another version of Verde has written its trace" }] }); // prettier-ignore
  });

  test("is damaged: the leaf continues after the last state that is whole, and says so", async () => {
    await cut();
    flipByte(stateOf(40), -1);
    const { done, news } = await leaf();
    expect(done).toEqual(expected);
    expect(news).toMatchObject([{ kind: "continued", step: 30, damage: expect.stringContaining("stopped-00000040") as string }]); // prettier-ignore
    expect(describeNews("local-0", 1, news[0])).toMatch(/^continues local-0 of round 1 at step 30 of 300, since .*stopped-00000040.* is not the state/); // prettier-ignore
  });

  test("has a damaged or a cut record: what comes before it counts", async () => {
    await cut();
    const { size } = statSync(file);
    for (const damage of [() => flipByte(file, -40), () => truncateSync(file, size - 3)]) {
      await removeTrace(file);
      await cut();
      damage();
      const { done, news } = await leaf();
      expect(done).toEqual(expected);
      expect(news).toEqual([{ kind: "continued", step: 30, steps: CUT_STEPS, damage: expect.stringMatching(/record 41|ends before step 40/) as string }]); // prettier-ignore
    }
  });

  test("has no whole state, or is garbage: the leaf begins anew", async () => {
    const damages = [
      () => [stateOf(30), stateOf(40)].forEach((state) => flipByte(state, -1)),
      () => flipByte(file, 20),
      () => writeFileSync(file, "no trace"),
      () => writeFileSync(file, ""),
    ];
    for (const damage of damages) {
      await removeTrace(file);
      await cut();
      damage();
      const { done, news } = await leaf();
      expect(done).toEqual(expected);
      expect(news).toMatchObject([{ kind: "anew" }]);
    }
  });
});

describe("the checkpoints of a leaf", () => {
  test("are one a minute by default: a leaf that takes less writes nothing", async () => {
    let now = 0;
    await cut({ every: undefined, now: () => (now += 1_400) });
    expect(names().map((name) => name.slice(0, 16))).toEqual(["stopped-00000043"]);
    await removeTrace(file);
    for (const every of [undefined, 0, CUT_STEPS]) await cut({ every });
    expect(existsSync(file)).toBe(false);
    expect(await leaf({ every: CUT_STEPS })).toEqual({ done: expected, news: [] });
    expect(existsSync(folder)).toBe(false);
  });

  test("take a tenth of the time at most", async () => {
    let now = 0;
    // Every look at the clock takes a minute: a checkpoint takes one, and the first two.
    await cut({ every: undefined, now: () => (now += 60_000) });
    expect(names().map((name) => name.slice(0, 16))).toEqual(["stopped-00000028", "stopped-00000037"]);
  });

  test("remove what earlier leaves of the seat have left", async () => {
    const left = path("rounds/0000/local-0.trace");
    await cut({ file: left });
    expect(existsSync(left)).toBe(true);
    await cut({ earlier: () => [left] });
    expect([existsSync(left), existsSync(dataFolder(left)), existsSync(file)]).toEqual([false, false, true]);
  });

  test("that can't be written cost the leaf nothing else", async () => {
    writeFileSync(path("no-folder"), "");
    const { done, news } = await leaf({ file: path("no-folder/0001/local-0.trace") });
    expect(done).toEqual(expected);
    expect(news).toMatchObject([{ kind: "unkept", why: expect.stringContaining("no-folder") as string }]);
  });

  test("wait for another process that has the trace, and do without them in the end", async () => {
    await cut();
    const locks = await lockTrace(file);
    const release = (): void => locks.forEach((lock) => lock.release());
    const said: LeafNews[] = [];
    const { done } = await leaf({
      onNews: (news) => {
        said.push(news);
        if (news.kind === "waiting") release();
      },
    });
    expect(done).toEqual(expected);
    expect(said).toMatchObject([{ kind: "waiting", why: expect.stringContaining("is being written by") as string }, { kind: "continued", step: 40 }]); // prettier-ignore
    await removeTrace(file);
    await cut();
    const again = await lockTrace(file);
    let now = 0;
    const { done: alone, news } = await leaf({ now: () => (now += 40_000) });
    again.forEach((lock) => lock.release());
    expect(alone).toEqual(expected);
    expect(news.map(({ kind }) => kind)).toEqual(["waiting", "unkept"]);
  });
});
