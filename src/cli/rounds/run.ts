/** `verde rounds run`: has a plan performed, and writes its record. */
import { rm } from "node:fs/promises";
import type { Command } from "commander";
import { toHex } from "../../encoding/bytes.ts";
import { RunError, UsageError } from "../../errors/index.ts";
import { parseAway, parseCensored, parseTwice } from "../../rounds/away.ts";
import { drandServers } from "../../rounds/beacon-source.ts";
import { parseRoundFault } from "../../rounds/fault.ts";
import { describeNews } from "../../rounds/leaf-news.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { namesOf, type Plan } from "../../rounds/plan.ts";
import { type LeafInfo, runRounds } from "../../rounds/run.ts";
import type { SilentStore } from "../../rounds/store.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { reportFailure } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { formatNumber, reportLine, writeJson, writeLine } from "../output.ts";
import type { NetworkFlags } from "../network-options.ts";
import { commandWith, stopOnSignal } from "../stop.ts";
import type { OverNetwork } from "./network.ts";
import { describeEffect, type Effect, effectsOf } from "./effects.ts";
import { absencesOf } from "./inspect.ts";
import { type PlanFlags, planOf, planWords } from "./plan.ts";
import type { Served } from "./serve.ts";
import type { StakedFlags } from "./staked.ts";

interface Flags extends NetworkFlags, PlanFlags, StakedFlags {
  out: string;
  participants: "local" | "processes" | "nats";
  patience: string;
  checkpointEvery?: number;
  beacon?: string[];
  away?: string[];
  censor?: string[];
  twice?: string[];
  fault?: string[];
  backend?: string;
  resume?: boolean;
  force?: boolean;
  json?: boolean;
}

export async function runPlan(path: string, rest: string[], flags: Flags, command: Command): Promise<void> {
  const {
    out,
    participants,
    away = [],
    censor = [],
    twice = [],
    fault = [],
    backend,
    resume = false,
    force = false,
    json = false,
  } = flags;
  const plan = await planOf(path, rest, flags, command);
  expectStakeable(flags);
  const staked = flags.terms === undefined ? undefined : await (await import("./staked.ts")).stakedRun(plan, flags.terms, flags, participants === "local"); // prettier-ignore
  const planted = fault.map((text) => ({ text, planted: parseRoundFault(plan, text) }));
  const absences = away.map((text) => parseAway(plan, text));
  if (participants === "nats" && twice.length > 0)
    throw new UsageError("CONFLICT", "--twice is of stores in this process; omit it, or take --participants local");
  const drills = { away: absences, censored: censor.map((text) => parseCensored(plan, text)), twice: twice.map((text) => parseTwice(plan, text)) }; // prettier-ignore
  const stopping = stopOnSignal("the leaves that are being computed are finished, and then the rounds stop");
  let others: OverNetwork | undefined;
  let served: Served | undefined;
  let isWhole = false;
  try {
    if (participants === "nats")
      others = await (await import("./network.ts")).gatherOn({ flags, plan, words: planWords(path, rest, flags), faults: planted, backend, signal: stopping.signal }); // prettier-ignore
    if (others?.named !== undefined) served = { ...others, network: others.named };
    else if (flags.network !== undefined) served = await (await import("./serve.ts")).openServed(flags);
    const record = await runRounds(plan, {
      out,
      participants: participants === "nats" ? others!.muster : participants,
      ...(backend !== undefined && { backend }),
      ...(staked && { staked }),
      faults: planted.map((each) => each.planted),
      ...(flags.beacon && { beacon: drandServers(flags.beacon, sayWait) }),
      ...drills,
      patience: 1000 * parseDuration(flags.patience),
      ...(flags.checkpointEvery !== undefined && { checkpointEvery: flags.checkpointEvery }),
      resume,
      force,
      signal: stopping.signal,
      onBegin: async (begun) => served && (await import("./serve.ts")).serveOn(served, begun, out, json),
      onLeaf: (leaf) => (json ? writeJson(leafLine(leaf)) : writeLine(describeLeaf(leaf))),
      onNews: (leaf, news) => (json ? writeJson({ ...placeLine(leaf), checkpoint: news }) : writeLine(describeNews(leaf.name, leaf.round, news))), // prettier-ignore
      onAbsent: ({ why, ...leaf }) => (json ? writeJson({ ...placeLine(leaf), absent: true, why }) : writeLine(`${describePlace(leaf)}  absent: ${why}`)), // prettier-ignore
      onSilent: (silent) => (json ? writeJson(silentLine(plan, silent)) : writeLine(describeSilent(plan, silent))),
      onLate: (leaf) => reportLine(`verde: ${leaf.name} of round ${leaf.round} is refused: it has come after its turn was closed`), // prettier-ignore
    });
    report(record, flags, await effectsOf(record, planted, backend));
    isWhole = true;
  } catch (error) {
    const code = stopping.code();
    if (code === undefined || !(error instanceof RunError)) throw error;
    reportFailure(error, json);
    reportLine(`  ${commandWith("--resume", ["--force"])}`);
    exitWith(code);
  } finally {
    await served?.close();
    await others?.close();
    if (isWhole && others?.folder !== undefined) await rm(others.folder, { recursive: true, force: true });
    stopping.done();
  }
}

