import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashLeaf } from "../../src/encoding/merkle.ts";
import { advance, question, startGame } from "../../src/game/bisection.ts";
import { type Answer, checkPassed, type Side } from "../../src/game/level.ts";
import { newTally, play } from "../../src/game/play.ts";
import type { Prover } from "../../src/game/prover.ts";
import { type Question, topOf } from "../../src/game/question.ts";
import { counterClaim, counterMachine, counterProver, firstDivergence, stepOf } from "./counter.ts";

const SEED = { seed: 20261120, numRuns: 150 };

const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
const honestValues = (shape: readonly number[]) =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);

/** A shape, and two sequences of counters that end differently; the first may be honest. */
const dispute = counts.chain((shape) => {
  const honest = honestValues(shape);
  const liar = fc
    .tuple(
      fc.array(fc.tuple(fc.nat(honest.length - 1), fc.integer({ min: 0, max: 999 })), { maxLength: 5 }),
      fc.integer({ min: 1000, max: 2000 }),
    )
    .map(([changes, last]) => {
      const values = [...honest];
      for (const [at, value] of changes) values[at] = value;
      values[values.length - 1] = last;
      return values;
    });
  return fc.tuple(fc.constant(shape), fc.constant(honest), liar, liar, fc.constantFrom<Side>(0, 1));
});

type Alteration = "silent" | "flipped" | "cut" | "doubled" | "empty" | "garbage" | "late";
const alteration = fc.constantFrom<Alteration>("silent", "flipped", "cut", "doubled", "empty", "garbage", "late");

/** Answers like `prover`, except for one question. */
function altered(prover: Prover<never>, at: number, kind: Alteration, asked: Question[]): Prover<never> {
  return {
    witness: prover.witness.bind(prover),
    async answer(put) {
      asked.push(put);
      const answer = await prover.answer(put);
      if (asked.length - 1 !== at || answer === undefined) return answer;
      if (kind === "silent") return undefined;
      if (kind === "late") return new Promise((resolve) => setTimeout(resolve, 40, answer));
      if (kind === "cut") return answer.slice(0, -1).concat(answer.slice(-1).map((part) => part.subarray(1)));
      if (kind === "doubled") return [...answer, ...answer, new Uint8Array(32)];
      if (kind === "empty") return answer.length === 0 ? [new Uint8Array(32)] : [];
      if (kind === "garbage") return "not an answer" as unknown as Answer;
      return answer.length === 0 ? [new Uint8Array(32)] : answer.map((part) => part.map((byte) => byte ^ 1));
    },
  };
}

