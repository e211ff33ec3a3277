/** `verde defend`: a claim before the game answers by itself, until the task is decided. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { type Address, decodeFunctionData, isAddressEqual, zeroAddress } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";
import { ABIS } from "../settlement/contracts.ts";
import { parseDuration } from "../settlement/amount.ts";
import { type Case, Defender, type DueCall } from "../settlement/game/defender.ts";
import { GameFacts } from "../settlement/game/facts.ts";
import { readTask, type TaskView } from "../settlement/task.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { traceMemory } from "../referee/trace-memory.ts";
import { trainingProver } from "../referee/claim.ts";
import { colors, formatCount, Progress, writeJson, writeLine } from "./output.ts";
import { Sender } from "./send.ts";
import { addSendOptions, openSession, type SendFlags } from "./session.ts";
import { bondCredit, bondText } from "./task/game.ts";
import { traceFor } from "./task/job.ts";
import { parseTaskId } from "./task/moves.ts";
import { stateName } from "./task/sentence.ts";

/** Milliseconds between two looks while moves go to and fro. */
const BRISK = 200;

export function register(program: Command): void {
  addSendOptions(
    program.command("defend").description("defend your claim before the game, move by move, from its trace"),
  )
    .argument("<task>", "the task's id")
    .argument("<trace>", "the run behind your claim")
    .option("--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one; the run's own unless given`)
    .option("--every <time>", "how often to look", "4s")
    .option("--until-decided", "end when the dispute is decided; else when the task is final")
    .option("--no-escalate", "leave a ruling against your claim as it is")
    .action(defend);
}

type Flags = SendFlags & { backend?: string; every: string; escalate: boolean; untilDecided?: boolean };

async function defend(id: string, path: string, flags: Flags): Promise<void> {
  const task = parseTaskId(id);
  const every = 1000 * Math.max(parseDuration(flags.every), 1);
  const session = await openSession(flags);
  const { terms } = await readTask(session.source, task);
  if (terms.game === zeroAddress)
    throw new ChainError(
      "NO_GAME",
      "the terms of this task name no game, so nothing can be brought before one; leave the dispute to the committee",
    );
  const memory = await traceMemory(await traceFor(path, terms), flags.backend);
  const sender = await Sender.open(session, flags);
  const place = { client: session.client, game: terms.game, fromBlock: session.source.fromBlock };
  const facts = new GameFacts(memory.outline, memory.commitEvery);
  const defender = new Defender(place, facts, trainingProver(memory), sender.address);
  const progress = new Progress();
  let disputed = false;
  let last: Case | undefined;
  try {
    for (;;) {
      const view = await readTask(session.source, task);
      const own = view.seats.find(({ owner }) => isAddressEqual(owner, sender.address));
      if (!own)
        throw new ChainError("NO_SEAT", `${sender.address} has no seat in this task; use the account that has one`);
      const isOver = view.state === "Final" || view.state === "Refunded" || own.out;
      disputed ||= view.state === "Disputed";
      if (isOver || (flags.untilDecided && disputed && view.state !== "Disputed")) {
        // Others may have ended the task while the owner's bonds were in disputes with those that are out.
        for (const call of last ? await defender.leftOver(last) : []) await carryOut(call, terms.game, sender, flags);
        return report(view, own.out, await bondCredit(session.client, terms.game, sender.address), flags);
      }
      let calls = 0;
      if (view.phase === "Ruled" && flags.escalate && losesBy(view, own.root)) {
        const args = [terms, view.ruling, BigInt(own.seat)];
        await sender.send({ contract: "manager", functionName: "escalate", args });
        calls++;
      } else if (view.phase === "Playing") {
        last = { task, dispute: view.dispute, terms };
        for (const call of await defender.due(last)) {
          await carryOut(call, terms.game, sender, flags);
          calls++;
        }
      }
      if (flags.dryRun) return sender.report(flags.json ?? false, { task }, "");
      progress.show(`the task is ${stateName(view)}`, true);
      // Whoever has just moved may have the next move soon.
      await sleep(calls > 0 ? Math.min(every, BRISK) : every);
      progress.clear();
    }
  } finally {
    await memory.close();
  }
}

/** Whether the committee has ruled against a claim. */
function losesBy({ ruling }: TaskView, root: string | undefined): boolean {
  const claim = ruling?.claims.findIndex((other) => other === root) ?? -1;
  return claim >= 0 && ((ruling!.losers >> BigInt(claim)) & 1n) === 1n;
}

async function carryOut(
  { what, data, value = 0n, dispute, at }: DueCall,
  game: Address,
  sender: Sender,
  flags: Flags,
): Promise<void> {
  const { functionName, args } = decodeFunctionData({ abi: ABIS.game, data });
  try {
    const receipt = await sender.send({ contract: "game", to: game, functionName, args, value });
    if (!receipt) return;
    const { transactionHash: transaction, gasUsed } = receipt;
    const place = dispute === undefined ? "" : ` in dispute ${dispute}${at ? `, ${at}` : ""}`;
    const bond = value > 0n ? `, with the bond of ${bondText(value)}` : "";
    if (flags.json)
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
  } catch (error) {
    // Somebody else was first: the next look tells what is due then.
    if (!(error instanceof ChainError)) throw error;
    process.stderr.write(`verde: ${messageOf(error)}; looking again\n`);
  }
}

/** @param bonds that may be withdrawn, in wei */
function report(view: TaskView, out: boolean, bonds: bigint, { json }: Flags): void {
  const standing = out ? "Your claim has lost." : "Your claim stands.";
  const waiting = bonds > 0n ? ` ${bondText(bonds)} of bonds wait for you: \`verde task claim\`.` : "";
  const { id: task, state, phase } = view;
  if (json) writeJson({ schemaVersion: 1, task, state, phase, lost: out, bonds: `${bonds}` });
  else writeLine(`The task is ${stateName(view)}. ${standing}${waiting}`);
}
