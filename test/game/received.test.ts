import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newTally, play } from "../../src/game/play.ts";
import { MAX_REASON, plainText, receive, receivedBytes } from "../../src/game/received.ts";
import type { Pair, Side } from "../../src/game/level.ts";
import type { Prover } from "../../src/game/prover.ts";
import { counterClaim, counterMachine, counterProver } from "./counter.ts";
import { everyMischief, mischief, type Mischief, spoilt } from "./hostile.ts";

const SHAPE = [5, 3];
const HONEST = Array.from({ length: 15 }, (_, i) => i + 1);
const LIE = HONEST.map((value, i) => (i < 7 ? value : value + 100));

/** A liar whose answer to question `at` is spoilt, against an honest party. */
async function playAgainst(kind: Mischief, at: number, side: Side, together: boolean) {
  const values = side === 0 ? [LIE, HONEST] : [HONEST, LIE];
  const [a, b] = [counterProver(SHAPE, values[0]), counterProver(SHAPE, values[1])];
  let asked = 0;
  const liar = side === 0 ? a : b;
  const hostile: Prover<never> = {
    witness: async () => undefined,
    answer: ((put) => {
      const answer = liar.answer(put);
      return asked++ === at ? answer.then((honest) => spoilt(honest, kind)) : answer;
    }) as Prover<never>["answer"],
  };
  const provers: Pair<Prover<never>> = side === 0 ? [hostile, b] : [a, hostile];
  const claims = [counterClaim(SHAPE, values[0]), counterClaim(SHAPE, values[1])] as const;
  return play(counterMachine(SHAPE), provers, claims, newTally(), { timeout: 30, together });
}

describe("a game with a hostile prover", () => {
  it("ends with its forfeit, and tells why, whatever it gives instead of an answer", async () => {
    for (const kind of everyMischief)
      for (const together of [false, true]) {
        const end = await playAgainst(kind, 1, 1, together);
        if (end.phase !== "forfeit") throw new Error(`${kind.name} passed`);
        expect(end.reasons[0], kind.name).toBeUndefined();
        expect(end.reasons[1]!.length, kind.name).toBeGreaterThan(1);
        expect(end.reasons[1]!.length, kind.name).toBeLessThanOrEqual(MAX_REASON);
        expect(end.reasons[1], kind.name).not.toMatch(/\p{Cc}/u);
      }
  });

  it("never blames the other party, wherever a value is wrong", async () => {
    await fc.assert(
      fc.asyncProperty(
        mischief,
        fc.nat(8),
        fc.constantFrom<Side>(0, 1),
        fc.boolean(),
        async (kind, at, side, together) => {
          const end = await playAgainst(kind, at, side, together);
          if (end.phase === "forfeit") expect(end.reasons[1 - side]).toBeUndefined();
        },
      ),
      { seed: 20261128, numRuns: 300 },
    );
  });

  it("ends although the prover has no methods, or throws at once", async () => {
    const honest = counterProver(SHAPE, HONEST);
    const claims = [counterClaim(SHAPE, HONEST), counterClaim(SHAPE, LIE)] as const;
    for (const prover of [
      {},
      { answer: null },
      {
        answer: () => {
          throw new Error("at once");
        },
      },
    ]) {
      // prettier-ignore
      const end = await play(counterMachine(SHAPE), [honest, prover as never], claims, newTally());
      expect(end).toMatchObject({ phase: "forfeit", reasons: [undefined, expect.any(String)] });
    }
  });

  it("takes a lie for what it is: a contradiction, not an accident", async () => {
    const honest = counterProver(SHAPE, HONEST);
    const claims = [counterClaim(SHAPE, HONEST), counterClaim(SHAPE, LIE)] as const;
    const end = await play(counterMachine(SHAPE), [honest, honest], claims, newTally());
    expect(end.phase === "forfeit" && end.reasons[1]).toContain("does not hash to the claim");
  });
});

describe("a copy of what a party gives", () => {
  it("is of the declared class, and does not change with the original", async () => {
    class Mine extends Uint8Array {}
    const own = Mine.of(1, 2, 3);
    const { value } = await receive(
      async () => own,
      (given) => receivedBytes(given, "it", 3),
    );
    own[0] = 9;
    expect(value).toEqual(Uint8Array.of(1, 2, 3));
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
    expect(receivedBytes(new Uint8Array(new SharedArrayBuffer(4)), "it", 4).buffer).toBeInstanceOf(ArrayBuffer);
  });

  it("has a reason without control characters, of a bounded length", () => {
    expect(plainText("a\u001b[31mb\r\nc\u2028d\u202ee")).toBe("a [31mb c d e");
    expect(plainText("\u0000".repeat(1e6) + "x")).toBe("");
    expect(plainText("x".repeat(1e6))).toHaveLength(MAX_REASON);
  });
});
