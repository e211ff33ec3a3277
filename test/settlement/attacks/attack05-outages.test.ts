/**
 * An honest provider whose node fails loses nothing: its defence does not end before the task does. The attacker may cause
 * the failures (it floods the node, it censors, it makes the call first that the honest side is about to make).
 *
 * The longest soak is behind VERDE_SWEEP=1; docs/defence.md has its last result.
 */
import { afterAll, describe, expect, test } from "vitest";
import { HttpRequestError } from "viem";
import { taskManagerAbi } from "../../../src/settlement/abi/task-manager.ts";
import type { ChainSubCode } from "../../../src/errors/chain.ts";
import { ChainError, DisputeError, JobError } from "../../../src/errors/index.ts";
import { type Fate, fateOf, mayBeginLater, OTHER_STATE } from "../../../src/settlement/game/fate.ts";
import { Lanes } from "../../../src/settlement/game/lanes.ts";
import { Backoff } from "../../../src/settlement/transactions/backoff.ts";
import { type Interval, seeded } from "./faulty-node.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { soak, type Soaked, type SoakOptions } from "./soak.ts";

const TIGHT: SoakOptions = {
  seed: 20261129,
  liars: 1,
  nodes: 1,
  pace: { clock: 600, response: 120, recompute: 240 },
  reluctance: 36,
  share: 0.5,
  longest: 60,
  reorganizeEvery: 240,
  seconds: 3_600,
};

/** The honest seat stands, and every liar is out. */
function expectHonestWins({ ended, out }: Soaked, seed: number): void {
  const standing = out.filter((gone) => !gone).length;
  expect({ seed, lost: ended.out, standing }).toEqual({ seed, lost: false, standing: 1 });
}

describe("a defence", () => {
  test("survives a node that is away for five seconds again and again, and a liar that escalates first", async () => {
    // Each outage begins at another point of what the honest side does.
    const away = Array.from({ length: 90 }, (_, i): Interval => ({ kind: "away", from: 17 * i, to: 17 * i + 5 }));
    const soaked = await soak({
      ...TIGHT,
      liars: 2,
      ruled: true,
      frontRun: true,
      schedule: away,
      reorganizeEvery: 0,
    });
    expectHonestWins(soaked, TIGHT.seed);
    expect(soaked.faults).toBeGreaterThan(5);
    // It has not escalated itself, and plays nevertheless.
    expect(soaked.calls).not.toContain("escalate");
    expect(soaked.calls).toContain("move");
    expect(soaked.said.join("\n")).toContain("escalate is refused: the task is Disputed, Playing");
  });

  test("of one dispute that is stuck stops no other of the same claim, and continues when it can", async () => {
    const RESTORED = 400;
    let stuckAt = Infinity;
    const soaked = await soak({
      ...TIGHT,
      liars: 2,
      pace: { clock: 1_200, response: 120, recompute: 240 },
      schedule: [],
      reorganizeEvery: 0,
      equalLies: true,
      // A disk that fails below one operator: the dispute about the new state does not need it.
      impede: (prover, seconds) => ({
        answer: (question) => {
          const isBelow = question.at.some(({ level, index }) => level === "operator" && index === 2);
          if (!isBelow || seconds() >= RESTORED) return prover.answer(question);
          stuckAt = Math.min(stuckAt, seconds());
          throw new Error("EIO: i/o error, read");
        },
        witness: (at) => prover.witness(at),
      }),
    });
    expectHonestWins(soaked, TIGHT.seed);
    const stuck = soaked.said.filter((text) => text.includes("EIO"));
    expect(stuck).toHaveLength(1);
    expect(stuck[0]).toMatch(/^answering in dispute \d: EIO: i\/o error, read; trying again until it works$/);
    expect(soaked.said.filter((text) => /^answering in dispute \d continues$/.test(text))).toHaveLength(1);
    // The other dispute went on meanwhile. Its liar may have proven the step itself.
    expect(soaked.at.filter((at) => at > stuckAt && at < RESTORED).length).toBeGreaterThan(1);
  });

  test("wins with nodes that fail, lag, forge the head, limit requests, and a chain that takes blocks back", async () => {
    const soaked = await soak({ ...TIGHT, nodes: 2, reorganizeEvery: 90 });
    expectHonestWins(soaked, TIGHT.seed);
    expect(soaked.reorganizations).toBeGreaterThan(0);
    expect(soaked.faults).toBeGreaterThan(20);
  });
});

describe.skipIf(process.env.VERDE_SWEEP !== "1")("an hour of simulated time", () => {
  const rows: string[] = [];
  afterAll(() => console.log(rows.join("\n")));
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("seed %i", { timeout: 3_600_000 }, async (seed) => {
    const [liars, nodes] = [1 + (seed % 3), 1 + (seed % 3 === 0 ? 2 : seed % 2)];
    const pace = { clock: 14_400, response: 300, recompute: 600 };
    const long = { reluctance: 1_500, longest: 90, reorganizeEvery: 300, seconds: 28_800 };
    const soaked = await soak({ ...TIGHT, seed, liars, nodes, pace, ...long });
    const { seconds, blocks, reorganizations, faults, calls } = soaked;
    const cells = [seed, liars, nodes, Math.round(seconds / 60), blocks, reorganizations, faults, calls.length];
    expectHonestWins(soaked, seed);
    expect(seconds).toBeGreaterThan(3_600);
    rows.push(`| ${cells.join(" | ")} |`);
  });
});

