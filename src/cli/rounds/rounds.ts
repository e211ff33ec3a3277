/** `verde rounds`: plans of many participants, and the records of what they have computed. */
import { type Command, Option } from "commander";
import { BACKEND_NAMES } from "../../repops/backends/index.ts";
import { addThreadsOption } from "../threads.ts";
import { collected } from "../collected.ts";
import { addNetworkOptions } from "../network-options.ts";
import { addProgressOption } from "../progress.ts";
import { count } from "../run.ts";
import { auditRounds } from "./audit.ts";
import { addStakedOptions, registerOnChain } from "./chain.ts";
import { disputeRounds } from "./dispute.ts";
import { registerHandover } from "./handover.ts";
import { addPlanHelp } from "./help.ts";
import { inspectRounds } from "./inspect.ts";
import { ROUNDS, SEED } from "./plan.ts";
import { runPlan } from "./run.ts";

const BACKEND = ["--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one (default: wasm)`] as const;

const PATIENCE = [
  "--patience <time>",
  "on a network: how long one may be away; in a turn that may miss members, how long others are waited for after its quorum",
  "1m",
] as const;
const BEACON = [
  "--beacon <url>",
  "a server of the drand network that the plan's seeds need, such as https://api.drand.sh; may be given several times",
  collected(String),
] as const;
const EVIDENCE = [
  "--evidence <folder>",
  "what a participant keeps of this performance: it shows what its leaves have read, and its receipts; may be given several times",
  collected(String),
] as const;
const AWAY = [
  "--away <absence>",
  "have a participant or a store stay away, for drills: worker-2=3..5 names rounds in which the plan may miss it",
  collected(String),
] as const;
const CENSOR = [
  "--censor <member>",
  "have the recorder call a member absent that has delivered, for drills: worker-2=3..5 (docs/rounds.md)",
  collected(String),
] as const;
const TWICE = [
  "--twice <store>",
  "have a store sign both that it holds a leaf and that it has none, for drills: store-1=3..5 (docs/rounds.md)",
  collected(String),
] as const;
const FAULT = [
  "--fault <fault>",
  "deviate on purpose, for drills: participant=P,round=R, then flip:…, steps:…, message:…, aggregate:…, stale:…, presence:… or seed:… (docs/rounds.md)",
  collected(String),
] as const;

const CHECKPOINTS = [
  "--checkpoint-every <steps>",
  "keep the state of a leaf every so many steps while it is computed: one that is cut off continues there; 0: never (default: once a minute)",
  count,
] as const;

export function register(program: Command): void {
  const rounds = program
    .command("rounds")
    .description("run plans of many participants, and find who is wrong in their records");
  const run = rounds
    .command("run")
    .description("run a plan: each participant derives, computes and signs its own leaves")
    .argument("<plan>", "a module that exports a plan, for example examples/rounds/diloco.ts")
    .argument("[options...]", "the plan's own options: --name value")
    .requiredOption("--out <folder>", "the record to write")
    .option(...ROUNDS)
    .option(...SEED)
    .addOption(
      new Option("--participants <where>", "in this process, each in one of its own, or on a network (docs/rounds.md)")
        .choices(["local", "processes", "nats"])
        .default("local"),
    )
    .option(...BEACON)
    .option(...PATIENCE)
    .option(...CHECKPOINTS)
    .option(...AWAY)
    .option(...CENSOR)
    .option(...TWICE)
    .option(...FAULT)
    .option(...BACKEND)
    .option("--resume", "continue a record that was stopped")
    .option("--force", "overwrite a record")
    .option("--json", "one JSON object on each line")
    .allowUnknownOption();
  addThreadsOption(addStakedOptions(addNetworkOptions(run))).action((path: string, rest: string[], flags) => runPlan(path, rest, flags, run)); // prettier-ignore
  const join = rounds
    .command("join")
    .description("be a participant of a plan on a network: perform and sign leaves, or as a store keep those of others")
    .argument("<plan>", "the module that exports the plan; all participants and the recorder have the same")
    .argument("[options...]", "the plan's own options: --name value")
    .requiredOption("--as <participant>", "its name in the plan, such as worker-2")
    .option("--out <folder>", "where it keeps what it reads and computes; each participant has its own", "out/rounds")
    .option("--limit <size>", "a store: the most that the folder may hold: 500MiB, 2TiB (default: 64GiB)")
    .option(
      "--notice <time>",
      "a store: how long an owner may still deliver after the recorder has asked for a note of absence (default: 10s)",
    ) // prettier-ignore
    .option(...ROUNDS)
    .option(...SEED)
    .option(...PATIENCE)
    .option(...CHECKPOINTS)
    .option(...FAULT)
    .option(...BACKEND)
    .option("--json", "one JSON object on each line")
    .allowUnknownOption();
  addThreadsOption(addStakedOptions(addNetworkOptions(join))).action(async (path: string, rest: string[], flags) => {
    // The network is a large module, and loaded only when it is needed.
    const { joinPlan } = await import("./join.ts");
    return joinPlan(path, rest, flags, join);
  });
  addPlanHelp(rounds, [run, join, ...registerOnChain(rounds)]);
  registerHandover(rounds);
  rounds
    .command("inspect")
    .description("show a record: its plan, its participants and its leaves")
    .argument("<record>", "the folder of a record")
    .option("--svg <file>", "draw rounds and participants, with an arrow for each leaf that is read")
    .option("--against <record>", "with --svg: another record of the plan; the first leaf that differs is red")
    .option("--json", "one JSON object")
    .action(inspectRounds);
  const dispute = rounds
    .command("dispute")
    .description("find the first leaf in which two records differ, and who is wrong there")
    .argument("<a>", "the folder of a record")
    .argument("<b>", "another one, of the same plan")
    .option("--on-chain", "post A on a chain in this process, and let the holder of B dispute it there")
    .option(...EVIDENCE)
    .option("--hardfork <name>", "with --on-chain: the chain's rules: cancun, prague or osaka (default: osaka)")
    .option(...BACKEND)
    .option("--json", "one JSON object");
  addProgressOption(addThreadsOption(dispute)).action(disputeRounds);
  const audit = rounds
    .command("audit")
    .description("execute the leaves of a record again, and name everybody who is wrong")
    .argument("<record>", "the folder of a record")
    .option(...EVIDENCE)
    .option("--rounds <range>", "rounds to audit, such as 2..4 or 3; 0 has the initial states (default: all)")
    .option(...BACKEND)
    .option("--json", "one JSON object");
  addProgressOption(addThreadsOption(audit)).action(auditRounds);
}
