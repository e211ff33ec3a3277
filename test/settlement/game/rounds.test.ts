/** How many moves a tree takes before the game on a chain: the bound of `DisputeGame.longestGame`. */
import { expect, test } from "vitest";
import { heightOf } from "../../../src/encoding/merkle.ts";
import { Tag } from "../../../src/encoding/tags.ts";
import type { Binding, Level } from "../../../src/game/level.ts";
import { roundsOf } from "../../../src/settlement/game/gas.ts";

const BINDINGS: readonly Binding[] = [{ kind: "last" }, { kind: "preimage", commit: (root) => root }];

test("a tree takes an opening, half its height in moves, and a payload, whichever its leaf", () => {
  for (const name of ["operator", "chunk"])
    for (const binding of BINDINGS)
      for (let count = 1; count <= 260; count++)
        for (let index = 0; index < count; index++) {
          const level: Level = { name, tag: Tag.opLeaf, count, binding, payloadBytes: () => 32, partBytes: 32 };
          const kinds = roundsOf({ level, index, part: 0 }).map(({ kind }) => kind);
          const number = (wanted: string): number => kinds.filter((kind) => kind === wanted).length;
          const place = `leaf ${index} of ${count}`;
          expect(number("opening"), place).toBeLessThanOrEqual(1);
          expect(number("children"), place).toBeLessThanOrEqual(heightOf(count) / 2);
          expect(number("payload"), place).toBeLessThanOrEqual(1);
        }
});