describe("every error has a fate", () => {
  const refused = (error: string): ChainError => new ChainError("REFUSED", "refused", { error });

  test("a refusal that names another state is none of a fault", () => {
    const names = taskManagerAbi.flatMap((entry) => (entry.type === "error" ? [entry.name as string] : []));
    expect([...OTHER_STATE].filter((name) => !names.includes(name))).toEqual([]);
    for (const name of names) expect(fateOf(refused(name))).toBe(OTHER_STATE.has(name) ? "overtaken" : "stuck");
  });

  /** What each failure of a chain means. Those of other commands, which no defence meets, would be stuck. */
  const FATES = {
    RPC: "stuck",
    UNREACHABLE: "outage",
    TIMEOUT: "outage",
    WRONG_CHAIN: "outage",
    NODES_DIFFER: "outage",
    ANSWER_FALSE: "outage",
    LOGS: "outage",
    CODE_FALSE: "outage",
    CONTRACT_MISSING: "outage",
    CONTRACT_KIND: "outage",
    TASK_MISSING: "overtaken",
    ROUNDS_MISSING: "overtaken",
    SALE_MISSING: "stuck",
    REFUSED: "stuck",
    FAILED: "outage",
    FUNDS: "outage",
    ALLOWANCE: "stuck",
    FEE: "outage",
    BUSY: "stuck",
    OVERTAKEN: "overtaken",
    EARLIER: "stuck",
    STATE: "stuck",
    DONE: "stuck",
    NO_SEAT: "overtaken",
    SEAT_REFUSED: "stuck",
    NO_SECRET: "stuck",
    SEAT_OUT: "stuck",
    COMMITMENT: "stuck",
    NOTHING_DUE: "stuck",
    UNTRUSTED: "stuck",
    POLICY: "stuck",
    UNSUITABLE: "stuck",
    CLOCK: "stuck",
    PORT: "stuck",
    PACKAGE_MISSING: "stuck",
    WALLET: "stuck",
  } as const satisfies Record<ChainSubCode, Fate>;

  test("a failure of a chain", () => {
    const found = Object.keys(FATES).map((code) => [code, fateOf(new ChainError(code as ChainSubCode, ""))]);
    expect(Object.fromEntries(found)).toEqual(FATES);
  });

  test.each([
    [new HttpRequestError({ url: "http://x", details: "fetch failed" }), "outage"],
    [new DisputeError("UNKNOWN", "no such dispute yet"), "overtaken"],
    [new DisputeError("WITNESS_MISSING", "no checkpoint"), "stuck"],
    [new TypeError("a bug"), "stuck"],
    ["a text", "stuck"],
  ] as const)("%s", (error, fate) => {
    expect(fateOf(error)).toBe(fate);
  });

  test("what is wrong from the start is not waited for", () => {
    for (const code of ["WRONG_CHAIN", "CODE_FALSE", "CONTRACT_MISSING", "TASK_MISSING", "NO_SEAT", "BUSY"] as const)
      expect([code, mayBeginLater(new ChainError(code, ""))]).toEqual([code, false]);
    expect(mayBeginLater(new JobError("FOREIGN", ""))).toBe(false);
    for (const code of ["UNREACHABLE", "TIMEOUT", "FAILED", "NODES_DIFFER"] as const)
      expect([code, mayBeginLater(new ChainError(code, ""))]).toEqual([code, true]);
  });
});

describe("pauses", () => {
  test("double up to the cap, and lie between their half and their whole", () => {
    const backoff = new Backoff(1_000, 30_000, seeded(7));
    for (const whole of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
      const pause = backoff.next();
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
      expect(pause).toBeLessThan(whole);
    }
    backoff.succeeded();
    expect(backoff.next()).toBeLessThan(1_000);
    const far = new Backoff(1_000, 30_000, () => 0.5);
    for (let i = 0; i < 5_000; i++) expect(far.next()).toBeLessThanOrEqual(30_000);
    const twice = [1, 2].map(() => new Backoff(1_000, 30_000, seeded(7)).next());
    expect(twice[0]).toBe(twice[1]);
  });

  test("an outage is told once, with each of its reasons, and once when it is over; a moment is not told", async () => {
    const time = new SimulatedTime();
    const said: string[] = [];
    const say = (sentence: string): void => void said.push(sentence);
    const lanes = new Lanes({ clock: time, random: () => 1, firstMillis: 1_000, strict: false, say });
    const fails = (text: string) => lanes.all(() => Promise.reject(new ChainError("FAILED", text)));
    await fails("block 7 is unknown");
    expect(lanes.pause()).toBe(1_000);
    expect(await lanes.all(async () => 1)).toBe(1);
    expect(lanes.pause()).toBeUndefined();
    expect(said).toEqual([]);
    for (let block = 0; block < 5; block++) {
      await fails(`block ${block} is unknown`);
      await time.until(time.sleep(lanes.pause()!));
    }
    await fails("fetch failed");
    await time.until(time.sleep(lanes.pause()!));
    expect(lanes.pause()).toBeUndefined();
    expect(lanes.pause()).toBeUndefined();
    expect(said).toEqual([
      "block 1 is unknown; trying again until it works",
      "fetch failed; trying again until it works",
      "it works again, after 1 m 1 s",
    ]);
  });
});
