/** `verde referee`: the pool of a committee whose members are drawn for each dispute. */
import type { Command } from "commander";
import { type Address, isAddressEqual, zeroHash } from "viem";
import { ChainError } from "../errors/index.ts";
import { formatAmount, formatTime } from "../settlement/amount.ts";
import { type Committee, hearingDue, readCommittee } from "../settlement/committee.ts";
import { ABIS } from "../settlement/contracts.ts";
import { nextLink } from "../settlement/secrets.ts";
import type { Session } from "../settlement/session.ts";
import type { TaskView } from "../settlement/task.ts";
import { addressOfSigner, type KeyFlags } from "./account.ts";
import { untilAfter } from "./after-block.ts";
import { addAllowanceOption, allow } from "./allowance.ts";
import { writeJson, writeLine } from "./output.ts";
import { Sender } from "./send.ts";
import {
  addChainOptions,
  addKeyOptions,
  addPostedOption,
  addSendOptions,
  type ChainFlags,
  type SendFlags,
} from "./session-options.ts";
import { openSession } from "./session.ts";
import { formatFields } from "./table.ts";
import { type Scene, sceneOf } from "./task/scene.ts";
import { stateName, whatIsDue } from "./task/sentence.ts";
import { parseAddress } from "./task/terms.ts";

export function register(referee: Command): void {
  addAllowanceOption(
    addSendOptions(referee.command("register").description("take a place in the pool from which members are drawn")),
  ).action(registerCandidate);
  addSendOptions(
    referee
      .command("leave")
      .description("leave the pool; once its delay is over, the same command withdraws the stake"),
  ).action(leave);
  addPostedOption(
    addSendOptions(
      referee
        .command("draw")
        .description("draw the members for a dispute, or replace those that were silent; anyone may"),
    ),
  )
    .argument("<task>", "the task's id")
    .action(draw);
  addPostedOption(
    addSendOptions(referee.command("settle").description("settle the pay and the stakes of a verdict; anyone may")),
  )
    .argument("<task>", "the task's id")
    .option("--dispute <n>", "the number of the dispute; default: the last one")
    .action(settle);
  addKeyOptions(addChainOptions(referee.command("show").description("show the pool, and what an account has in it")))
    .argument("[account]", "an address; default: the account that would sign")
    .action(show);
}

/** The rotating committee of a deployment. @throws {ChainError} when it has none */
function poolOf({ deployment }: Session): Address {
  if (deployment.rotating !== undefined) return deployment.rotating;
  throw new ChainError(
    "CONTRACT_MISSING",
    "the committee of this deployment has fixed members; `verde chain deploy --committee rotating` makes one with a pool",
    { contract: "rotating" },
  );
}

function readPool({ client }: Session, address: Address, account: Address) {
  const contract = { address, abi: ABIS.rotating } as const;
  return Promise.all([
    client.readContract({ ...contract, functionName: "candidateOf", args: [account] }),
    client.readContract({ ...contract, functionName: "price" }),
    client.readContract({ ...contract, functionName: "candidates" }),
    client.readContract({ ...contract, functionName: "members" }),
    client.readContract({ ...contract, functionName: "threshold" }),
  ]);
}

async function registerCandidate(flags: SendFlags & { approve: boolean }): Promise<void> {
  const session = await openSession(flags);
  const address = poolOf(session);
  const sender = await Sender.open(session, flags);
  const [{ stake }, price] = await readPool(session, address, sender.address);
  const amount = price - stake;
  await allow(session, sender, { name: "committee", address }, amount, flags.approve);
  await sender.send({ contract: "rotating", functionName: "register", args: [] });
  const [, , candidates] = await readPool(session, address, sender.address);
  sender.report(
    flags.json ?? false,
    { amount: `${amount}`, stake: `${price}`, candidates: Number(candidates) },
    `${sender.address} has a stake of ${formatAmount(price, session.token)}, and is one of ${candidates} candidates.`,
  );
}

async function leave(flags: SendFlags): Promise<void> {
  const session = await openSession(flags);
  const address = poolOf(session);
  const sender = await Sender.open(session, flags);
  const [{ readyAt, stake }] = await readPool(session, address, sender.address);
  const json = flags.json ?? false;
  if (readyAt === 0) {
    await sender.send({ contract: "rotating", functionName: "leavePool", args: [] });
    const [after] = await readPool(session, address, sender.address);
    const when = formatTime(after.readyAt);
    const done = `${sender.address} is not drawn any more, and can withdraw its stake from ${when} on.`;
    return sender.report(json, { readyAt: after.readyAt }, done);
  }
  await sender.send({ contract: "rotating", functionName: "withdraw", args: [sender.address] });
  const done = `${sender.address} has ${formatAmount(stake, session.token)} back.`;
  sender.report(json, { amount: `${stake}` }, done);
}