describe("game", () => {
  it("finds the leftmost divergence of an honest party and a liar, whatever the trees", async () => {
    await fc.assert(
      fc.asyncProperty(dispute, async ([shape, honest, lie, , side]) => {
        const values = side === 0 ? [honest, lie] : [lie, honest];
        const machine = counterMachine(shape);
        const end = await play(
          machine,
          [counterProver(shape, values[0]), counterProver(shape, values[1])],
          [counterClaim(shape, values[0]), counterClaim(shape, values[1])],
          newTally(),
        );
        if (end.phase !== "bottom") throw new Error(`forfeit: ${end.reasons.join()}`);
        const step = stepOf(shape, end.path);
        expect(step).toBe(firstDivergence(shape, honest, lie));
        const claimed = end.path[shape.length - 1].payloads.map((bytes) => new DataView(bytes.buffer).getUint32(0));
        expect(claimed[side]).toBe(step + 1);
        expect(claimed[1 - side]).not.toBe(step + 1);
      }),
      SEED,
    );
  });

  it("finds the leftmost divergence of two liars", async () => {
    await fc.assert(
      fc.asyncProperty(dispute, async ([shape, , a, b]) => {
        fc.pre(a[a.length - 1] !== b[b.length - 1]);
        const provers = [counterProver(shape, a), counterProver(shape, b)] as const;
        const claims = [counterClaim(shape, a), counterClaim(shape, b)] as const;
        const end = await play(counterMachine(shape), provers, claims, newTally());
        expect(end.phase).toBe("bottom");
        expect(stepOf(shape, end.path)).toBe(firstDivergence(shape, a, b));
      }),
      SEED,
    );
  });

  it("leaves a record of each level that is checked without the parties, and refused when altered", async () => {
    await fc.assert(
      fc.asyncProperty(dispute, fc.nat(3), fc.boolean(), async ([shape, honest, lie], depth, left) => {
        const machine = counterMachine(shape);
        const claims = [counterClaim(shape, honest), counterClaim(shape, lie)] as const;
        const provers = [counterProver(shape, honest), counterProver(shape, lie)] as const;
        const { path } = await play(machine, provers, claims, newTally());
        for (const passed of path) expect(checkPassed(passed.level, passed.claims, passed)).toEqual(passed);
        const passed = path[depth % path.length];
        expect(() => checkPassed(passed.level, [passed.claims[1], passed.claims[0]], passed)).toThrow();
        expect(() => checkPassed(passed.level, passed.claims, { ...passed, index: passed.index + 1 })).toThrow();
        const other = left ? 0 : 1;
        const payloads = [passed.payloads[other], passed.payloads[other]] as const;
        expect(() => checkPassed(passed.level, passed.claims, { ...passed, payloads })).toThrow();
      }),
      SEED,
    );
  });

  it("does not accept a divergent leaf that is not the leftmost one", async () => {
    const honest = honestValues([6]);
    const lie = honest.map((value, i) => (i < 2 ? value : value + 100));
    const claims = [counterClaim([6], honest), counterClaim([6], lie)] as const;
    const machine = counterMachine([6]);
    const provers = [counterProver([6], honest), counterProver([6], lie)] as const;
    const { path } = await play(machine, provers, claims, newTally());
    const opening = { kind: "opening", at: [], height: 0, position: 0 } as const;
    const record = async (index: number) => ({
      index,
      openings: [(await provers[0].answer(opening))!, (await provers[1].answer(opening))!] as const,
      payloads: [await leaf(provers[0], index), await leaf(provers[1], index)] as const,
      proofs: [await proof(provers[0], index), await proof(provers[1], index)] as const,
    });
    const leaf = async (prover: Prover<never>, position: number) =>
      (await prover.answer({ ...opening, kind: "payload", position }))![0];
    const node = async (prover: Prover<never>, height: number, position: number) =>
      height === 0
        ? hashLeaf(topOf(machine).tag, await leaf(prover, position))
        : (await prover.answer({ ...opening, kind: "children", height: height + 1, position: position >> 1 }))![
            position & 1
          ];
    const proof = async (prover: Prover<never>, index: number) => [
      await node(prover, 0, index ^ 1),
      await node(prover, 1, (index >> 1) ^ 1),
      await node(prover, 2, 1),
    ];
    expect(path[0].index).toBe(2);
    expect(checkPassed(topOf(machine), claims, await record(2)).index).toBe(2);
    const later = await record(3);
    expect(() => checkPassed(topOf(machine), claims, later)).toThrow("not the leftmost");
  });

  it("makes exactly the party lose that is silent, late, malformed or contradicts itself", async () => {
    await fc.assert(
      fc.asyncProperty(dispute, alteration, fc.nat(40), async ([shape, honest, lie, , side], kind, at) => {
        const asked: Question[] = [];
        const provers = [counterProver(shape, honest), counterProver(shape, lie)] as [Prover<never>, Prover<never>];
        provers[side] = altered(provers[side], at, kind, asked);
        const claims = [counterClaim(shape, honest), counterClaim(shape, lie)] as const;
        const end = await play(counterMachine(shape), provers, claims, newTally(), { timeout: 20 });
        if (asked.length <= at) return void expect(end.phase).toBe("bottom");
        if (end.phase !== "forfeit") throw new Error(`a ${kind} answer to question ${at} passed`);
        expect(end.reasons[side]).toMatch(/answer|hash|wrong length/);
        expect(end.reasons[1 - side]).toBeUndefined();
      }),
      { ...SEED, numRuns: 100 },
    );
  });

  it("makes both lose that are silent at once", async () => {
    const values = [honestValues([4]), [1, 2, 3, 9]];
    const claims = [counterClaim([4], values[0]), counterClaim([4], values[1])] as const;
    const silent: Prover<never> = { answer: async () => undefined, witness: async () => undefined };
    const end = await play(counterMachine([4]), [silent, silent], claims, newTally());
    expect(end.phase === "forfeit" && end.reasons.every((reason) => reason?.startsWith("no answer"))).toBe(true);
  });

  it("does not begin about equal claims", () => {
    const claim = counterClaim([4], honestValues([4]));
    expect(() => startGame(counterMachine([4]), [claim, claim])).toThrow("equal");
  });

  it("asks one question a level of the tree, and counts bytes and rounds", async () => {
    const values = [honestValues([8]), [1, 2, 3, 4, 5, 9, 9, 9]];
    const claims = [counterClaim([8], values[0]), counterClaim([8], values[1])] as const;
    const tally = newTally();
    await play(counterMachine([8]), [counterProver([8], values[0]), counterProver([8], values[1])], claims, tally);
    expect(tally.rounds).toBe(1 + 3 + 1);
    expect(tally.bytes).toBe(2 * (32 + 3 * 64 + 4));
  });

  it("is pure: the same answers to the same state give the same state", async () => {
    const machine = counterMachine([5]);
    const values = [honestValues([5]), [1, 2, 8, 8, 8]];
    const provers = values.map((list) => counterProver([5], list));
    const state = startGame(machine, [counterClaim([5], values[0]), counterClaim([5], values[1])]);
    if (state.phase !== "opening") throw new Error(state.phase);
    const answers = [await provers[0].answer(question(state)), await provers[1].answer(question(state))] as const;
    expect(advance(machine, state, answers)).toEqual(advance(machine, state, answers));
  });
});
