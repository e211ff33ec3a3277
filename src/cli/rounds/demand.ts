/** `verde rounds demand`: has the recorder show a leaf of the posted record, or a store a chunk of one. */
import { bytesToHex } from "viem";
import { ChainError, RoundsError, UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { type LeafPlace, type Plan, seatName } from "../../rounds/plan.ts";
import { storeName } from "../../rounds/receipt.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import { formatAmount, formatTime } from "../../settlement/amount.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { PostedRecord } from "../../settlement/rounds/evidence.ts";
import { demandOf } from "../../settlement/rounds/findings.ts";
import { readPerformance } from "../../settlement/rounds/performance.ts";
import { type CopyPlace, demandCopyCall } from "../../settlement/rounds/store-calls.ts";
import { allow } from "../allowance.ts";
import { Sender } from "../send.ts";
import type { SendFlags } from "../session-options.ts";
import { expectInstance } from "./record.ts";
import { openPosted, stateText } from "./terms.ts";

/** The highest number of an entry or a chunk that the contract takes. */
const MOST_NUMBER = 2 ** 32 - 1;

interface Flags extends SendFlags {
  terms: string;
  round: number;
  leaf: string;
  store?: string;
  entry?: number;
  chunk?: number;
  approve: boolean;
}

export async function demandPlace(folder: string, flags: Flags): Promise<void> {
  const record = await RoundsRecord.open(folder);
  const { plan } = record;
  const { session, posted } = await openPosted(flags.terms, flags);
  expectInstance(record, posted);
  const { terms } = posted;
  const place = placeIn(plan, flags);
  const copy = copyIn(plan, place, flags);
  const before = await readPerformance(session, posted);
  if (before.state !== "Challengeable" || before.now > before.deadline)
    throw new ChainError("STATE", `this is not the time to demand anything; the performance is ${stateText(posted, before)}`, { state: before.state }); // prettier-ignore
  if (copy && bytesToHex(new PostedRecord(record).root) !== before.record)
    throw new RoundsError("UNAVAILABLE", `${folder} is not the record ${before.record} that was posted, so a store need not show what it lists; fetch the posted one`, { expected: before.record }); // prettier-ignore
  const call = copy ? demandCopyCall(record, terms, copy) : demandOf(terms, place).call;
  const sender = await Sender.open(session, flags);
  await allow(session, sender, { name: "vault", address: session.deployment.roundVault! }, terms.price, flags.approve);
  await sender.send(call);
  const at = { address: posted.manager, abi: ABIS.roundManager };
  const { deadline: due } = copy
    ? await session.client.readContract({ ...at, functionName: "copyOf", args: [posted.id, { ...copy, place, end: bytesToHex(record.at(place)!.end) }] }) // prettier-ignore
    : await session.client.readContract({ ...at, functionName: "demandOf", args: [posted.id, place] });
  // A dry run has demanded nothing.
  const [deadline, until] = due === 0 ? [null, ""] : [due, ` until ${formatTime(due)}`];
  const what = copy ? `${flags.store} has to show chunk ${copy.chunk} of entry ${copy.entry} of` : "the recorder has to show"; // prettier-ignore
  const done = `For ${formatAmount(terms.price, session.token)}, ${what} ${flags.leaf} in round ${place.round}${until}. Else it loses its stake: keep \`verde rounds watch\` running with this account, which ends the demand if nobody answers.`; // prettier-ignore
  sender.report(flags.json ?? false, { instance: posted.id, ...place, ...copy, price: `${terms.price}`, deadline }, done); // prettier-ignore
}

/** @throws {UsageError} when the plan has no such leaf */
function placeIn(plan: Plan, { round, leaf }: Flags): LeafPlace {
  const names = plan.seats.map((_, seat) => seatName(plan, seat));
  const seat = names.indexOf(leaf);
  if (seat < 0)
    throw new UsageError("VALUE", `--leaf ${quote(leaf)} is none of the plan; choose from ${names.join(", ")}`, { found: leaf, expected: names }); // prettier-ignore
  if (round > plan.rounds)
    throw new UsageError("VALUE", `--round ${round} is after the last one; the record has the rounds 0 to ${plan.rounds}`, { found: round, expected: plan.rounds }); // prettier-ignore
  return { round, seat };
}

/** @throws {UsageError} when the plan has no such store, or a part of a state is asked of no store */
function copyIn(plan: Plan, place: LeafPlace, { store, entry, chunk }: Flags): Omit<CopyPlace, "end"> | undefined {
  if (store === undefined) {
    if (entry === undefined && chunk === undefined) return undefined;
    throw new UsageError("NO_EFFECT", "--entry and --chunk are asked of a store, and --store names none; add --store NAME, or leave them out to have the recorder show the leaf"); // prettier-ignore
  }
  const names = Array.from({ length: plan.storage?.members ?? 0 }, (_, i) => storeName(plan, i));
  const number = names.indexOf(store);
  if (number < 0)
    throw new UsageError("VALUE", `--store ${quote(store)} is none of the plan; ${names.length > 0 ? `choose from ${names.join(", ")}` : "it has no stores"}`, { found: store, expected: names }); // prettier-ignore
  for (const [flag, value] of Object.entries({ "--entry": entry, "--chunk": chunk }))
    if (value !== undefined && value > MOST_NUMBER)
      throw new UsageError("VALUE", `${flag} ${value} is more than a state can have; take 0 to ${MOST_NUMBER}`, { found: value, expected: MOST_NUMBER }); // prettier-ignore
  return { ...place, store: number, entry: entry ?? 0, chunk: chunk ?? 0 };
}
