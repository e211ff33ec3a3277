/** `verde client`: submits a job to a network of providers, and waits for its result. */
import { SEED, STEPS } from "./job-options.ts";
import type { Command } from "commander";
import { type Address, bytesToHex, isAddressEqual, zeroHash } from "viem";
import { UsageError } from "../errors/index.ts";
import { drawProviders } from "../services/client/draw-providers.ts";
import { statementBy } from "../services/network/statement.ts";
import { Notes } from "../services/network/notes.ts";
import type { Networks } from "../services/network/open.ts";
import { Trusted } from "../services/network/trusted.ts";
import { parseDuration } from "../settlement/duration.ts";
import { readTask } from "../settlement/task.ts";
import { signerOf } from "./account.ts";
import { addAllowanceOption } from "./allowance.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { networkKey, networksOf } from "./network.ts";
import { addNetworkOptions, expectNetwork, networkAddress, type NetworkFlags } from "./network-options.ts";
import { colors, formatCount, reportLine, writeJson, writeLine } from "./output.ts";
import { Progress } from "./progress.ts";
import { count } from "./run.ts";
import { openSession } from "./session.ts";
import { addChainOptions, addSendOptions, type ChainFlags } from "./session-options.ts";
import { formatTable } from "./table.ts";
import { type PostFlags, type PreparedTask, prepareTask, sendTask } from "./task/post.ts";
import { type SeatRule, seatRuleFrom } from "./task/seats.ts";
import { stateName } from "./task/sentence.ts";
import { addTermsOptions } from "./task/terms.ts";
import { addTokenOption } from "./token.ts";
import { follow } from "./watch.ts";

interface SubmitFlags extends PostFlags, NetworkFlags {
  offersFor: string;
  together?: boolean;
  wait?: boolean;
  every: string;
}

export function register(program: Command): void {
  const client = program.command("client").description("submit jobs to a network of providers");
  const submit = client
    .command("submit")
    .description("draw providers among those that offer, post the job as a task for them, and perhaps wait")
    .argument("<job>", "a job file (`verde job export`) as the providers have it, a job module, or a trace")
    .option(...STEPS)
    .option(...SEED)
    .option("--commit-every <n>", "training steps between two roots; default: as a run chooses", count)
    .option("--offers-for <time>", "how long to wait for offers", "20s")
    .option("--canary <trace>", "a run of the job, whose root you know: `verde task canary` shows it later")
    .option("--together", "two providers of one operator may be drawn")
    .option("--wait", "print what happens to the task until it is final or refunded")
    .option("--every <time>", "how often --wait looks", "4s");
  addTokenOption(addNetworkOptions(addAllowanceOption(addTermsOptions(addSendOptions(submit))))).action(submitJob);
  const providers = client.command("providers").description("list the providers that are there, with what they carry");
  addTokenOption(addNetworkOptions(addChainOptions(providers))).action(listProviders);
}

async function submitJob(path: string, flags: SubmitFlags, command: Command): Promise<void> {
  const address = networkAddress(flags);
  if (address !== undefined && flags.salt !== undefined)
    throw new UsageError("CONFLICT", "the salt commits to the draw of the providers; omit --salt, or --network");
  const json = flags.json ?? false;
  const secret = address === undefined ? undefined : bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
  const rule = ruleFrom(flags.seats, address !== undefined);
  const prepared = await prepareTask(path, [], flags, command, rule, secret);
  const networks = await networksOf(flags);
  try {
    const isDrawn = address !== undefined && !flags.dryRun;
    const owners = isDrawn ? await draw(prepared, networks, address, flags) : rule.owners;
    await sendTask({ ...prepared, seats: rule.kind === "list" ? { ...rule, owners } : rule }, flags.approve);
  } finally {
    await networks.close();
  }
  const { sender, task, facts, session } = prepared;
  sender.report(json, facts, `${task} is open.`);
  if (!flags.wait || flags.dryRun) return;
  const every = Math.max(parseDuration(flags.every), 1);
  const { state } = await follow(session, task, every, json);
  const view = await readTask(session.source, task);
  const { seats, claims } = view;
  const paid = seats.filter(({ root, out }) => root !== undefined && !out && claims.includes(root));
  const slashed = seats.filter(({ out }) => out);
  const owners = (list: typeof seats): string[] => list.map(({ owner }) => owner);
  if (json)
    writeJson({ schemaVersion: 1, task, state, root: claims[0] ?? null, paid: owners(paid), slashed: owners(slashed) }); // prettier-ignore
  else
    writeLine(
      colors.bold(`The task is ${stateName(view)}.`),
      ...(claims[0] === undefined ? [] : [`  the run root is ${claims[0]}`]),
      ...owners(paid).map((owner) => `  ${owner} is paid`),
      ...owners(slashed).map((owner) => `  ${owner} has lost its stake`),
    );
  if (state !== "Final") exitWith(EXIT.undecided);
}

/** On a network the contracts keep the seats for those who are drawn there, unless they are for anyone. */
function ruleFrom(flag: string | undefined, isDrawn: boolean): SeatRule {
  if (!isDrawn) return seatRuleFrom(flag);
  if (flag === undefined) return { kind: "list", owners: [] };
  if (flag === "anyone") return seatRuleFrom(flag);
  throw new UsageError("CONFLICT", "on a network seats are for those who are drawn there; omit --seats, or --network");
}

async function draw(
  { session, sender, terms, task, escrow, secret = zeroHash }: PreparedTask,
  networks: Networks,
  address: string,
  flags: SubmitFlags,
): Promise<Address[]> {
  const key = await networkKey(flags);
  const progress = new Progress();
  const { drawn, offers } = await drawProviders({
    session,
    notes: new Notes(await networks.at(address), key),
    statement: await statementBy(await signerOf(flags), session, key),
    task,
    terms,
    secret,
    seconds: Math.max(parseDuration(flags.offersFor), 1),
    together: flags.together ?? false,
    nudge: async () => {
      const args = [session.deployment.vault, escrow];
      await sender.send({ contract: "token", functionName: "approve", args });
    },
    onOffers: (found) => progress.show(`${found} providers offer`),
  });
  progress.clear();
  const names = drawn.map(({ owner }) => owner);
  if (flags.json) writeJson({ schemaVersion: 1, event: "drawn", task, offers, drawn: names, secret });
  else writeLine(`${formatCount(offers)} providers offer; drawn are`, ...names.map((name) => `  ${name}`));
  return names;
}

async function listProviders(flags: ChainFlags & NetworkFlags): Promise<void> {
  const address = expectNetwork(flags);
  const session = await openSession(flags);
  const networks = await networksOf(flags);
  try {
    const notes = await new Notes(await networks.at(address), await networkKey(flags)).read("providers");
    const trusted = new Trusted(session);
    const found = [];
    for (const { author, body } of notes) {
      const problem = await trusted.problem(author, body.statement);
      if (problem === undefined) found.push({ ...body.statement, tasks: body.tasks, most: body.most });
      else reportLine(`verde: ${author} says that it is ${body.statement.owner}: ${problem}`);
    }
    if (flags.json) return writeJson({ schemaVersion: 1, network: address, providers: found });
    if (found.length === 0) return writeLine("There is no provider.");
    const rows = found.map(({ owner, operator, tasks, most }) => [owner, isAddressEqual(owner, operator) ? "itself" : operator, `${tasks} of ${most}`]); // prettier-ignore
    writeLine(...formatTable(["provider", "operator", "tasks"], rows), colors.dim(`on ${address}`));
  } finally {
    await networks.close();
  }
}
