import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashLeaf, hashNode, heightOf, widthAt } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import type { Level, Position } from "../../src/game/level.ts";
import { ClaimProver } from "../../src/game/prover.ts";
import { checkQuestion, type Question, type Tower } from "../../src/game/question.ts";
import { counterMachine, counterProver } from "./counter.ts";

const COUNTS = [5, 3];
const values = Array.from({ length: 15 }, (_, i) => i + 1);
const machine = counterMachine(COUNTS);
const prover = counterProver(COUNTS, values);
const top = { kind: "payload", at: [], height: 0, position: 0 } as const satisfies Question;
const leaf = (index: number, change: object = {}) => ({ level: "level 0", index, part: 0, ...change });
const refused = expect.objectContaining({ code: "VERDE_DISPUTE_PLACE" });

describe("a question", () => {
  it("that names no place is refused with what is wrong, and never answered", async () => {
    const wrong: [Question, string][] = [
      [{ ...top, position: 5 }, "leaf 5 of 5 does not exist"],
      [{ ...top, position: -1 }, "leaf -1 of 5"],
      [{ ...top, position: 0.5 }, "leaf 0.5 of 5"],
      [{ ...top, position: NaN }, "leaf NaN of 5"],
      [{ ...top, height: 1 }, "height 0, not 1"],
      [{ ...top, kind: "opening", height: 1 }, "height 0 and position 0, not 1 and 0"],
      [{ ...top, kind: "opening", position: 1 }, "height 0 and position 0, not 0 and 1"],
      [{ ...top, kind: "children" }, "heights from 1 to 3, not 0"],
      [{ ...top, kind: "children", height: 4 }, "heights from 1 to 3, not 4"],
      [{ ...top, kind: "children", height: 1, position: 3 }, "node 3 of 3 at height 1 does not exist"],
      [{ ...top, kind: "children", height: 1, position: 2 }, "does not have two children"],
      [{ ...top, kind: "constructor" as Question["kind"] }, "no question of the kind constructor"],
      [{ ...top, at: [leaf(5)] }, "number 5 of 5"],
      [{ ...top, at: [leaf(-1)] }, "number -1 of 5"],
      [{ ...top, at: [leaf(2, { part: 1 })] }, "part 1 of 1"],
      [{ ...top, at: [leaf(2, { level: "level 1" })] }, "the level there is level 0"],
      [{ ...top, at: [null] as unknown as Position }, "the level there is level 0"],
      [{ ...top, at: "" as unknown as Position }, "not a list"],
      [{ ...top, at: [leaf(2), leaf(1, { level: "level 1" })] }, "below the bottom"],
      [{ ...top, at: [leaf(2), leaf(1, { level: "level 1" }), leaf(0)] }, "below the bottom"],
    ];
    for (const [question, problem] of wrong) {
      await expect(prover.answer(question), problem).rejects.toThrow(problem);
      await expect(prover.answer(question)).rejects.toEqual(refused);
    }
    await expect(prover.witness([])).rejects.toThrow("opens into a level 0 tree");
    await expect(prover.witness([leaf(2)])).rejects.toThrow("opens into a level 1 tree");
    await expect(prover.witness([leaf(2), leaf(9, { level: "level 1" })])).rejects.toThrow("number 9 of 3");
  });

  it("of any numbers is refused, or answered as the tree there is", async () => {
    const some = fc.oneof({ weight: 12, arbitrary: fc.nat(2) }, fc.constantFrom(-1, 3, 4, 5, 6, NaN, 2 ** 32, 0.5));
    const question = fc.record({
      kind: fc.constantFrom("opening", "children", "payload"),
      at: fc.array(fc.record({ level: fc.constantFrom("level 0", "level 1"), index: some, part: some }), {
        maxLength: 2,
      }),
      height: some,
      position: some,
    }) as fc.Arbitrary<Question>;
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(question, async (asked) => {
        let level: Level;
        try {
          level = checkQuestion(machine, asked);
        } catch (error) {
          expect(error).toEqual(refused);
          await expect(prover.answer(asked)).rejects.toEqual(error);
          return;
        }
        answered++;
        const answer = (await prover.answer(asked))!;
        const from = asked.at.length === 0 ? 0 : 3 * asked.at[0].index;
        const stride = asked.at.length === 0 ? 3 : 1;
        const counter = (index: number) => new DataView(answer[index].buffer).getUint32(0);
        if (asked.kind === "payload") expect(counter(0)).toBe(from + stride * (asked.position + 1));
        if (asked.kind === "children" && asked.height > 1)
          expect(asked.position).toBeLessThan(widthAt(level.count, asked.height));
        if (asked.kind === "children") expect(answer.map(({ length }) => length)).toEqual([32, 32]);
        expect(asked.height).toBeLessThanOrEqual(heightOf(level.count));
      }),
      { seed: 20261120, numRuns: 3000 },
    );
    expect(answered).toBeGreaterThan(50);
  });

  it("about one value of a leaf is not answered with the tree of another", async () => {
    const level = (name: string, partBytes: number, bytes: number): Level => ({
      name,
      tag: Tag.counter,
      count: 2,
      binding: { kind: "last" },
      payloadBytes: () => bytes,
      partBytes,
    });
    const levels = [level("pair", 4, 8), level("under", 4, 4)];
    const tower: Tower = { under: (at) => levels[at.length] };
    const pairs = new ClaimProver<never>(tower, {
      payloads: async (at, { name }) =>
        name === "pair"
          ? [new Uint8Array(8), new Uint8Array(8)]
          : [at[0].part, 9].map((n) => Uint8Array.of(n, 0, 0, 0)),
      witness: async () => undefined,
    });
    for (const part of [0, 1, 0]) {
      const at = [{ level: "pair", index: 1, part }];
      expect(await pairs.answer({ kind: "payload", at, height: 0, position: 0 })).toEqual([
        Uint8Array.of(part, 0, 0, 0),
      ]);
      const [a, b] = [part, 9].map((n) => hashLeaf(Tag.counter, Uint8Array.of(n, 0, 0, 0)));
      const [left, right] = (await pairs.answer({ kind: "children", at, height: 1, position: 0 }))!;
      expect(hashNode(left, right)).toEqual(hashNode(a, b));
    }
    await expect(
      pairs.answer({ kind: "payload", at: [{ level: "pair", index: 1, part: 2 }], height: 0, position: 0 }),
    ).rejects.toThrow("part 2 of 2");
  });
});
