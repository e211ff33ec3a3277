/** `verde defend`: answers for a claim in its task, and in the game, until the task is decided. */
import { type Command, Option } from "commander";
import type { Hex, TransactionReceipt } from "viem";
import { UsageError } from "../errors/index.ts";
import { toHex } from "../encoding/bytes.ts";
import { formatTime } from "../settlement/amount.ts";
import { parseDuration } from "../settlement/duration.ts";
import type { Duty, SeatMeans } from "../settlement/duties.ts";
import { bondCredit } from "../settlement/game/bond.ts";
import { defendClaim } from "../settlement/game/defence.ts";
import type { Defended } from "../settlement/game/defence-options.ts";
import type { DueCall } from "../settlement/game/due-call.ts";
import { GameFacts } from "../settlement/game/facts.ts";
import { readTask, type TaskView } from "../settlement/task.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { traceMemory } from "../referee/trace-memory.ts";
import { trainingProver } from "../referee/claim.ts";
import { readCheckpoint } from "../trace/open.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatCount, reportLine, writeJson, writeLine } from "./output.ts";
import { patiently } from "./patiently.ts";
import { Progress } from "./progress.ts";
import { Sender } from "./send.ts";
import { openSession } from "./session.ts";
import { addPostedOption, addSendOptions, type SendFlags } from "./session-options.ts";
import { deliverFrom } from "./task/delivery.ts";
import { bondText } from "./task/game.ts";
import { traceFor } from "./task/job.ts";
import { parseTaskId } from "./task/scene.ts";
import { stateName } from "./task/sentence.ts";

export function register(program: Command): void {
  addPostedOption(
    addSendOptions(
      program
        .command("defend")
        .description("defend your claim in a task from its trace: reveal, deliver chunks, and play the game"),
    ),
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
    .option("--no-reveal", "do not reveal the claim when all have committed")
    .option("--no-deliver", "do not deliver the chunks that the client demands")
    .action(defend);
}

/** A node that is away for longer is told. The defence itself asks for ever. */
const AWAY_MILLIS = 3_000;

type Flags = SendFlags & {
  backend?: string;
  every: string;
  escalate: boolean;
  reveal: boolean;
  deliver: boolean;
  untilFinal?: boolean;
  untilDecided?: boolean;
};

async function defend(id: string, path: string, flags: Flags): Promise<void> {
  const task = parseTaskId(id);
  if (flags.untilFinal && flags.untilDecided)
    throw new UsageError("CONFLICT", "--until-final and --until-decided exclude each other; omit one of them");
  const everyMillis = 1000 * Math.max(parseDuration(flags.every), 1);
  const { session, terms, trace, sender } = await patiently(everyMillis, flags.dryRun, () => open(task, path, flags));
  const memory = await traceMemory(trace, flags.backend);
  const facts = new GameFacts(memory.outline, memory.commitEvery);
  const progress = new Progress();
  try {
    const own = { address: sender.address, prover: trainingProver(memory) };
    const ended = await defendClaim(session, task, facts, own, {
      everyMillis,
      ...meansOf(task, { terms, trace, sender }, flags),
      untilDecided: !flags.untilFinal,
      confirmations: flags.confirmations,
      once: flags.dryRun ?? false,
      send: (call) => sender.send(call),
      onCall: (call, receipt) => writeCall(call, receipt, flags),
      onTrouble: (sentence) => reportLine(`verde: ${sentence}`),
      onDecided: ({ view, out }) => writeDecided(view, out, flags),
      onWait: (view) => progress.show(`the task is ${stateName(view)}`, true),
      onLook: () => progress.clear(),
    });
    if (!ended) return sender.report(flags.json ?? false, { task }, "");
    // The end is known: a node that is away now changes nothing.
    const bonds = await bondCredit(session.client, terms.game, sender.address).catch(() => 0n);
    report(ended, bonds, flags);
    if (ended.out) exitWith(EXIT.divergence);
  } finally {
    await memory.close();
  }
}

type Opened = Awaited<ReturnType<typeof open>>;

async function open(task: Hex, path: string, flags: Flags) {
  const onDissent = (text: string): void => reportLine(`verde: ${text}`);
  const session = await openSession(flags, { agreement: "majority", onDissent });
  const { terms } = await readTask(session.source, task);
  const trace = await traceFor(path, terms);
  return { session, terms, trace, sender: await Sender.open(session, flags, AWAY_MILLIS) };
}

function meansOf(task: Hex, { terms, trace, sender }: Omit<Opened, "session">, flags: Flags): SeatMeans {
  const reveal = async () => {
    const salt = await sender.salt(task);
    return salt && { root: toHex(trace.runRoot) as Hex, salt };
  };
  const deliver: SeatMeans["deliver"] = async (demand) =>
    deliverFrom(terms, trace, await readCheckpoint(trace, terms.steps), demand);
  return { escalate: flags.escalate, ...(flags.reveal && { reveal }), ...(flags.deliver && { deliver }) };
}

function writeCall(
  call: DueCall | Duty,
  { transactionHash: transaction, gasUsed }: TransactionReceipt,
  { json }: Flags,
): void {
  const { what } = call;
  const { value = 0n, dispute, at }: Partial<DueCall> = "data" in call ? call : {};
  const place = `${dispute === undefined ? "" : ` in dispute ${dispute}`}${at ? `, ${at}` : ""}`;
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
function report({ view, out, turnedAway = false }: Defended, bonds: bigint, { json }: Flags): void {
  const standing = out
    ? "Your claim has lost."
    : turnedAway
      ? "Your challenge takes no seat, since its claim stands already or there is no place for it. Its bond is free again."
      : "Your claim stands.";
  const mayBeChallenged = !out && !turnedAway && view.state === "Challengeable";
  const open = mayBeChallenged
    ? ` Others may challenge it until ${formatTime(view.deadline)}; then start again, or watch with --until-final.`
    : "";
  const waiting =
    bonds > 0n ? ` ${bondText(bonds)} of bonds wait for you: withdraw them with \`verde task claim\`.` : "";
  const { id: task, state, phase } = view;
  if (json) writeJson({ schemaVersion: 1, task, state, phase, lost: out, turnedAway, bonds: `${bonds}` });
  else writeLine(`The task is ${stateName(view)}. ${standing}${open}${waiting}`);
}
