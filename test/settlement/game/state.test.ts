/** The game as it is played on a chain: what its vectors are made of, and what its twin in TypeScript refuses. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gameVectors } from "../../../scripts/game-vectors.ts";

test("test/vectors/game.json holds what the code makes (npm run contracts)", async () => {
  const file = readFileSync(new URL("../../vectors/game.json", import.meta.url), "utf8");
  // Not compared as text: a difference of half a megabyte is of no use to anyone.
  expect((await gameVectors()) === file).toBe(true);
});
