/**
 * Attack 2: a node that is asked for a hash learns what is committed to, or answers with a false hash; a node that gives
 * the terms rewrites them. Every lie ends in an error that names it, and nothing is signed.
 */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionResult,
  getAbiItem,
  type Hex,
  numberToHex,
  toEventSelector,
  toFunctionSelector,
} from "viem";
import { publicPrivateKey } from "../../../src/settlement/local/chain.ts";
import { privateKeyToAccount } from "viem/accounts";
import { deposit } from "../../../src/cli/stake.ts";
import { accept } from "../../../src/cli/task/accept.ts";
import { challenge } from "../../../src/cli/task/challenge.ts";
import { commit, reveal } from "../../../src/cli/task/moves.ts";
import { taskManagerAbi } from "../../../src/settlement/abi/task-manager.ts";
import { commitmentOf } from "../../../src/settlement/commitment.ts";
import { saltFor } from "../../../src/settlement/salt.ts";
import { readTask, STATES, type Terms } from "../../../src/settlement/task.ts";
import { addressOf, PEOPLE, Scene } from "../../fixtures/scene.ts";
import type { Lie, LyingNode } from "../../fixtures/node/lying.ts";

const on = new Scene();
const EVIL: Hex = `0x${"e1".repeat(20)}`;
const FALSE_HASH: Hex = `0x${"fa".repeat(32)}`;
const selectorOf = (name: "taskId" | "commitmentOf" | "taskOf"): Hex =>
  toFunctionSelector(getAbiItem({ abi: taskManagerAbi, name }));
const takeSeat = (task: Hex, flags: ReturnType<Scene["flags"]>) => accept(task, [], flags, undefined as never);

/** Lies in calls of one function alone. */
const inCalls =
  (names: readonly ("taskId" | "commitmentOf" | "taskOf")[], lie: (truth: Hex) => Hex): Lie =>
  async ([call]: { data: Hex }[], truth) => {
    const true_ = (await truth()) as Hex;
    return names.some((name) => call.data.startsWith(selectorOf(name))) ? lie(true_) : true_;
  };

type Slot = ReturnType<typeof decodeFunctionResult<typeof taskManagerAbi, "taskOf">>;
/** Tells a false state of every task. */
const slotWith = (changes: Partial<Slot>): Lie =>
  inCalls(["taskOf"], (truth) => {
    const slot = decodeFunctionResult({ abi: taskManagerAbi, functionName: "taskOf", data: truth });
    return encodeFunctionResult({ abi: taskManagerAbi, functionName: "taskOf", result: { ...slot, ...changes } });
  });

/** Rewrites the terms in the event of a posting. */
function termsWith(terms: Terms, changes: Partial<Terms>): Lie {
  const posted = getAbiItem({ abi: taskManagerAbi, name: "TaskPosted" });
  const data = encodeAbiParameters(
    [getAbiItem({ abi: taskManagerAbi, name: "post" }).inputs[0]],
    [{ ...terms, ...changes }],
  );
  return async (_, truth) =>
    ((await truth()) as { topics: Hex[] }[]).map((log) =>
      log.topics[0] === toEventSelector(posted) ? { ...log, data } : log,
    );
}

async function expectNothingSigned(flags: ReturnType<Scene["flags"]>, ...nodes: LyingNode[]): Promise<void> {
  expect(on.hasSigned(flags)).toBe(false);
  for (const node of nodes) expect(node.wasGivenTransactions).toBe(false);
}

test("a node learns neither root nor salt from a commitment, and can't make it a false one", async () => {
  const { task } = await on.post("ada", "ben");
  const { deployment, client } = on.session;
  const node = await on.node({ eth_call: inCalls(["commitmentOf", "taskId"], () => FALSE_HASH) });
  const { printed, error } = await on.as("ada", () => commit(task, on.at("honest.trace"), on.flags(node)));
  expect(error).toBeUndefined();
  expect(JSON.parse(printed)).toMatchObject({ task, seat: 0, root: on.root });
  const account = privateKeyToAccount(publicPrivateKey(PEOPLE.ada));
  const salt = await saltFor(account, deployment.manager, deployment.chainId, task);
  const [, stored] = await client.readContract({
    address: deployment.manager,
    abi: taskManagerAbi,
    functionName: "seatOf",
    args: [task, 0n],
  });
  expect(stored).toBe(commitmentOf(deployment, task, account.address, on.root, salt));
  expect(node.asked.length).toBeGreaterThan(5);
  const all = node.asked.join("\n").toLowerCase();
  for (const secret of [on.root, salt]) expect(all).not.toContain(secret.slice(2).toLowerCase());
});

