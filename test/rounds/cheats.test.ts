/**
 * Cheats on schemes that check nothing themselves: each is planted in a small plan, and the dispute with the
 * honest record has to end at its participant, turn and operator. docs/schemes.md has the tables.
 */
import { describe, expect, test } from "vitest";
import type { OptionValue } from "../../src/job/options.ts";
import { auditRecord, disputeRecords, parseRoundFault, type Plan } from "../../src/rounds/index.ts";
import { loadRounds } from "../../src/rounds/load.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

const path = temporaryFolder();

/** What a participant does wrong in round 2, and what is found of it. */
interface Cheat {
  what: string;
  participant: string;
  turn: string;
  /** A fault of the command line; `O` stands for the operator. */
  fault: string;
  /** The end of an operator's label, of the turn's init graph. */
  operator?: RegExp;
  reason: "operator" | "inputs" | "message";
}
const worker = { participant: "worker-1" };
const server = { participant: "server-0", turn: "outer" };

const SCHEMES: Readonly<Record<string, { options: Record<string, OptionValue>; cheats: readonly Cheat[] }>> = {
  diloco: {
    options: { workers: 2, inner: 2, rounds: 2, dim: 8, context: 8, batch: 1 },
    cheats: [
      { what: "a change twice as large", ...worker, turn: "local", fault: "message:entry=0,bit=23", reason: "message" },
      { what: "moments of the round before", ...worker, turn: "local", fault: "stale:1", reason: "inputs" },
      { what: "weights of the round before", ...worker, turn: "local", fault: "stale:0", reason: "inputs" },
      { what: "the mean over another number of workers", ...server, operator: /^head\.weight\/mul$/, fault: "flip:step=0,operator=O,bit=23", reason: "operator" },
      { what: "no momentum", ...server, operator: /momentum\/head\.weight$/, fault: "flip:step=0,operator=O,bit=30", reason: "operator" },
      { what: "momentum of the round before", ...server, fault: "stale:2", reason: "inputs" },
    ], // prettier-ignore
  },
  fedavg: {
    options: { clients: 3, rounds: 2, inner: 2 },
    cheats: [
      { what: "a client counts for more examples than it has", participant: "server-0", turn: "merge", operator: /^digit\.weight\/mul$/, fault: "flip:step=0,operator=O,bit=23", reason: "operator" },
      { what: "another order of the sum", participant: "server-0", turn: "merge", operator: /^digit\.bias\/add$/, fault: "flip:step=0,operator=O,bit=0", reason: "operator" },
      { what: "a client is left out", participant: "server-0", turn: "merge", fault: "aggregate:2", reason: "inputs" },
      { what: "an update of the round before", participant: "server-0", turn: "merge", fault: "stale:1", reason: "inputs" },
      { what: "a client replaces its update", participant: "client-1", turn: "local", fault: "message:entry=0,bit=30", reason: "message" },
    ], // prettier-ignore
  },
  sparseloco: {
    options: { workers: 3, inner: 1, rounds: 2, dim: 4, context: 8, batch: 2, keep: 4 },
    cheats: [
      { what: "what was sent is kept", ...worker, turn: "error", operator: /^sub$/, fault: "flip:step=0,operator=O,bit=30", reason: "operator" },
      { what: "another table of values", ...worker, turn: "send", operator: /table\/head\.weight$/, fault: "flip:step=0,operator=O,bit=22", reason: "operator" },
      { what: "a message of the round before", ...worker, turn: "apply", fault: "stale:0", reason: "inputs" },
      { what: "a norm that is not cut to the median", ...worker, turn: "apply", operator: /^head\.weight\/minimum$/, fault: "flip:step=0,operator=O,bit=22", reason: "operator" },
      { what: "a place is divided by another number", ...worker, turn: "apply", operator: /^head\.weight\/scatter-mean$/, fault: "flip:step=0,operator=O,bit=30", reason: "operator" },
    ], // prettier-ignore
  },
  "protocol-models": {
    options: { stages: 2, batch: 2, rounds: 2, context: 8, dim: 8, subspace: 4 },
    cheats: [
      { what: "coordinates of other activations", participant: "stage0-0", turn: "forward0", operator: /^coordinates$/, fault: "flip:step=0,operator=O,bit=22", reason: "operator" },
      { what: "a residual that leaves the subspace", participant: "stage0-0", turn: "forward0", operator: /block0\.out-up$/, fault: "flip:step=0,operator=O,bit=22", reason: "operator" },
      { what: "another slope is handed back", participant: "stage1-0", turn: "backward1", fault: "message:entry=E,bit=22", reason: "message" },
      { what: "weights of the round before", participant: "stage0-0", turn: "backward0", fault: "stale:2", reason: "inputs" },
    ], // prettier-ignore
  },
};

/** The first operator of a turn's init graph whose label ends so. */
function operatorOf(plan: Plan, turn: string, label: RegExp): number {
  const seat = plan.seats.find((each) => plan.turns[each.turn].name === turn)!;
  const found = plan.templates[seat.template].round.init.labels.findIndex((each) => label.test(each));
  expect(found, `${turn}: ${label}`).toBeGreaterThanOrEqual(0);
  return found;
}

describe.each(Object.entries(SCHEMES))("%s", (name, { options, cheats }) => {
  test("names who cheats, where, and why", async () => {
    const plan = await loadRounds(`examples/rounds/${name}.ts`, options);
    const honest = await performedRecord(plan, path(`${name}-honest`));
    for (const [i, { what, participant, turn, fault, operator, reason }] of cheats.entries()) {
      const number = operator ? operatorOf(plan, turn, operator) : undefined;
      const { outputs } = plan.templates.find(({ round }) => round.name.endsWith(turn))!.round.step;
      const entry = outputs.findIndex((each) => each.name === "slope");
      const text = fault.replace("operator=O", `operator=${number}`).replace("entry=E", `entry=${entry}`);
      const planted = parseRoundFault(plan, `participant=${participant},round=2,turn=${turn},${text}`);
      const drill = await performedRecord(plan, path(`${name}-${i}`), [planted], { salt: 2, from: honest });
      expect(await disputeRecords(honest, drill), what).toMatchObject({
        losers: [1],
        round: 2,
        name: `${turn}-${participant.split("-")[1]}`,
        blames: [{ participant, reason, ...(operator && { location: { step: 0, operator: { number } } }) }],
      });
      expect(
        (await auditRecord(drill)).liars.map((liar) => liar.participant),
        what,
      ).toEqual([participant]);
    }
  });
});
