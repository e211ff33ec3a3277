import { expect, it } from "vitest";
import { closest } from "../../src/errors/closest.ts";

const WORDS = ["width", "batch", "learning-rate", "out", "steps"];

it.each([
  ["widht", "width"],
  ["with", "width"],
  ["WIDTH", "width"],
  ["step", "steps"],
  ["learnig_rate", "learning-rate"],
  ["ot", "out"],
  ["zebra", undefined],
  ["x", undefined],
  ["", undefined],
  ["w".repeat(1e6), undefined],
])("%j means %j", (word, meant) => expect(closest(word, WORDS)).toBe(meant));

it("takes the first of two that are equally alike", () => expect(closest("ba", ["bat", "bar"])).toBe("bat"));
