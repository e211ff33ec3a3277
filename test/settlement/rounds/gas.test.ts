/**
 * What the transactions about a plan of rounds cost, whole, in gas, for the plan of `small-plan.ts` with four
 * participants: equal to `gas.json` up to 1 %, since calldata has times in it, and shown in docs/rounds.md.
 * `VERDE_WRITE_GAS=1 npx vitest run test/settlement/rounds/gas.test.ts` writes the file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseRoundFault } from "../../../src/rounds/index.ts";
import { disputeRecordOnChain, type RoundMove } from "../../../src/settlement/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord } from "../../rounds/liars.ts";
import { smallPlan } from "../../rounds/small-plan.ts";

const FILE = new URL("gas.json", import.meta.url);
const PAGE = new URL("../../../docs/rounds.md", import.meta.url);
/** Of one transaction: what blocks take in half of one, as for tasks. */
const CEILING = 8_000_000;
const OF_THE_GAME = ["turn", "move", "prove"];
const path = temporaryFolder();

/** The most of each call, and the sum of the game's calls. */
function figuresOf(moves: readonly RoundMove[], game: string): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const { what, gas } of moves) {
    const name = OF_THE_GAME.includes(what) ? `${game}: all moves` : what;
    if (name === what) figures[name] = Math.max(figures[name] ?? 0, gas);
    else figures[name] = (figures[name] ?? 0) + gas;
  }
  return figures;
}

test("gas is below the ceiling and as it was, and the page shows it", async () => {
  const plan = await smallPlan.close();
  const honest = await performedRecord(plan, path("honest"));
  const gas: Record<string, number> = {};
  const cases = {
    operator: "participant=client-1,round=2,flip:step=1,operator=2,bit=22",
    message: "participant=server-0,round=2,message:entry=1",
    inputs: "participant=server-0,round=1,aggregate:2",
  };
  for (const [name, fault] of Object.entries(cases)) {
    const lying = await performedRecord(plan, path(name), [parseRoundFault(plan, fault)], { salt: 2 });
    const result = await disputeRecordOnChain(lying, honest);
    if (result.outcome === "agree") throw new Error("the records agree");
    for (const { gas: own } of result.moves) expect(own).toBeLessThan(CEILING);
    for (const [what, figure] of Object.entries(figuresOf(result.moves, name)))
      gas[what] = Math.max(gas[what] ?? 0, figure);
  }
  const own = [
    "deploy questions",
    "deploy manager",
    "deploy judge",
    "deploy game",
    "post",
    "join",
    "postRecord",
    "accuse",
    "convict",
    "challenge",
  ];
  const shown = Object.fromEntries(Object.entries(gas).filter(([what]) => own.includes(what) || what.includes(":")));
  if (process.env.VERDE_WRITE_GAS) writeFileSync(FILE, `${JSON.stringify(shown, null, 2)}\n`);
  const before = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, number>;
  expect(Object.keys(shown)).toEqual(Object.keys(before));
  const page = readFileSync(PAGE, "utf8");
  for (const [what, figure] of Object.entries(shown)) {
    expect(Math.abs(figure / before[what] - 1), `${what}: ${figure}, ${before[what]} before`).toBeLessThan(0.01);
    expect(page).toContain(`| ${what} | ${before[what].toLocaleString("en-US")} |`);
  }
});
