/**
 * `verde referee`: members of a committee sign a verdict, and anyone submits their signatures to the chain.
 */
import type { Command } from "commander";
import { type Hex } from "viem";
import { ClaimStore } from "../claims/store.ts";
import { fromHex } from "../encoding/bytes.ts";
import { parseJson, plainJson } from "../encoding/json.ts";
import { ChainError, messageOf, unreadable, UsageError } from "../errors/index.ts";
import { readRegular } from "../files/regular.ts";
import { type CheckOptions, checkVerdict } from "../referee/check-verdict.ts";
import { replayRuling } from "../referee/replay.ts";
import { SecondOpinion } from "../referee/second-opinion.ts";
import { isMemberFor } from "../settlement/committee.ts";
import { ABIS } from "../settlement/contracts.ts";
import { isForeign } from "../settlement/foreign.ts";
import { type GivenVerdict, rulingFrom, standingSeats } from "../settlement/ruling.ts";
import {
  clauseOfRuling,
  gatherSignatures,
  parseSignature,
  type SignatureFile,
  signedRuling,
} from "../settlement/signatures.ts";
import type { Session } from "../settlement/session.ts";
import { readTask, type TaskView } from "../settlement/task.ts";
import { openTrace } from "../trace/index.ts";
import { addressOfSigner, signerOf } from "./account.ts";
import { formatAmount } from "../settlement/amount.ts";
import { writeNew } from "./key.ts";
import { writeJson, writeLine } from "./output.ts";
import { register as registerPool } from "./referee-pool.ts";
import { register as registerServe } from "./referee-serve.ts";
import { Sender } from "./send.ts";
import { openSession } from "./session.ts";
import { addPostedOption, addSendOptions, type SendFlags } from "./session-options.ts";
import { parseTaskId } from "./task/scene.ts";
import { stateName, whatIsDue } from "./task/sentence.ts";
import { parseAddress } from "./task/terms.ts";

export function register(program: Command): void {
  const referee = program.command("referee").description("sign verdicts as a member of a committee, and submit them");
  addPostedOption(
    addSendOptions(referee.command("sign").description("check verdicts, and sign the ruling that follows")),
  )
    .argument("<task>", "the task's id")
    .argument("<verdicts...>", "files that `verde dispute A B --verdict FILE` wrote")
    .requiredOption("--out <file>", "the signature to write; an existing file is never overwritten")
    .option("--replay <trace>", "execute the disputed segment of a ruling here, from the data of this trace")
    .option("--backend <name>", "executes --replay; default: wasm")
    .option("--witness", "also sign a ruling that you made yourself, and that rests on your word")
    .action(sign);
  addPostedOption(addSendOptions(referee.command("submit").description("submit signatures to the chain; anyone may")))
    .argument("<task>", "the task's id")
    .argument("<signatures...>", "files that `verde referee sign` wrote, from as many members as the committee needs")
    .action(submit);
  addPostedOption(
    addSendOptions(
      referee.command("attest").description("show a drawn member's signature on the chain, before there are enough"),
    ),
  )
    .argument("<task>", "the task's id")
    .argument("<signature>", "a file that `verde referee sign` wrote")
    .action(attest);
  addSendOptions(
    referee.command("pay").description("pay a member its share of what the committee has earned; anyone may"),
  )
    .option("--member <address>", "the member; default: the account that signs")
    .action(pay);
  registerPool(referee);
  registerServe(referee);
}

async function disputed(session: Session, id: string): Promise<TaskView> {
  const task = await readTask(session.source, parseTaskId(id));
  if (task.phase === "Judging") return task;
  const { timestamp } = await session.client.getBlock();
  throw new ChainError(
    "STATE",
    `the task is ${stateName(task)}, so the committee can't judge it now: ${whatIsDue(task, Number(timestamp))}`,
    { state: task.state, phase: task.phase, expected: "Judging", found: task.phase },
  );
}

async function sign(
  id: string,
  paths: readonly string[],
  flags: SendFlags & { out: string; witness?: boolean; replay?: string; backend?: string },
): Promise<void> {
  const session = await openSession(flags);
  const task = await disputed(session, id);
  const address = await addressOfSigner(flags);
  // A signature moves stakes, so two implementations verify every Merkle path.
  const { climb } = new SecondOpinion();
  const files: GivenVerdict[] = [];
  for (const path of paths) files.push(await given(path, task, { climb }, flags));
  const own = flags.witness ? [fromHex(address, 20), await new ClaimStore().addressFor("own")] : [];
  const { ruling } = rulingFrom(task, files, { climb, own });
  const { committee } = task.terms;
  const bench = { chainId: session.deployment.chainId, committee, task: task.id };
  if (!(await isMember(session, task, address)))
    throw new UsageError(
      "FOREIGN",
      `${address} is not a member of the task's committee ${committee}, or is not drawn for this dispute; sign with the key of a member`,
      { address, committee },
    );
  const sentence = `${address} rules that ${clauseOfRuling(ruling)}`;
  if (flags.dryRun) {
    if (flags.json)
      writeJson({ schemaVersion: 1, dryRun: true, ...bench, verdict: plainJson(ruling), signer: address });
    else writeLine(`${sentence}: this would be signed. Nothing was signed or sent.`);
    return;
  }
  const content = await signedRuling(await signerOf(flags), bench, ruling);
  await writeNew(flags.out, `${JSON.stringify(content, null, 2)}\n`, 0o644);
  if (flags.json) writeJson({ ...content, out: flags.out });
  else writeLine(`${sentence}. The signature is in ${flags.out}.`);
}

