/** The vectors that the contracts derive again (test/solidity/RoundHashes.t.sol). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { roundVectors } from "../../../scripts/round-vectors.ts";

const file = readFileSync(new URL("../../vectors/rounds.json", import.meta.url), "utf8");

test("the file of vectors is what the script makes", async () => expect((await roundVectors()) === file).toBe(true));
