/** `verde rounds watch`: follows a performance on a chain until its end, and acts for an account. */
import type { TransactionReceipt } from "viem";
import { formatAmount } from "../../settlement/amount.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { bondCredit } from "../../settlement/game/bond.ts";
import { numbersOf, type PerformanceView, readPerformance } from "../../settlement/rounds/performance.ts";
import { expectManager, type PostedRounds } from "../../settlement/rounds/terms-file.ts";
import { watchPerformance } from "../../settlement/rounds/watch.ts";
import type { WatchAct, Watched } from "../../settlement/rounds/watch-options.ts";
import type { Session } from "../../settlement/session.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import { allow } from "../allowance.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { colors, formatCount, reportLine, sayNow, writeJson, writeLine } from "../output.ts";
import { patiently } from "../patiently.ts";
import { Progress } from "../progress.ts";
import type { NetworkFlags } from "../network-options.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { readAccount } from "../stake.ts";
import { bondText } from "../task/game.ts";
import { leafName, partyName, readPosted, stateText } from "./terms.ts";

interface Flags extends SendFlags, NetworkFlags {
  terms: string;
  serve?: boolean;
  every: string;
  accuse: boolean;
  evidence?: string[];
  approve: boolean;
  backend?: string;
}

/** A node that is away for longer is told. The watch itself asks for ever. */
const AWAY_MILLIS = 3_000;

export async function watchRounds(folder: string, flags: Flags): Promise<void> {
  const everyMillis = 1000 * Math.max(parseDuration(flags.every), 1);
  const posted = await readPosted(flags.terms);
  const { session, sender } = await patiently(everyMillis, flags.dryRun, () => open(posted, flags));
  const { json = false, backend, evidence } = flags;
  const numbers = numbersOf(posted, sender.address).map((number) => partyName(posted.terms, number));
  sayNow(`${sender.address} watches ${posted.id} as ${numbers.length > 0 ? numbers.join(", ") : "a stranger"}`, json);
  const served = flags.serve ? await (await import("./serve.ts")).beginServing(folder, flags) : undefined;
  const progress = new Progress();
  const ended = await watchPerformance(session, posted, sender.address, folder, {
    everyMillis,
    accuses: flags.accuse,
    ...(evidence && { evidence }),
    ...(backend !== undefined && { backend }),
    confirmations: flags.confirmations,
    once: flags.dryRun ?? false,
    send: async (call) => {
      await approveFor(call, posted, session, sender, flags.approve);
      return sender.send(call);
    },
    onAct: (act, receipt) => writeAct(act, receipt, json),
    onTrouble: (sentence) => reportLine(`verde: ${sentence}`),
    onWait: (view, audited, leaves) => progress.show(waitText(posted, view, audited, leaves), true),
    onLook: () => progress.clear(),
  }).finally(() => served?.close());
  if (!ended) return sender.report(json, { instance: posted.id }, "");
  await report(ended, posted, session, sender, json);
  if (ended.lost) exitWith(EXIT.divergence);
}

async function open(posted: PostedRounds, flags: Flags): Promise<{ session: Session; sender: Sender }> {
  const onDissent = (text: string): void => reportLine(`verde: ${text}`);
  const { terms: _, serve: __, evidence: ___, ...chain } = flags;
  const session = await openSession(chain, { agreement: "majority", onDissent });
  expectManager(posted, session.deployment);
  await readPerformance(session, posted);
  return { session, sender: await Sender.open(session, flags, AWAY_MILLIS) };
}

/** A demand is paid for, and a challenge needs free stake for its bond. */
async function approveFor(
  { functionName }: ContractCall,
  { terms }: PostedRounds,
  session: Session,
  sender: Sender,
  approve: boolean,
): Promise<void> {
  const vault = session.deployment.roundVault!;
  const mayTake = (amount: bigint): Promise<void> => allow(session, sender, { name: "vault", address: vault }, amount, approve); // prettier-ignore
  if (functionName === "demand") await mayTake(terms.price);
  if (functionName !== "challenge") return;
  const { active, exposed } = await readAccount(session, vault, sender.address);
  const free = active > exposed ? active - exposed : 0n;
  if (free >= terms.bond) return;
  await mayTake(terms.bond - free);
  await sender.send({ contract: "roundVault", functionName: "deposit", args: [terms.bond - free] });
}

function waitText(posted: PostedRounds, view: PerformanceView, audited: number, leaves: number): string {
  const audit = audited < leaves ? `; ${audited} of ${leaves} leaves are judged` : "";
  return `${stateText(posted, view)}${audit}`;
}

function writeAct(
  { what, place, dispute, at, value }: WatchAct,
  { transactionHash: transaction, gasUsed }: TransactionReceipt,
  json: boolean,
): void {
  // prettier-ignore
  if (json)
    return writeJson({
      schemaVersion: 1,
      what,
      round: place?.round ?? null,
      seat: place?.seat ?? null,
      dispute: dispute === undefined ? null : Number(dispute),
      at: at ?? null,
      transaction,
      gas: Number(gasUsed),
      value: `${value}`,
    });
  const leaf = place ? `  ${leafName(place.seat)} in round ${place.round}` : "";
  const game = dispute === undefined ? "" : `, dispute ${dispute}${at ? `, ${at}` : ""}`;
  const bond = value > 0n ? `, with the bond of ${bondText(value)}` : "";
  writeLine(`${what}${leaf}${game}${bond}  ${colors.dim(`${transaction}  ${formatCount(Number(gasUsed))} gas`)}`);
}

async function report(
  { view, convicted, lost }: Watched,
  { id, terms }: PostedRounds,
  session: Session,
  { address }: Sender,
  json: boolean,
): Promise<void> {
  // prettier-ignore
  const { client, deployment, token } = session;
  // The end is known: a node that is away now changes nothing.
  const [credit, bonds] = await Promise.all([
    readAccount(session, deployment.roundVault!, address).then((account) => account.credit, () => 0n), // prettier-ignore
    bondCredit(client, deployment.roundGame, address).catch(() => 0n),
  ]);
  if (json)
    return writeJson({ schemaVersion: 1, what: "ended", instance: id, state: view.state, lost, convicted, credit: `${credit}`, bonds: `${bonds}` }); // prettier-ignore
  const losers = convicted.map(({ participant, fault }) => `${partyName(terms, participant)} has lost its stake (${fault}).`); // prettier-ignore
  const due = [credit > 0n ? formatAmount(credit, token) : [], bonds > 0n ? `${bondText(bonds)} of bonds` : []].flat();
  const claim = due.length > 0 ? [`${due.join(" and ")} wait for you: withdraw them with \`verde rounds claim\`.`] : [];
  writeLine(`The performance is ${view.state}.${lost ? " You have lost a stake or a bond." : ""}`, ...losers, ...claim);
}
