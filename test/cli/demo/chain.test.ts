/** The demo on a chain: the cheat is slashed, the others are paid, and nothing gets lost on the way. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { publicPrivateKey } from "../../../src/settlement/local/chain.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { verdeIn } from "../../fixtures/verde.ts";

const at = temporaryFolder();
const verde = verdeIn(at("."));
/** A row of a table, the amounts as numbers. */
const amounts = (story: string, name: string): number[] =>
  new RegExp(`^ {2}${name} .*VTT.*$`, "m")
    .exec(story)![0]
    .match(/[+-]?[\d,.]+(?= VTT)/g)!
    .map((text) => Number(text.replaceAll(",", "")));

test("the whole story is told, and its tables add up", async () => {
  const { code, stdout: story, stderr } = await verde(["demo", "--chain", "--steps", "6"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(story).toContain("Ben cheats: flip:step=4,operator=");
  expect(story).toContain("The claims differ. The task is Disputed, Judging.");
  expect(story).toMatch(/operator +blocks\.1\/mlp\.in\/matmul \(fold, operator \d+\)/);
  expect(story).toContain("ben.trace is wrong.");
  expect(story).toContain("Ben loses 100 VTT");
  expect(story).toMatch(/Chunk [\d,]+ of [\d,]+ of \S+, drawn at random: Ada delivers it/);
  expect(story).toContain("The task is Final.");

  const changes = { client: -21, Ada: 30.5, Ben: -100, Cleo: 30.5, committee: 10, burned: 50 };
  for (const [name, change] of Object.entries(changes)) {
    const [before, after, shown] = amounts(story, name);
    expect([name, after - before, shown]).toEqual([name, change, change]);
  }
  expect(amounts(story, "escrow")).toEqual([0, 0]);
  expect(amounts(story, "together")).toEqual([4000, 4000]);
  for (const name of ["post", "accept", "commit", "reveal", "compare", "submit", "deliver", "finalize", "claim"])
    expect(story).toMatch(new RegExp(`^ {2}${name} +\\d+ +[\\d,]+ +[\\d,]+$`, "m"));
  for (let i = 0; i < 12; i++) expect(story.toLowerCase()).not.toContain(publicPrivateKey(i).slice(2, 40));
  expect(JSON.parse(readFileSync(at("out/chain/verdict.json"), "utf8"))).toMatchObject({
    schemaVersion: 3,
    kind: "proof",
  });
});

test("a fault that changes nothing is told, and the chain is closed", async () => {
  const { code, stderr } = await verde(["demo", "--chain", "--steps", "2", "--fault", "lr:from=1,factor=1"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("the fault changed nothing")]);
});
