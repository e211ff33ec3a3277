/** `verde rounds show`: a performance on a chain. */
import { plainJson } from "../../encoding/json.ts";
import { formatTime } from "../../settlement/amount.ts";
import { performanceEvents, readPerformance } from "../../settlement/rounds/performance.ts";
import { writeJson, writeLine } from "../output.ts";
import type { ChainFlags } from "../session-options.ts";
import { formatFields } from "../table.ts";
import { leafName, openPosted, partyName, stateText, termsFields } from "./terms.ts";

export async function showRounds(file: string, flags: ChainFlags): Promise<void> {
  const { session, posted } = await openPosted(file, flags);
  const { terms, id, manager } = posted;
  const view = await readPerformance(session, posted);
  const { questions: asked, copies: asksFor, games, convicted } = await performanceEvents(session, posted);
  const questions = asked.filter(({ done }) => !done);
  const copies = asksFor.filter(({ done }) => !done);
  const storeOf = (store: number): string => `store ${store}, ${partyName(terms, terms.participants.length - view.stores + store)},`; // prettier-ignore
  const { state, deadline, open, joined, out, record } = view;
  const parties = [...terms.participants, terms.recorder].map((account, number) => ({
    name: partyName(terms, number),
    account,
    joined: joined[number],
    out: out[number],
  }));
  if (flags.json)
    return writeJson({
      schemaVersion: 1,
      instance: id,
      manager,
      state,
      deadline,
      open,
      record: record ?? null,
      parties,
      questions: questions.map(({ kind, round, seat, by, deadline: until }) => ({ kind, round, seat, by, deadline: until })), // prettier-ignore
      copies: copies.map(({ store, round, seat, entry, chunk, by, deadline: until }) => ({ store, round, seat, entry, chunk, by, deadline: until })), // prettier-ignore
      challenges: games.map(({ dispute, round, seat, owner, challenger }) => ({ dispute: Number(dispute), round, seat, owner, challenger })), // prettier-ignore
      convicted,
      terms: plainJson(terms),
    });
  const standing = parties.map(({ name, joined: has, out: lost }): string => `${name} ${lost ? "has lost its stake" : has ? "has joined" : "has not joined"}`); // prettier-ignore
  writeLine(
    ...formatFields([
      ["performance", id],
      ["state", stateText(posted, view)],
      ...(record ? [["record", record] satisfies [string, string]] : []),
      ["stakes", standing.join(", ")],
      ...questions.map(({ kind, round, seat, deadline: until }): [string, string] => [kind, `of ${leafName(seat)} in round ${round}, to be answered until ${formatTime(until)}`]), // prettier-ignore
      ...copies.map(({ store, round, seat, entry, chunk, deadline: until }): [string, string] => ["copy", `chunk ${chunk} of entry ${entry} of ${leafName(seat)} in round ${round}, to be shown by ${storeOf(store)} until ${formatTime(until)}`]), // prettier-ignore
      ...games.map(({ dispute, round, seat, owner, challenger }): [string, string] => ["challenge", `dispute ${dispute}, of ${leafName(seat)} in round ${round}: ${challenger} against ${owner}`]), // prettier-ignore
      ...convicted.map(({ participant, fault }): [string, string] => ["lost", `${partyName(terms, participant)}: ${fault}`]), // prettier-ignore
      ...termsFields(terms, session.token),
    ]),
  );
}
