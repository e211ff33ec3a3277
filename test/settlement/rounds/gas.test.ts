/**
 * What the transactions about a plan of rounds cost, whole, in gas, for the plan of `small-plan.ts` with four
 * participants: equal to `gas.json` up to 1 %, since calldata has times in it, and shown in docs/rounds.md.
 * `VERDE_WRITE_GAS=1 npx vitest run test/settlement/rounds/gas.test.ts` writes the file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toHex } from "../../../src/encoding/bytes.ts";
import { parseRoundFault } from "../../../src/rounds/index.ts";
import type { LeafPlace } from "../../../src/rounds/plan.ts";
import { runOf } from "../../../src/rounds/statement.ts";
import { disputeRecordOnChain, type RoundMove } from "../../../src/settlement/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { copyCallFrom, censoredIn, demandCopyCall, lapseCopyCall, notesCall, storesTwice } from "../../../src/settlement/rounds/store-calls.ts"; // prettier-ignore
import { performanceEvents } from "../../../src/settlement/rounds/performance.ts";
import type { ContractCall } from "../../../src/settlement/transactions/caller.ts";
import { performedRecord, stored } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { smallPlan } from "../../rounds/small-plan.ts";
import { receiptOf, storedRecord } from "./stored-record.ts";
import { WatchedRounds } from "./watched.ts";

const FILE = new URL("gas.json", import.meta.url);
const PAGE = new URL("../../../docs/rounds.md", import.meta.url);
/** Of one transaction: what blocks take in half of one, as for tasks. */
const CEILING = 8_000_000;
const OF_THE_GAME = ["turn", "move", "prove"];
const path = temporaryFolder();
const on = new WatchedRounds(() => membershipPlan.close({ rounds: 2, stores: 3, copies: 2 }));

/** What is shown of three stores, of which two have to hold a leaf, in a performance of seven participants. */
async function gasOfStores(): Promise<Record<string, number>> {
  const posted = await on.staked();
  const { terms, instance } = posted;
  const late = { round: 2, seat: 1 };
  const all = await performedRecord(on.plan, path("all"), [], { instance });
  const isLate = ({ round, seat }: LeafPlace): boolean => round === late.round && seat === late.seat;
  const performed = await performedRecord(on.plan, path("stored"), [], { instance, away: isLate });
  const record = await storedRecord(performed, isLate, [all.at(late)!]);
  for (const store of [0, 1]) record.sentences.admit(receiptOf(record, all.at(late)!, store));
  const gas: Record<string, number> = {};
  const send = async (name: string, call: ContractCall): Promise<void> => {
    const { gasUsed } = await on.call(name, call);
    gas[call.functionName] = Math.max(gas[call.functionName] ?? 0, Number(gasUsed));
  };
  const [accusation] = censoredIn(record, terms);
  for (const store of [1, 2]) record.sentences.admit(stored(instance, late, store));
  await on.post(posted, record);
  await send("stranger", { contract: "roundManager", functionName: accusation.functionName, args: accusation.args });
  await send("recorder", notesCall(record, terms, late)!);
  const place = { round: 1, seat: 0 };
  record.sentences.admit(stored(instance, place, 0));
  // Store 1 has lost already, and what is shown of it costs less.
  const twice = storesTwice(record, terms).find(({ round }) => round === place.round)!;
  for (const [seat, chunk] of [[0, 0], [2, 0]] as const) await send("stranger", demandCopyCall(record, terms, { round: 1, seat, store: 0, entry: 0, chunk })); // prettier-ignore
  const { copies } = await performanceEvents(on.session, posted);
  await send("store-0", await copyCallFrom(record, terms, copies[0]));
  await on.pass(3 * 86_400);
  await send("stranger", lapseCopyCall(terms, copies[1]));
  const other = await on.staked();
  const runs = twice.args[3] as readonly string[];
  const both = [stored(other.instance, place, 0, runOf(on.plan, record.at(place)!)), stored(other.instance, place, 0)];
  const args = [other.terms, 0n, place, runs, both.map(({ signature }) => toHex(signature))];
  await send("stranger", { contract: "roundManager", functionName: twice.functionName, args });
  return gas;
}

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
  Object.assign(gas, await gasOfStores());
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
    "storeTwice",
    "accuseCensor",
    "showNotes",
    "demandCopy",
    "showCopy",
    "lapseCopy",
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
