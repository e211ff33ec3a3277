/** A process that lives long makes the same call twice: when it is due again, and when the chain has taken it back. */
import { encodeFunctionData, type Hex, numberToHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testTokenAbi } from "../../../src/settlement/abi/test-token.ts";
import { localAccount, type LocalSettlement, openLocalSettlement } from "../../../src/settlement/local/settlement.ts";
import { type Log, shortLivedLog } from "../../../src/settlement/transactions/journal.ts";
import { Node } from "../../../src/settlement/transactions/node.ts";
import { Transactor } from "../../../src/settlement/transactions/transactor.ts";

let settlement: LocalSettlement;
beforeAll(async () => {
  settlement = await openLocalSettlement({
    members: [localAccount(0).address],
    threshold: 1,
    unbondingPeriod: 86_400,
  });
});
afterAll(() => settlement.close());

const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
  settlement.session.client.request({ method, params } as never);

function open(log: Log) {
  const { client, deployment } = settlement.session;
  const node = new Node(client, deployment.chainId, { pollMillis: 20, awayMillis: 1_000 });
  const options = { confirmations: 1, stuckMillis: 60_000 };
  return new Transactor(node, localAccount(1), deployment.chainId, log, options);
}

let receivers = 0;
function mint() {
  const { client, deployment } = settlement.session;
  const receiver = numberToHex(0xbeef0000 + receivers++, { size: 20 });
  const data = encodeFunctionData({ abi: testTokenAbi, functionName: "mint", args: [receiver, 1n] });
  const balance = () =>
    client.readContract({ address: deployment.token, abi: testTokenAbi, functionName: "balanceOf", args: [receiver] });
  return { call: { what: "mint", to: deployment.token, data }, balance };
}

const signed = ({ records }: Log): Hex[] =>
  records.flatMap((record) => (record.kind === "signed" ? [record.hash] : []));

test("a call whose outcome is known is made once more when it is due again", async () => {
  const { call, balance } = mint();
  const log = shortLivedLog();
  const transactor = open(log);
  const first = await transactor.send(call);
  const second = await transactor.send(call);
  expect(second!.transactionHash).not.toBe(first!.transactionHash);
  expect(await balance()).toBe(2n);
  expect(signed(log)).toHaveLength(2);
});

test("a call that the chain has taken back is sent again as it was, and takes effect once", async () => {
  const { call, balance } = mint();
  const log = shortLivedLog();
  const transactor = open(log);
  const before = await ask("evm_snapshot");
  const first = await transactor.send(call);
  await ask("evm_revert", before);
  await ask("evm_mine");
  expect(await balance()).toBe(0n);
  const second = await transactor.send(call);
  expect(second!.transactionHash).toBe(first!.transactionHash);
  expect(second!.blockHash).not.toBe(first!.blockHash);
  expect(await balance()).toBe(1n);
  expect(signed(log)).toHaveLength(1);
});

test("a process that has not been told the outcome continues the call of the one before", async () => {
  const { call, balance } = mint();
  const log = shortLivedLog();
  const first = await open(log).send(call);
  const second = await open(log).send(call);
  expect(second!.transactionHash).toBe(first!.transactionHash);
  expect(await balance()).toBe(1n);
});

test("an earlier transaction that the chain has dropped is sent again, since the later ones wait for it", async () => {
  const [first, second] = [mint(), mint()];
  const transactor = open(shortLivedLog());
  const { client } = settlement.session;
  const { address } = localAccount(1);
  const nonces = () => client.getTransactionCount({ address, blockTag: "pending" });
  const before = await ask("evm_snapshot");
  await transactor.send(first.call);
  await ask("evm_setAutomine", false);
  const used = await nonces();
  const sent = transactor.send(second.call);
  while ((await nonces()) === used) await new Promise((resolve) => setTimeout(resolve, 10));
  // The chain forgets both, and what waits for a block too.
  await ask("evm_revert", before);
  const mining = setInterval(() => void ask("evm_mine"), 50);
  await sent;
  clearInterval(mining);
  await ask("evm_setAutomine", true);
  expect([await first.balance(), await second.balance()]).toEqual([1n, 1n]);
});