/** The rotating committee of a task that waits for its verdict. */
async function judging({ session, task, now }: Scene): Promise<Required<Committee>> {
  if (task.phase !== "Judging")
    throw new ChainError(
      "STATE",
      `the task is ${stateName(task)}, so no committee has to be drawn: ${whatIsDue(task, now)}`,
      { state: task.state, phase: task.phase, expected: "Judging", found: task.phase },
    );
  const { hearing, ...committee } = (await readCommittee(session.client, task)) ?? {};
  if (hearing === undefined)
    throw new ChainError("CONTRACT_KIND", "the members of this task's committee are not drawn; they are fixed");
  return { ...(committee as Committee), hearing };
}

async function draw(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { session, sender, task, now } = scene;
  const { terms, committee } = { terms: task.terms, committee: task.terms.committee };
  const before = (await judging(scene)).hearing;
  const block = Number(await session.client.getBlockNumber());
  const due = hearingDue(before, terms.periods.toJudge, now, block);
  const isClient = isAddressEqual(sender.address, terms.client);
  const call = { contract: "rotating", to: committee } as const;
  if (due.what === "wait" && (before.drawn.length > 0 || !isClient))
    throw new ChainError(
      "STATE",
      before.drawn.length > 0
        ? `the members that were drawn have time until ${formatTime(due.until)}; others are drawn after that`
        : `the client may open its secret until ${formatTime(due.until)}; draw after that`,
      { until: due.until },
    );
  if (due.what === "convene") await sender.send({ ...call, functionName: "convene", args: [terms] });
  const hearing = sender.secrets === undefined ? before : (await judging(scene)).hearing;
  const secret = hearing.plain ? zeroHash : await secretFor(scene, isClient);
  const json = flags.json ?? false;
  if (secret === undefined) {
    const done = `Round ${hearing.round} is convened: block ${hearing.number} and the client's secret decide who is drawn.`;
    return sender.report(json, { task: task.id, round: hearing.round, drawn: [] }, done);
  }
  if (sender.secrets !== undefined) await untilAfter(session, hearing.number);
  await sender.send({ ...call, functionName: "draw", args: [terms, secret] });
  if (sender.secrets === undefined) return sender.report(json, { task: task.id });
  const { round, drawn, until } = (await judging(scene)).hearing;
  sender.report(
    json,
    { task: task.id, round, drawn, until },
    `Round ${round}: drawn are, until ${formatTime(until)},`,
    ...drawn.map((member) => `  ${member}`),
  );
}

/** The client's next secret. `undefined` for anybody else, and if the salt commits to none. */
async function secretFor({ session, sender, task }: Scene, isClient: boolean): Promise<typeof zeroHash | undefined> {
  if (!isClient) return undefined;
  // A dry run has no key, and so no secret.
  if (sender.secrets === undefined) return zeroHash;
  const links = await sender.secrets.findDrawSecrets(task.terms).catch((error: unknown) => {
    if (error instanceof ChainError && error.code === "VERDE_CHAIN_NO_SECRET") return [];
    throw error;
  });
  const address = task.terms.committee;
  const call = { address, abi: ABIS.rotating, functionName: "openedOf", args: [task.id] } as const;
  return nextLink(links, await session.client.readContract(call)) as typeof zeroHash | undefined;
}

async function settle(id: string, flags: SendFlags & { dispute?: string }): Promise<void> {
  const scene: Scene & { task: TaskView } = await sceneOf(id, flags);
  const { sender, task } = scene;
  const dispute = flags.dispute === undefined ? task.dispute : Number(flags.dispute);
  const args = [task.terms, BigInt(dispute)];
  await sender.send({ contract: "rotating", to: task.terms.committee, functionName: "settle", args });
  const done = `The verdict of dispute ${dispute} is settled: \`verde referee pay\` pays its members.`;
  sender.report(flags.json ?? false, { task: task.id, dispute }, done);
}

async function show(account: string | undefined, flags: ChainFlags & KeyFlags): Promise<void> {
  const session = await openSession(flags);
  const address = poolOf(session);
  const owner = account === undefined ? await addressOfSigner(flags) : parseAddress(account, "the account");
  const [{ stake, pay, readyAt, place }, price, candidates, members, threshold] = await readPool(
    session,
    address,
    owner,
  );
  const isCandidate = place !== 0 && readyAt === 0;
  if (flags.json) {
    const amounts = { price: `${price}`, stake: `${stake}`, pay: `${pay}` };
    const pool = { candidates: Number(candidates), members: Number(members), threshold: Number(threshold) };
    return writeJson({
      schemaVersion: 1,
      committee: address,
      ...pool,
      account: owner,
      isCandidate,
      ...amounts,
      readyAt,
    });
  }
  const money = (amount: bigint): string => formatAmount(amount, session.token);
  writeLine(
    ...formatFields([
      ["committee", `${address}, ${threshold} of ${members} that are drawn for each dispute`],
      ["pool", `${candidates} candidates, each with a stake of ${money(price)}`],
      ["account", owner],
      [
        "stake",
        `${money(stake)}${isCandidate ? ", can be drawn" : readyAt ? `, ready at ${formatTime(readyAt)}` : ""}`,
      ],
      ["pay", `${money(pay)}${pay > 0n ? ", withdraw it with `verde referee pay`" : ""}`],
    ]),
  );
}
