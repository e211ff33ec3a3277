/** `verde task`: from a job to its payment. */
import { SEED, STEPS } from "./job-options.ts";
import type { Command } from "commander";
import { addAllowanceOption } from "./allowance.ts";
import { count } from "./run.ts";
import { registerSales } from "./sale/register.ts";
import { addChainOptions, addPostedOption, addSendOptions } from "./session-options.ts";
import { accept } from "./task/accept.ts";
import { challenge, escalate } from "./task/challenge.ts";
import { canary } from "./task/canary.ts";
import { claim } from "./task/claim.ts";
import { deliver, demand } from "./task/delivery.ts";
import { commit, compare, expire, finalize, reveal } from "./task/moves.ts";
import { post } from "./task/post.ts";
import { addRiskOptions } from "./task/risk.ts";
import { admit, draw, leave } from "./task/seats.ts";
import { list, show } from "./task/show.ts";
import { addTermsOptions } from "./task/terms.ts";

const TASK = ["<task>", "the task's id, 0x and 64 digits"] as const;
const TRACE = ["<trace>", "a finished run of the task's job"] as const;
const JOB_OPTIONS = ["[options...]", "the job's own options: --name value"] as const;

export function register(program: Command): void {
  const task = program.command("task").description("post a job with a reward, run one for pay, and settle it");
  const sends = (name: string, description: string): Command =>
    addSendOptions(task.command(name).description(description));
  const moves = (name: string, description: string): Command => addPostedOption(sends(name, description));
  const trusts = (command: Command): Command =>
    command
      .option("--committee <address>", "a committee that you trust instead of the deployment's")
      .option("--game <address>", "a game that you trust instead of the deployment's");

  addAllowanceOption(addTermsOptions(sends("post", "offer a reward for running a job")))
    .argument("<job>", "a job module, a job file, or a trace of it")
    .argument(...JOB_OPTIONS)
    .option(...STEPS)
    .option(...SEED)
    .option("--commit-every <n>", "training steps between two roots; default: as the trace, or as a run chooses", count)
    .option("--canary <trace>", "a run of the job, whose root you know: `verde task canary` shows it later")
    .option("--quiet", "print the task's id and nothing else: TASK=$(verde task post … --quiet)")
    .allowUnknownOption()
    .action(post);
  addRiskOptions(
    trusts(moves("accept", "take a seat, secured by your stake, or offer to take one where seats are drawn")),
  )
    .argument(...TASK)
    .argument(...JOB_OPTIONS)
    .option("--job <job>", "a job module, a job file, or a trace: accept only if the task is for this job")
    .allowUnknownOption()
    .action(accept);
  moves("leave", "give a seat back, as long as other seats are free")
    .argument(...TASK)
    .action(leave);
  moves("admit", "as the client: name owners who may take a seat")
    .argument(...TASK)
    .argument("<owners...>", "their addresses")
    .action(admit);
  moves("draw", "as the client: end the offers for seats, and draw who may take them")
    .argument(...TASK)
    .option("--canary <trace>", "for a canary: the run of the job, whose root you know")
    .action(draw);
  moves("commit", "commit to the root of a run without showing it")
    .argument(...TASK)
    .argument(...TRACE)
    .action(commit);
  moves("reveal", "show the root that you committed to")
    .argument(...TASK)
    .argument(...TRACE)
    .action(reveal);
  moves("compare", "compare the claims")
    .argument(...TASK)
    .action(compare);
  addRiskOptions(trusts(moves("challenge", "challenge the claim that stands with another one, and a bond")))
    .argument(...TASK)
    .argument(...TRACE)
    .action(challenge);
  addAllowanceOption(moves("demand", "as the client: demand a chunk of the final state"))
    .argument(...TASK)
    .argument("<job>", "the job module, a job file, or a trace of it: it tells the layout of the state")
    .argument(...JOB_OPTIONS)
    .option("--tensor <name>", "its name or number in the state; default: a random one")
    .option("--chunk <n>", "which 256 bytes of it, counted from 0; default: a random chunk")
    .allowUnknownOption()
    .action(demand);
  moves("deliver", "answer demands with chunks and proofs from a trace")
    .argument(...TASK)
    .argument(...TRACE)
    .option("--demand <n>", "only this one")
    .action(deliver);
  moves("finalize", "pay, once a window without challenges is over, or the time for demands after them")
    .argument(...TASK)
    .action(finalize);
  moves("expire", "end a state whose deadline has passed, or enforce a ruling that nobody escalated")
    .argument(...TASK)
    .option("--demand <n>", "a demanded chunk that was not delivered in time")
    .option("--challenge <address>", "the bond of a challenge that was not revealed in time")
    .action(expire);
  moves("escalate", "as a loser: let the game decide instead of the committee's ruling")
    .argument(...TASK)
    .action(escalate);
  moves("canary", "as the client: show that you knew the root of a final task, and who has passed")
    .argument(...TASK)
    .argument("<trace>", "the run with which it was posted")
    .action(canary);
  sends("claim", "withdraw credits from the vault and the exchange, and your bonds from the game")
    .option("--owner <address>", "whose credits in the vault; default: yours")
    .option("--game <address>", "a game; default: the deployment's")
    .action(claim);
  registerSales(task);
  addPostedOption(addChainOptions(task.command("show").description("show a task: terms, seats, claims, what is due")))
    .argument(...TASK)
    .action(show);
  addChainOptions(task.command("list").description("list tasks, the newest first"))
    .option("--state <state>", "only tasks in this state, for example open")
    .option("--limit <n>", "at most this many", "20")
    .action(list);
}
