/** A transaction of another wallet that is stuck holds up those of ours, until they are told to replace it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createPublicClient,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  parseGwei,
  type PublicClient,
} from "viem";
import { hardhat } from "viem/chains";
import type { EthereumProvider } from "hardhat/types/providers";
import { testTokenAbi } from "../../../src/settlement/abi/test-token.ts";
import { testTokenBytecode } from "../../../src/settlement/abi/bytecode.ts";
import { openLocalChain } from "../../../src/settlement/local/chain.ts";
import { localAccount } from "../../../src/settlement/local/settlement.ts";
import { shortLivedLog } from "../../../src/settlement/transactions/journal.ts";
import { Node } from "../../../src/settlement/transactions/node.ts";
import { Transactor, type TransactorOptions } from "../../../src/settlement/transactions/transactor.ts";

const account = localAccount(1);
let provider: EthereumProvider;
let close: () => Promise<void>;
let client: PublicClient;
let token: Hex;
/** Whether a block is made after each transaction of the client. */
let mines = false;
/** How many of its transactions the node has refused. */
let refused = 0;
const ask = (method: string, ...params: unknown[]) => provider.request({ method, params });
async function mining({ method, params }: { method: string; params: unknown[] }): Promise<unknown> {
  const sends = method === "eth_sendRawTransaction";
  const answer = await provider.request({ method, params }).catch((error: unknown) => {
    if (sends) refused++;
    throw error;
  });
  if (sends && mines) await ask("evm_mine");
  return answer;
}
const wallet = (index: number) =>
  createWalletClient({ account: localAccount(index), chain: hardhat, transport: custom(provider) });

beforeAll(async () => {
  ({ provider, close } = await openLocalChain());
  client = createPublicClient({ transport: custom({ request: mining }), cacheTime: 0, pollingInterval: 20 });
  const hash = await wallet(0).deployContract({ abi: testTokenAbi, bytecode: testTokenBytecode });
  token = (await client.waitForTransactionReceipt({ hash })).contractAddress!;
  // The first unit of all takes more gas than others, and which one that is would be open.
  await mint(localAccount(5).address, {});
});
afterAll(() => close());

/** A transaction of another wallet, on a chain that makes no blocks. @returns its nonce */
async function stick(): Promise<number> {
  await ask("evm_setAutomine", false);
  const nonce = await client.getTransactionCount({ address: account.address });
  await wallet(1).sendTransaction({
    to: token,
    data: encodeFunctionData({ abi: testTokenAbi, functionName: "mint", args: [localAccount(9).address, 1n] }),
    nonce,
    gas: 100_000n,
    maxFeePerGas: parseGwei("30"),
    maxPriorityFeePerGas: parseGwei("20"),
  });
  return nonce;
}

/** Sends a call, until it is told to stop. */
async function mint(to: Hex, options: Partial<TransactorOptions>, until?: AbortSignal): Promise<void> {
  const node = new Node(client, hardhat.id, { pollMillis: 10, awayMillis: 1000 });
  const transactor = new Transactor(node, account, hardhat.id, shortLivedLog(), {
    confirmations: 1,
    stuckMillis: 60_000,
    onProgress: () => until?.throwIfAborted(),
    ...options,
  });
  const data = encodeFunctionData({ abi: testTokenAbi, functionName: "mint", args: [to, 1n] });
  await transactor.send({ what: "mint", to: token, data });
}
const balance = (owner: Hex): Promise<bigint> =>
  client.readContract({ address: token, abi: testTokenAbi, functionName: "balanceOf", args: [owner] });

test("ours waits and says for what; then it takes the place of theirs, and has effect once", async () => {
  const nonce = await stick();
  const [waits, replaces] = [localAccount(7).address, localAccount(8).address];
  const stop = new AbortController();
  const told: number[] = [];
  const onForeign = (count: number): void => {
    told.push(count);
    stop.abort();
  };
  await expect(mint(waits, { onForeign }, stop.signal)).rejects.toThrow("aborted");
  expect(told).toEqual([1]);
  expect(await client.getTransactionCount({ address: account.address })).toBe(nonce);

  // This process has another journal, so what was signed above is of another wallet too. A block is made whenever the
  // node has taken a transaction, but not when it finds that one offers too little.
  mines = true;
  await mint(replaces, { replaceForeign: true });
  mines = false;
  expect(refused).toBeGreaterThan(0);
  expect(await balance(replaces)).toBe(1n);
  expect(await balance(localAccount(9).address)).toBe(0n);
});

test("to take their place costs no more than is allowed", async () => {
  await stick();
  const costly = mint(localAccount(6).address, { replaceForeign: true, maxFeePerGas: parseGwei("20") });
  await expect(costly).rejects.toMatchObject({ code: "VERDE_CHAIN_FEE" });
});
