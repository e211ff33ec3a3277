/** `verde defend`: answers for a claim in the game, until the task is decided. */
import { type Command, Option } from "commander";
import { type TransactionReceipt, zeroAddress } from "viem";
import { ChainError, UsageError } from "../errors/index.ts";
import { parseDuration } from "../settlement/duration.ts";
import { bondCredit } from "../settlement/game/bond.ts";
import type { DueCall } from "../settlement/game/defender.ts";
import { type Defended, defendClaim } from "../settlement/game/driver.ts";
import { GameFacts } from "../settlement/game/facts.ts";
import { formatTime } from "../settlement/amount.ts";
import { readTask, type TaskView } from "../settlement/task.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { traceMemory } from "../referee/trace-memory.ts";
import { trainingProver } from "../referee/claim.ts";
import { colors, formatCount, reportLine, writeJson, writeLine } from "./output.ts";
import { Progress } from "./progress.ts";
import { Sender } from "./send.ts";
import { addSendOptions, openSession, type SendFlags } from "./session.ts";
import { bondText } from "./task/game.ts";
import { traceFor } from "./task/job.ts";
import { parseTaskId } from "./task/moves.ts";
import { stateName } from "./task/sentence.ts";

export function register(program: Command): void {
  addSendOptions(
    program.command("defend").description("defend your claim in the game on the chain, move by move, from its trace"),
  )
    .argument("<task>", "the task's id")
    .argument("<trace>", "the trace of the run that you claimed")
    .option(
      "--backend <name>",
      `${BACKEND_NAMES}, auto, or a module that exports one; default: wasm, or auto for a run that was made on a device`,
    )
    .option("--every <time>", "how often to look", "4s")
    .option("--until-final", "keep watching after a decision, until the task is final: others may still challenge")
    .addOption(new Option("--until-decided", "end when the dispute is decided, as without this flag").hideHelp())
    .option("--no-escalate", "accept a ruling against your claim")
    .action(defend);
}

type Flags = SendFlags & {
  backend?: string;
  every: string;
  escalate: boolean;
  untilFinal?: boolean;
  untilDecided?: boolean;
};

async function defend(id: string, path: string, flags: Flags): Promise<void> {
  const task = parseTaskId(id);
  if (flags.untilFinal && flags.untilDecided)
    throw new UsageError("CONFLICT", "--until-final and --until-decided exclude each other; omit one of them");
  const everyMillis = 1000 * Math.max(parseDuration(flags.every), 1);
  const session = await openSession(flags);
  const { terms } = await readTask(session.source, task);
  if (terms.game === zeroAddress)
    throw new ChainError(
      "NO_GAME",
      "the terms of this task name no game, so there is nothing to defend; the committee decides its disputes",
    );
  const trace = await traceFor(path, terms);
  const sender = await Sender.open(session, flags);
  const memory = await traceMemory(trace, flags.backend);
  const facts = new GameFacts(memory.outline, memory.commitEvery);
  const progress = new Progress();
  try {
    const own = { address: sender.address, prover: trainingProver(memory) };
    const ended = await defendClaim(session, task, facts, own, {
      everyMillis,
      escalate: flags.escalate,
      untilDecided: !flags.untilFinal,
      once: flags.dryRun ?? false,
      send: (call) => sender.send(call),
      onCall: (call, receipt) => writeCall(call, receipt, flags),
      onRefused: (error) => reportLine(`verde: ${error.message}; looking again`),
      onDecided: ({ view, out }) => writeDecided(view, out, flags),
      onWait: (view) => progress.show(`the task is ${stateName(view)}`, true),
      onLook: () => progress.clear(),
    });
    if (!ended) return sender.report(flags.json ?? false, { task }, "");
    report(ended, await bondCredit(session.client, terms.game, sender.address), flags);
  } finally {
    await memory.close();
  }
}

function writeCall(
  { what, value = 0n, dispute, at }: DueCall,
  { transactionHash: transaction, gasUsed }: TransactionReceipt,
  { json }: Flags,
): void {
  const place = dispute === undefined ? "" : ` in dispute ${dispute}${at ? `, ${at}` : ""}`;
  const bond = value > 0n ? `, with the bond of ${bondText(value)}` : "";
  if (json)
    writeJson({
      schemaVersion: 1,
      what,
      dispute: dispute === undefined ? null : Number(dispute),
      at: at ?? null,
      transaction,
      gas: Number(gasUsed),
      value: `${value}`,
    });
  else writeLine(`${what}${place}${bond}  ${colors.dim(`${transaction}  ${formatCount(Number(gasUsed))} gas`)}`);
}

/** Tells how a dispute ended, while the task is watched on. */
function writeDecided({ id: task, state, phase }: TaskView, out: boolean, { json }: Flags): void {
  if (json) writeJson({ schemaVersion: 1, what: "decided", task, state, phase, lost: out });
  else writeLine(out ? "The dispute is decided: your claim has lost." : "The dispute is decided: your claim stands.");
}

/** @param bonds credit of bonds that may be withdrawn, in wei */
function report({ view, out }: Defended, bonds: bigint, { json }: Flags): void {
  const standing = out ? "Your claim has lost." : "Your claim stands.";
  const mayBeChallenged = !out && view.state === "Challengeable";
  const open = mayBeChallenged
    ? ` Others may challenge it until ${formatTime(view.deadline)}; then start again, or watch with --until-final.`
    : "";
  const waiting =
    bonds > 0n ? ` ${bondText(bonds)} of bonds wait for you: withdraw them with \`verde task claim\`.` : "";
  const { id: task, state, phase } = view;
  if (json) writeJson({ schemaVersion: 1, task, state, phase, lost: out, bonds: `${bonds}` });
  else writeLine(`The task is ${stateName(view)}. ${standing}${open}${waiting}`);
}