/** A verdict file; for a ruling, with what replaying its segment shows. */
async function given(
  path: string,
  task: TaskView,
  options: CheckOptions,
  { replay, backend }: { replay?: string; backend?: string },
): Promise<GivenVerdict> {
  const bytes = await readText(path, "the verdict");
  if (replay === undefined) return { bytes };
  const verdict = parseJson(new TextDecoder().decode(bytes), `the verdict ${path}`);
  const checked = checkVerdict(verdict, standingSeats(task), options);
  if (checked.kind === "proof") return { bytes };
  const { losers } = await replayRuling(checked, await openTrace(replay), backend);
  return { bytes, replayed: losers.map((side) => checked.claims[side].run) };
}

async function submit(id: string, paths: readonly string[], flags: SendFlags): Promise<void> {
  const session = await openSession(flags);
  const task = await disputed(session, id);
  const { committee: address } = task.terms;
  const given: SignatureFile[] = [];
  for (const path of paths)
    given.push(parseSignature(new TextDecoder().decode(await readText(path, "the signature")), path));
  const { ruling, signers, signatures } = await gatherSignatures(
    { chainId: session.deployment.chainId, committee: address, task: task.id },
    given,
  );
  for (const signer of signers)
    if (!(await isMember(session, task, signer)))
      throw new UsageError("FOREIGN", `${signer} is not a member of the committee ${address}; omit its signature`, {
        signer,
        committee: address,
      });
  const threshold = await session.client.readContract({ address, abi: ABIS.committee, functionName: "threshold" });
  if (signers.length < threshold)
    throw new UsageError(
      "NOT_ENOUGH",
      `${signers.length} of ${threshold} signatures: the committee ${address} needs more; collect signatures from more members`,
      { given: signers.length, threshold, expected: threshold, found: signers.length },
    );
  const sender = await Sender.open(session, flags);
  await sender.send({
    contract: "committee",
    to: address,
    functionName: "submit",
    args: [task.terms, ruling, signers, signatures],
  });
  const after = await readTask(session.source, task.id);
  const { timestamp } = await session.client.getBlock();
  sender.report(
    flags.json ?? false,
    { task: task.id, state: after.state, phase: after.phase, signers, losers: `${ruling.losers}` },
    `The task is ${stateName(after)}: ${whatIsDue(after, Number(timestamp))}.`,
  );
}

async function pay(flags: SendFlags & { member?: string }): Promise<void> {
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const sender = await Sender.open(session, flags);
  const member = flags.member === undefined ? sender.address : parseAddress(flags.member, "--member");
  const { committee, vault } = deployment;
  const { credit } = await client.readContract({
    address: vault,
    abi: ABIS.vault,
    functionName: "accountOf",
    args: [committee],
  });
  if (credit > 0n) await sender.send({ contract: "vault", functionName: "claim", args: [committee] });
  const paid = () =>
    client.readContract({ address: committee, abi: ABIS.committee, functionName: "paid", args: [member] });
  const before = await paid();
  await sender.send({ contract: "committee", functionName: "payMember", args: [member] });
  const amount = (await paid()) - before;
  sender.report(
    flags.json ?? false,
    { member, amount: `${amount}` },
    `${member} has ${formatAmount(amount, token)} more.`,
  );
}

/** Shows one member's signature, so that the member has spoken. */
async function attest(id: string, path: string, flags: SendFlags): Promise<void> {
  const session = await openSession(flags);
  const task = await disputed(session, id);
  const { committee } = task.terms;
  const file = parseSignature(new TextDecoder().decode(await readText(path, "the signature")), path);
  const bench = { chainId: session.deployment.chainId, committee, task: task.id };
  const { ruling, signers, signatures } = await gatherSignatures(bench, [file]);
  const sender = await Sender.open(session, flags);
  const args = [task.terms, ruling, signers[0], signatures[0]];
  await sender.send({ contract: "rotating", to: committee, functionName: "attest", args });
  const done = `${signers[0]} has shown on the chain that ${clauseOfRuling(ruling)}.`;
  sender.report(flags.json ?? false, { task: task.id, signer: signers[0] }, done);
}

async function isMember({ client }: Session, { id, terms }: TaskView, member: Hex): Promise<boolean> {
  return isMemberFor(client, terms.committee, id, member).catch((cause: unknown) => {
    if (!isForeign(cause)) throw cause;
    throw new ChainError(
      "CONTRACT_KIND",
      `${terms.committee} is not a committee that this command knows: ${messageOf(cause).split("\n")[0]}; check the task's terms`,
    );
  });
}

async function readText(path: string, what: string): Promise<Uint8Array<ArrayBuffer>> {
  return readRegular(path).catch((cause: unknown) => {
    throw unreadable(`${what} ${path}`, path, cause, "check the path");
  });
}
