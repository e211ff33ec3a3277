/** `verde task accept`: takes a seat, if the terms are what a provider can risk its stake on. */
import type { Command } from "commander";
import { zeroAddress } from "viem";
import { ChainError, JobError } from "../../errors/index.ts";
import { formatAmount, formatTime } from "../../settlement/amount.ts";
import { expectSettleable } from "../../settlement/game/lengths.ts";
import { readDraw, seatChance } from "../../settlement/seats.ts";
import type { Terms } from "../../settlement/task.ts";
import type { JobOutline } from "../../job/closed.ts";
import { jobOptions, optionNames } from "../job-options.ts";
import { reportLine } from "../output.ts";
import type { SendFlags } from "../session-options.ts";
import { jobTerms } from "./job.ts";
import { expectState, move, type Scene, sceneOf } from "./scene.ts";
import { expectWithinPolicy, type RiskFlags } from "./risk.ts";
import { expectTrusted, type Trusted } from "./trust.ts";

export async function accept(
  id: string,
  rest: readonly string[],
  flags: SendFlags & Trusted & RiskFlags & { job?: string },
  command: Command,
): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, session, sender } = scene;
  const { terms } = task;
  expectState(scene, "accept", task.state === "Open");
  expectTrusted(terms, session.deployment, flags);
  await expectWithinPolicy(session, terms, "provider", flags);
  const outline = flags.job === undefined ? undefined : await expectJob(flags.job, rest, terms, command);
  if (outline === undefined)
    reportLine("verde: nothing has checked that a run of the job can match these terms; --job with the job does");
  // Only a game shows the job's graphs.
  expectSettleable(terms, terms.game === zeroAddress ? undefined : outline, session.deployment.build);
  const chance = await seatChance(session, task, sender.address, scene.now);
  if (chance.can === "offer") return offer(scene, flags);
  if (chance.can !== "take")
    throw new ChainError("SEAT_REFUSED", `there is no seat for you in this task now: ${chance.why}`, { task: task.id });
  const seat = task.seats.length;
  const stake = formatAmount(terms.stake, session.token);
  const done = `${sender.address} has seat ${seat}, with a stake of ${stake}.`;
  await move(scene, flags, "accept", [task.id], { seat }, done);
}

/** Where seats are drawn, an account offers first. */
async function offer({ session, sender, task }: Scene, flags: SendFlags): Promise<void> {
  await sender.send({ contract: "seatDraw", functionName: "offer", args: [task.terms] });
  const { offers, closes } = await readDraw(session, task);
  const done = `${sender.address} has offered to take a seat. Seats are drawn after ${formatTime(closes)}: run this command again then.`;
  sender.report(flags.json ?? false, { task: task.id, offered: true, offers, closes }, done);
}

/** @throws {JobError} when the task is for another job */
async function expectJob(path: string, rest: readonly string[], terms: Terms, command: Command): Promise<JobOutline> {
  const names = optionNames(command);
  const { terms: own, outline } = await jobTerms(path, terms.commitEvery, jobOptions(rest, names), names);
  for (const field of ["job", "stateLayout", "steps", "tensors"] as const)
    if (own[field] !== terms[field])
      throw new JobError(
        "FOREIGN",
        `${path} is another job than the task's: its ${field} is ${own[field]}, and the task's is ${terms[field]}; give the module and the options of the task's job`,
        { field, expected: terms[field], found: own[field] },
      );
  return outline;
}
