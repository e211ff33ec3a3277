/** `verde rounds run`: has a plan performed, and writes its record. */
import type { Command } from "commander";
import { toHex } from "../../encoding/bytes.ts";
import { RunError } from "../../errors/index.ts";
import { parseRoundFault } from "../../rounds/fault.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { type LeafInfo, runRounds } from "../../rounds/run.ts";
import { reportFailure } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { formatNumber, reportLine, writeJson, writeLine } from "../output.ts";
import type { NetworkFlags } from "../network-options.ts";
import { commandWith, stopOnSignal } from "../stop.ts";
import type { OverNetwork } from "./network.ts";
import { type PlanFlags, planOf, planWords } from "./plan.ts";

interface Flags extends NetworkFlags, PlanFlags {
  out: string;
  participants: "local" | "processes" | "nats";
  patience: string;
  fault?: string[];
  backend?: string;
  resume?: boolean;
  force?: boolean;
  json?: boolean;
}

export async function runPlan(path: string, rest: string[], flags: Flags, command: Command): Promise<void> {
  const { out, participants, fault = [], backend, resume = false, force = false, json = false } = flags;
  const plan = await planOf(path, rest, flags, command);
  const planted = fault.map((text) => ({ text, planted: parseRoundFault(plan, text) }));
  const stopping = stopOnSignal("the leaves that are being computed are finished, and then the rounds stop");
  let others: OverNetwork | undefined;
  try {
    if (participants === "nats")
      others = await (await import("./network.ts")).gatherOn({ flags, plan, words: planWords(path, rest, flags), faults: planted, backend, signal: stopping.signal }); // prettier-ignore
    const record = await runRounds(plan, {
      out,
      participants: participants === "nats" ? others!.muster : participants,
      ...(backend !== undefined && { backend }),
      faults: planted.map((each) => each.planted),
      resume,
      force,
      signal: stopping.signal,
      onLeaf: (leaf) => (json ? writeJson(leafLine(leaf)) : writeLine(describeLeaf(leaf))),
    });
    report(record, flags);
  } catch (error) {
    const code = stopping.code();
    if (code === undefined || !(error instanceof RunError)) throw error;
    reportFailure(error, json);
    reportLine(`  ${commandWith("--resume", ["--force"])}`);
    exitWith(code);
  } finally {
    await others?.close();
    stopping.done();
  }
}

const leafLine = ({ round, rounds, name, participant, metrics }: LeafInfo) => ({ schemaVersion: 1, round, rounds, leaf: name, participant, metrics }); // prettier-ignore

function describeLeaf({ round, rounds, name, metrics }: LeafInfo): string {
  const loss = metrics.loss === undefined ? "" : `  loss ${formatNumber(metrics.loss)}`;
  return `round ${round}/${rounds}  ${name}${loss}`;
}

function report(record: RoundsRecord, { out, json }: Flags): void {
  const { plan, instance, marks, size } = record;
  const root = toHex(marks[marks.length - 1].root);
  if (json) {
    writeJson({ schemaVersion: 1, record: out, plan: toHex(plan.id), instance: toHex(instance.id), rounds: plan.rounds, leaves: size, root }); // prettier-ignore
    return;
  }
  writeLine(`${plan.name}: ${plan.rounds} rounds, ${size} leaves of ${plan.participants.length} participants.`);
  writeLine(`The record ${root} is in ${out}.`);
}
