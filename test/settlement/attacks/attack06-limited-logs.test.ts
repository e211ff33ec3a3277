/**
 * Attack 6: nodes that answer a question for events only for a few blocks, or not at all, ended every command. Now the
 * events are read in ranges that the node answers, and a task's terms need no events.
 */
import { rmSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { type Hex, numberToHex, parseEventLogs } from "viem";
import { accept } from "../../../src/cli/task/accept.ts";
import { show } from "../../../src/cli/task/show.ts";
import { taskManagerAbi } from "../../../src/settlement/abi/task-manager.ts";
import type { Terms } from "../../../src/settlement/task.ts";
import type { Lie, LyingNode } from "../../fixtures/node/lying.ts";
import { addressOf, Scene } from "../../fixtures/scene.ts";

const on = new Scene();
let task: Hex;
let terms: Terms;
let transaction: Hex;

beforeAll(async () => {
  await on.provider.request({ method: "hardhat_mine", params: [numberToHex(300)] });
  ({ task, terms } = await on.post("ada"));
  const { hash } = (
    await on.session.client.getContractEvents({
      address: on.session.deployment.manager,
      abi: taskManagerAbi,
      eventName: "TaskPosted",
      fromBlock: 0n,
    })
  ).map(({ transactionHash }) => ({ hash: transactionHash }))[0];
  transaction = hash;
  await on.provider.request({ method: "hardhat_mine", params: [numberToHex(300)] });
});

/** The number of blocks of each request for events that a node got. */
const ranges = ({ asked }: LyingNode): number[] =>
  asked.flatMap((body) => {
    const { method, params } = JSON.parse(body) as { method: string; params: [{ fromBlock: Hex; toBlock: Hex }] };
    return method === "eth_getLogs" ? [Number(params[0].toBlock) - Number(params[0].fromBlock) + 1] : [];
  });
const atMost =
  (blocks: number): Lie =>
  ([{ fromBlock, toBlock }]: { fromBlock: Hex; toBlock: Hex }[], truth) => {
    if (Number(toBlock) - Number(fromBlock) < blocks) return truth();
    throw Object.assign(new Error(`You can make eth_getLogs requests with up to a ${blocks} block range`), {
      code: -32600,
    });
  };
const refuses: Lie = () => {
  throw Object.assign(new Error("the method eth_getLogs does not exist"), { code: -32601 });
};
const forget = () => rmSync(on.at("cache"), { recursive: true, force: true });

test("a node that allows ten blocks shows the task, and is asked for no events again", async () => {
  forget();
  const node = await on.node({ eth_getLogs: atMost(10) });
  const { printed, error } = await on.as("ben", () => show(task, on.flags(node)));
  expect(error).toBeUndefined();
  expect(JSON.parse(printed)).toMatchObject({ task, state: "Open", seats: [{ seat: 0, owner: addressOf("ada") }] });
  const asked = ranges(node);
  expect(asked.filter((blocks) => blocks > 10).length).toBeLessThan(16);
  expect(asked.length).toBeLessThan(110);
  const again = await on.node({ eth_getLogs: refuses });
  expect((await on.as("ben", () => show(task, on.flags(again)))).error).toBeUndefined();
  expect(ranges(again)).toEqual([]);
});

test("a node that gives no events is an error that says what to do; terms from elsewhere need none", async () => {
  forget();
  const node = await on.node({ eth_getLogs: refuses });
  expect((await on.as("ben", () => show(task, on.flags(node)))).error).toMatchObject({ code: "VERDE_CHAIN_LOGS" });
  const file = on.at("terms.json");
  writeFileSync(
    file,
    JSON.stringify({ task, terms }, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
  );
  for (const source of [file, transaction]) {
    forget();
    const given = await on.node({ eth_getLogs: refuses });
    const { printed, error } = await on.as("ben", () => show(task, { ...on.flags(given), terms: source }));
    expect(error).toBeUndefined();
    expect(JSON.parse(printed)).toMatchObject({ task, state: "Open", terms: { client: addressOf("client") } });
    expect(ranges(given)).toEqual([]);
  }
});

test("terms from elsewhere have to hash to the task", async () => {
  forget();
  const file = on.at("false-terms.json");
  const evil = { ...terms, stake: 1n };
  writeFileSync(
    file,
    JSON.stringify({ terms: evil }, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
  );
  const node = await on.node();
  const flags = { ...on.flags(node), terms: file };
  const { error } = await on.as("ben", () => accept(task, [], flags, undefined as never));
  expect(error).toMatchObject({ code: "VERDE_USAGE_FOREIGN", evidence: { expected: task } });
  expect(on.hasSigned(flags)).toBe(false);
  for (const [text, words] of [
    ["{}", "contains no terms"],
    ["[", "is cut"],
  ]) {
    writeFileSync(file, text);
    expect(String((await on.as("ben", () => show(task, { ...on.flags(node), terms: file }))).error)).toContain(words);
  }
  const mint = (await on.session.client.getBlock({ blockNumber: 6n })).transactions[0];
  for (const hash of [mint, `0x${"00".repeat(32)}`])
    expect((await on.as("ben", () => show(task, { ...on.flags(node), terms: hash }))).error).toMatchObject({
      code: "VERDE_CHAIN_TASK_MISSING",
    });
});

test("terms that a wallet contract has posted are in the receipt", async () => {
  forget();
  const node = await on.node({
    eth_getTransactionByHash: async (_, truth) => ({ ...((await truth()) as object), input: "0xb61d27f6" }),
    eth_getLogs: refuses,
  });
  const { error } = await on.as("ben", () => show(task, { ...on.flags(node), terms: transaction }));
  expect(error).toBeUndefined();
});

test("of two nodes one that hides the task's events is found", async () => {
  forget();
  const hides: Lie = async (_, truth) => {
    const logs = (await truth()) as never[];
    return logs.filter(
      (log) => parseEventLogs({ abi: taskManagerAbi, logs: [log], eventName: "TaskPosted" }).length === 0,
    );
  };
  const flags = on.flags(await on.node(), await on.node({ eth_getLogs: hides }));
  const { error } = await on.as("ben", () => accept(task, [], flags, undefined as never));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER" });
  expect(on.hasSigned(flags)).toBe(false);
});