test.each([
  ["the committee", { committee: EVIL }],
  ["the game", { game: EVIL }],
  ["the stake", { stake: 1n }],
  ["the job", { job: FALSE_HASH }],
] satisfies [string, Partial<Terms>][])("terms with %s rewritten are those of another task", async (_, changes) => {
  const { task, terms } = await on.post();
  const node = await on.node({ eth_getLogs: termsWith(terms, changes) });
  const flags = on.flags(node);
  const { error } = await on.as("ada", () => takeSeat(task, flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_ANSWER_FALSE", evidence: { answer: "terms", expected: task } });
  await expectNothingSigned(flags, node);
  // A posted committee that the deployment does not know, with nothing rewritten, is refused as before.
  expect((await readTask({ ...on.session.source, terms: undefined as never }, task)).terms).toEqual(terms);
});

test("a false chain id ends before anything else is asked", async () => {
  const { task } = await on.post();
  const node = await on.node({ eth_chainId: () => "0x1" });
  const flags = on.flags(node);
  const { error } = await on.as("ada", () => takeSeat(task, flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_WRONG_CHAIN", evidence: { expected: 31_337, found: 1 } });
  expect(node.asked).toHaveLength(1);
});

test.each(["manager", "vault", "committee", "game"] as const)("false code of the %s is found", async (contract) => {
  const { task } = await on.post();
  const address = on.session.deployment[contract]!.toLowerCase();
  const node = await on.node({
    eth_getCode: async ([asked]: string[], truth) => {
      const code = (await truth()) as Hex;
      return asked.toLowerCase() === address ? `${code.slice(0, -2)}fe` : code;
    },
  });
  const flags = on.flags(node);
  const { error } = await on.as("ada", () => takeSeat(task, flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_CODE_FALSE", evidence: { contract } });
  await expectNothingSigned(flags, node);
});

test("a deployment by hand, without hashes of code, is held to the code of this version; a foreign vault is refused", async () => {
  const { codes: _, ...plain } = JSON.parse(readFileSync(on.at("deployment.json"), "utf8")) as {
    codes: unknown;
    vault: Hex;
  };
  const file = on.at("by-hand.json");
  writeFileSync(file, JSON.stringify(plain));
  const flags = { ...on.flags(await on.node()), deployment: file };
  expect((await on.as("ada", () => deposit("1", { ...flags, approve: true }))).error).toBeUndefined();
  const changed = await on.node({
    eth_getCode: async (_params, truth) => `${((await truth()) as string).slice(0, -2)}fe`,
  });
  const again = { ...on.flags(changed), deployment: file };
  expect((await on.as("ada", () => deposit("1", { ...again, approve: true }))).error).toMatchObject({
    code: "VERDE_CHAIN_CODE_FALSE",
  });
  writeFileSync(file, JSON.stringify({ ...plain, vault: on.session.deployment.token }));
  expect((await on.as("ada", () => deposit("1", { ...again, approve: true }))).error).toMatchObject({
    code: "VERDE_CHAIN_CONTRACT_KIND",
    evidence: { expected: on.session.deployment.vault },
  });
  await expectNothingSigned(again, changed);
});

test("false decimals would make an amount a million times larger", async () => {
  const node = await on.node({
    eth_call: async ([{ data }]: { data: Hex }[], truth) =>
      data.startsWith(toFunctionSelector("function decimals()")) ? numberToHex(24, { size: 32 }) : truth(),
  });
  const flags = on.flags(node);
  const { error } = await on.as("ada", () => deposit("1", { ...flags, approve: true }));
  expect(error).toMatchObject({
    code: "VERDE_CHAIN_ANSWER_FALSE",
    evidence: { answer: "decimals", expected: 18, found: 24 },
  });
  await expectNothingSigned(flags, node);
});

test("a fee a thousand times too high is not paid", async () => {
  const { task } = await on.post();
  const node = await on.node({ eth_maxPriorityFeePerGas: () => numberToHex(10n ** 13n) });
  const flags = on.flags(node);
  const { error } = await on.as("ada", () => takeSeat(task, flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_FEE" });
  await expectNothingSigned(flags, node);
});

test("a state that events contradict is a lie: a demand, or a ruling, that nobody has made", async () => {
  const { task } = await on.post("ada", "ben");
  for (const changes of [
    { state: STATES.indexOf("Challengeable"), openDemands: 1 },
    { state: STATES.indexOf("Disputed"), phase: 3 },
  ]) {
    const node = await on.node({ eth_call: slotWith(changes) });
    const flags = on.flags(node);
    const { error } = await on.as("ada", () => challenge(task, on.at("honest.trace"), flags));
    expect(error).toMatchObject({ code: "VERDE_CHAIN_ANSWER_FALSE", evidence: { answer: "events", task } });
    await expectNothingSigned(flags, node);
  }
});

test("the receipt of another transaction is none, and with an honest node the next command ends what was begun", async () => {
  const { task } = await on.post();
  const other = await on.session.client.getBlock({ includeTransactions: true });
  const { hash } = other.transactions[0];
  const node = await on.node({
    eth_getTransactionReceipt: () => on.provider.request({ method: "eth_getTransactionReceipt", params: [hash] }),
  });
  const flags = on.flags(node);
  const { error } = await on.as("ada", () => takeSeat(task, flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_ANSWER_FALSE", evidence: { answer: "receipt", found: hash } });
  expect(node.wasGivenTransactions).toBe(false);
  const again = on.flags(await on.node());
  for (const file of readdirSync(flags.journal).filter((name) => name.endsWith(".jsonl")))
    copyFileSync(join(flags.journal, file), join(again.journal, file));
  expect((await on.as("ada", () => takeSeat(task, again))).error).toBeUndefined();
  const { seats } = await readTask(on.session.source, task);
  expect(seats.map(({ owner }) => owner)).toEqual([addressOf("ada")]);
});

/** What one node alone can't be caught at, and two are: each lie costs money if it is believed. */
const TOGETHER: [string, LyingNode["lies"]][] = [
  ["all have committed", { eth_call: slotWith({ committed: 2, state: STATES.indexOf("Committed") }) }],
  ["the chain is another one", { eth_chainId: () => "0x1" }],
  ["the code is another one", { eth_getCode: () => "0xfe" }],
  [
    "the time for it has passed",
    { eth_getBlockByNumber: async (_, truth) => ({ ...((await truth()) as object), timestamp: "0xffffffff" }) },
  ],
  [
    "it is another block",
    { eth_getBlockByNumber: async (_, truth) => ({ ...((await truth()) as object), hash: FALSE_HASH }) },
  ],
];

test.each(TOGETHER)("of two nodes one that says that %s is found, and neither learns the root", async (_, lies) => {
  const { task } = await on.post("ada", "ben");
  const committing = on.flags(await on.node());
  expect((await on.as("ada", () => commit(task, on.at("honest.trace"), committing))).error).toBeUndefined();
  const [honest, lying] = [await on.node(), await on.node(lies)];
  const flags = on.flags(honest, lying);
  const { error } = await on.as("ada", () => reveal(task, on.at("honest.trace"), flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER" });
  await expectNothingSigned(flags, honest, lying);
  for (const { asked } of [honest, lying]) expect(asked.join("\n").toLowerCase()).not.toContain(on.root.slice(2));
});

test("of two nodes one that counts too many transactions of the account can't have one signed for later", async () => {
  const { task } = await on.post();
  const [honest, lying] = [await on.node(), await on.node({ eth_getTransactionCount: () => "0x999" })];
  const flags = on.flags(honest, lying);
  expect((await on.as("ada", () => takeSeat(task, flags))).error).toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER" });
  await expectNothingSigned(flags, honest, lying);
});

test("of two nodes one that invents the success of a transaction is not believed", async () => {
  const { task } = await on.post("ada", "ben");
  const fake = {
    eth_sendRawTransaction: () => FALSE_HASH,
    eth_getTransactionReceipt: async (_: never[], truth: () => Promise<unknown>) => {
      const receipt = (await truth()) as { status: Hex } | null;
      return receipt && { ...receipt, status: "0x0" };
    },
  };
  const [honest, lying] = [await on.node(), await on.node(fake)];
  const flags = on.flags(honest, lying);
  const { error } = await on.as("ada", () => commit(task, on.at("honest.trace"), flags));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER" });
  // It was sent to the honest node, and has taken effect: the next command of the account says so.
  const { error: later } = await on.as("ada", () => commit(task, on.at("honest.trace"), on.flags(honest)));
  expect(later).toMatchObject({ code: "VERDE_CHAIN_DONE" });
});
