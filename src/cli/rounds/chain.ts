/** The commands of rounds on a chain: what performs them is loaded when it is needed. */
import type { Command } from "commander";
import { collected } from "../collected.ts";
import { BACKEND_NAMES } from "../../repops/backends/index.ts";
import { addNetworkOptions } from "../network-options.ts";
import { addThreadsOption } from "../threads.ts";
import { count } from "../run.ts";
import { addChainOptions, addSendOptions } from "../session-options.ts";
import { ROUNDS, SEED } from "./plan.ts";

const TERMS = ["--terms <file>", "the terms, as `verde rounds post` has written them"] as const;
const NO_APPROVE = ["--no-approve", "do not change an allowance; without this flag, just enough is approved first"] as const; // prettier-ignore

/** The options that keep a plan on a chain. @param run has them too */
export function addStakedOptions(command: Command): Command {
  return command
    .option("--terms <file>", "on a chain: the terms of the performance, as `verde rounds post` has written them")
    .option(
      "--keystore <file>",
      "with --terms: a key that signs, that of an account in the terms; may be repeated; default: VERDE_KEYSTORE (a file) or VERDE_PRIVATE_KEY (a key)",
      collected((file) => file),
    )
    .option("--password-file <file>", "with --terms: a file with the keystores' password; else VERDE_PASSWORD, or you are asked"); // prettier-ignore
}

/** @returns the commands that take a plan's own options */
export function registerOnChain(rounds: Command): Command[] {
  const post = rounds
    .command("post")
    .description("as a client: post a plan on a chain, with a reward, and write its terms to a file for the others")
    .argument("<plan>", "the module that exports the plan")
    .argument("[options...]", "the plan's own options: --name value")
    .option(...ROUNDS)
    .option(...SEED)
    .requiredOption(
      "--account <name=address>",
      "the account of a participant, such as worker-2=0x…; one for each",
      collected((text) => text),
    ) // prettier-ignore
    .requiredOption("--recorder <address>", "the account that posts the record")
    .requiredOption("--reward <tokens>", "for each participant and the recorder, if it has not lost")
    .option("--stake <tokens>", "of each participant and the recorder; default: 10 rewards")
    .option("--bond <tokens>", "of a challenger; default: half the stake")
    .option("--price <tokens>", "of a demand to see a leaf; default: a tenth of the reward")
    .option("--to-join <time>", "until all have joined; default: from the deployment's profile")
    .option("--to-record <time>", "until the record is posted; default: from the profile")
    .option("--to-challenge <time>", "in which leaves can be challenged; default: from the profile")
    .option("--to-answer <time>", "until an accusation or a demand is answered; default: from the profile")
    .option("--salt <hex>", "makes otherwise equal performances different; default: random")
    .option("--out <file>", "the file with the terms; one with the same terms is continued", "terms.json")
    .option(...NO_APPROVE)
    .allowUnknownOption();
  addSendOptions(post).action(async (path: string, rest: string[], flags) =>
    (await import("./post.ts")).postRounds(path, rest, flags, post),
  );
  const stake = rounds
    .command("stake")
    .description("as a participant or the recorder: check that the terms are about the plan, and join with the stake")
    .argument("<plan>", "the module that exports the plan")
    .argument("[options...]", "the plan's own options: --name value")
    .option(...ROUNDS)
    .option(...SEED)
    .requiredOption(...TERMS)
    .option("--policy <file>", "what terms have to grant you, as JSON; default: what docs/settlement.md lists")
    .option(
      "--accept-risk <term>",
      "accept this term although the policy refuses it; may be repeated",
      collected((text) => text),
      [],
    ) // prettier-ignore
    .option(...NO_APPROVE)
    .allowUnknownOption();
  addSendOptions(stake).action(async (path: string, rest: string[], flags) =>
    (await import("./stake.ts")).stakeRounds(path, rest, flags, stake),
  );
  addChainOptions(
    rounds
      .command("show")
      .description("show a performance on a chain: its state, who has joined, and what has to be answered")
      .argument("<terms>", "the file with the terms"),
  ).action(async (file: string, flags) => (await import("./show.ts")).showRounds(file, flags));
  addSendOptions(
    rounds
      .command("record")
      .description("as the recorder: post the root of a whole record")
      .argument("<record>", "the folder of the record")
      .requiredOption(...TERMS),
  ).action(async (folder: string, flags) => (await import("./record.ts")).postRecord(folder, flags));
  addSendOptions(
    rounds
      .command("demand")
      .description("for the price in the terms, have the recorder show a leaf of its record, or a store a chunk of one")
      .argument("<record>", "the folder of the posted record, or a copy of it")
      .requiredOption(...TERMS)
      .requiredOption("--round <number>", "the leaf's round; 0 has the initial states", count)
      .requiredOption("--leaf <name>", "the leaf's name, such as local-2")
      .option("--store <name>", "have this store show a part of the leaf's final state; it has signed a receipt of it")
      .option("--entry <number>", "with --store: the entry of the state (default: 0)", count)
      .option("--chunk <number>", "with --store: the chunk of the entry, of 64 elements (default: 0)", count)
      .option(...NO_APPROVE),
  ).action(async (folder: string, flags) => (await import("./demand.ts")).demandPlace(folder, flags));
  const watch = rounds
    .command("watch")
    .description("follow a performance until its end: audit the posted record, show who is wrong, answer, and play")
    .argument("<record>", "the folder of the record, or a copy of it; it need not be there before the record is posted")
    .requiredOption(...TERMS)
    .option("--every <time>", "how often to look", "4s")
    .option("--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one (default: wasm)`)
    .option(
      "--evidence <folder>",
      "what you have kept of it yourself, as `verde rounds join` does: it answers and plays from there where the record's folder can't; may be given several times",
      collected((folder) => folder),
    )
    .option("--no-accuse", "answer and play, but accuse, challenge and demand nothing")
    .option("--serve", "serve the record meanwhile on the network that --network names, as `verde rounds serve` does")
    .option(...NO_APPROVE);
  addThreadsOption(addNetworkOptions(addSendOptions(watch))).action(async (folder: string, flags) =>
    (await import("./watch.ts")).watchRounds(folder, flags),
  );
  addSendOptions(
    rounds
      .command("close")
      .description("end a performance whose time is over: pay stakes and rewards, or return them")
      .argument("<terms>", "the file with the terms"),
  ).action(async (file: string, flags) => (await import("./close.ts")).closeRounds(file, flags));
  addSendOptions(
    rounds.command("claim").description("withdraw what the vault of rounds and its game hold for the account"),
  ).action(async (flags) => (await import("./claim.ts")).claimRounds(flags));
  return [post, stake];
}