const sayWait = (round: number): void => reportLine(`verde: waits until the beacon's round ${round} is published`);

/** @throws {UsageError} for keys that nothing would use, or that other processes would have to get */
function expectStakeable({ terms, keystore, passwordFile, participants, network }: Flags): void {
  if (terms === undefined && (keystore !== undefined || passwordFile !== undefined))
    throw new UsageError("CONFLICT", "--keystore signs in a performance on a chain; name its terms with --terms, or omit it"); // prettier-ignore
  if (terms === undefined || participants === "local") return;
  if (participants === "processes" || (network ?? process.env.VERDE_NETWORK) === undefined)
    throw new UsageError("CONFLICT", "on a chain participants sign here with their keystores (`--participants local`), or on a network with their own (`verde rounds join … --terms FILE`); choose one of them"); // prettier-ignore
}

type Place = Omit<LeafInfo, "metrics">;
const placeLine = ({ round, rounds, name, participant }: Place) => ({ schemaVersion: 1, round, rounds, leaf: name, participant }); // prettier-ignore
const leafLine = ({ metrics, ...place }: LeafInfo) => ({ ...placeLine(place), metrics });
const describePlace = ({ round, rounds, name }: Place): string => `round ${round}/${rounds}  ${name}`;

function describeLeaf({ metrics, ...place }: LeafInfo): string {
  return describePlace(place) + (metrics.loss === undefined ? "" : `  loss ${formatNumber(metrics.loss)}`);
}

type Silent = SilentStore & { readonly name: string };
const silentLine = (plan: Plan, { name, why, ...place }: Silent) => ({ ...placeLine(namesOf(plan, place)), store: name, silent: true, why }); // prettier-ignore
const describeSilent = (plan: Plan, { name, why, ...place }: Silent): string => `${describePlace(namesOf(plan, place))}  ${name} has not signed: ${why}`; // prettier-ignore

/** What a drill has made of the record, and how it is found. */
function drillLines({ censor = [], twice = [], out }: Flags): string[] {
  const isDrill = "(a drill: this record is not honest)";
  return [
    ...censor.map((text) => `The recorder has left out ${text} ${isDrill}; the receipts are in ${out}/receipts.log, which \`verde rounds audit ${out} --evidence ${out}\` reads.`), // prettier-ignore
    ...twice.map((text) => `The store ${text} has signed twice ${isDrill}.`),
  ];
}

function report(record: RoundsRecord, flags: Flags, faults: readonly Effect[]): void {
  const { out, json } = flags;
  const { plan, instance, marks, size } = record;
  const absent = absencesOf(record).length;
  const root = toHex(marks[marks.length - 1].root);
  if (json) {
    writeJson({ schemaVersion: 1, record: out, plan: toHex(plan.id), instance: toHex(instance.id), rounds: plan.rounds, leaves: size, absent, root, ...(faults.length > 0 && { faults }) }); // prettier-ignore
    return;
  }
  const away = absent === 0 ? "" : `; ${absent} ${absent === 1 ? "was" : "were"} absent`;
  writeLine(`${plan.name}: ${plan.rounds} rounds, ${size} leaves of ${plan.participants.length} participants${away}.`);
  writeLine(`The record ${root} is in ${out}.`, ...faults.map(describeEffect), ...drillLines(flags));
}
