/** Transactions that have effect once, whatever becomes of the node, the chain and the process that sends them. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import fc from "fast-check";
import {
  type Address,
  createPublicClient,
  createTestClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  http,
  padHex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { publicPrivateKey } from "../../../src/settlement/local/chain.ts";
import { testTokenBytecode } from "../../../src/settlement/abi/bytecode.ts";
import { testTokenAbi } from "../../../src/settlement/abi/test-token.ts";
import { Journal, type JournalRecord } from "../../../src/settlement/transactions/journal.ts";
import { Node } from "../../../src/settlement/transactions/node.ts";
import type { Call } from "../../../src/settlement/transactions/actions.ts";
import { Transactor, type TransactorOptions } from "../../../src/settlement/transactions/transactor.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { LastingNode } from "../../fixtures/node/lasting.ts";

const SEND = fileURLToPath(new URL("../../fixtures/node/send.ts", import.meta.url));
const SEED = 20261121;
const folder = temporaryFolder();
const owner = privateKeyToAccount(publicPrivateKey(0));
const account = privateKeyToAccount(publicPrivateKey(1));
let chain: LastingNode;
let token: Address;

const clientOf = () =>
  createPublicClient({ chain: hardhat, transport: http(chain.url, { retryCount: 0 }), cacheTime: 0 });
const walletOf = (signer: typeof owner) =>
  createWalletClient({ chain: hardhat, account: signer, transport: http(chain.url) });
const miner = () => createTestClient({ chain: hardhat, mode: "hardhat", transport: http(chain.url) });

beforeAll(async () => {
  chain = await LastingNode.start(folder("chain.log"));
  const hash = await walletOf(owner).sendTransaction({
    data: encodeDeployData({ abi: testTokenAbi, bytecode: testTokenBytecode }),
  });
  token = (await clientOf().waitForTransactionReceipt({ hash })).contractAddress!;
});
afterAll(() => chain.kill());

let receivers = 0;
/** A call that mints one token to somebody who has none; whoever has two shows that it had effect twice. */
function mint(): Call & { receiver: Address } {
  const receiver = padHex(`0x${(0xbeef0000 + receivers++).toString(16)}`, { size: 20 });
  const data = encodeFunctionData({ abi: testTokenAbi, functionName: "mint", args: [receiver, 1n] });
  return { what: "mint", to: token, data, receiver };
}
const balance = (receiver: Address): Promise<bigint> =>
  clientOf().readContract({ address: token, abi: testTokenAbi, functionName: "balanceOf", args: [receiver] });

const readJournal = (path: string): JournalRecord[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { record: JournalRecord }).record);

/** A contract that takes whatever it is brought: its code is the one byte that stops. */
async function taker(): Promise<Address> {
  const hash = await walletOf(owner).sendTransaction({ data: "0x6001600c60003960016000f300" });
  return (await clientOf().waitForTransactionReceipt({ hash })).contractAddress!;
}

let journals = 0;
const newJournal = (): string => folder(`journal-${journals++}.jsonl`);

async function open(path: string, options: Partial<TransactorOptions> = {}, awayMillis = 60_000): Promise<Transactor> {
  const node = new Node(clientOf(), hardhat.id, { pollMillis: 20, awayMillis });
  const journal = Journal.open(path, hardhat.id, account.address);
  return new Transactor(node, account, hardhat.id, journal, { confirmations: 1, stuckMillis: 60_000, ...options });
}

/** Sends one call with a journal of its own. */
async function send(call: Call, options: Partial<TransactorOptions> = {}, path = newJournal()) {
  const transactor = await open(path, options);
  try {
    return await transactor.send(call);
  } finally {
    transactor.close();
  }
}

/** Takes transactions without mining them while `during` runs. */
async function unmined<T>(during: () => Promise<T>): Promise<T> {
  await chain.ask("evm_setAutomine", false);
  try {
    return await during();
  } finally {
    await chain.ask("evm_setAutomine", true);
    await chain.ask("evm_mine");
  }
}

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};
const isKnown = (hash: Hex): Promise<boolean> =>
  clientOf()
    .getTransaction({ hash })
    .then(
      () => true,
      () => false,
    );
const waiting = async (): Promise<number> =>
  (await clientOf().getTransactionCount({ address: account.address, blockTag: "pending" })) -
  (await clientOf().getTransactionCount({ address: account.address }));

describe("a node", () => {
  const FAULTS = (["eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_estimateGas"] as const).flatMap(
    (method) => (["before", "after"] as const).map((when) => [method, when] as const),
  );

  test.each(FAULTS)("that cuts the connection at %s, %s it, loses nothing", async (method, when) => {
    const call = mint();
    await chain.fault(method, when, "drop");
    expect((await send(call))?.status).toBe("success");
    expect(await balance(call.receiver)).toBe(1n);
  });

  test.each(FAULTS)("that is killed at %s, %s it, and started again, loses nothing", async (method, when) => {
    const call = mint();
    await chain.fault(method, when, "kill");
    const sent = send(call);
    await chain.ended();
    await chain.start();
    expect((await sent)?.status).toBe("success");
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("that stays away is an error, and the next command goes on", async () => {
    const [call, path] = [mint(), newJournal()];
    await chain.fault("eth_sendRawTransaction", "before", "kill");
    const transactor = await open(path, {}, 200);
    await expect(transactor.send(call)).rejects.toMatchObject({
      family: "VERDE_CHAIN",
      message: expect.stringContaining("does not answer any more"),
    });
    transactor.abandon();
    await chain.ended();
    await chain.start();
    const next = await open(path);
    expect(await next.reconcile()).toMatchObject([{ what: "mint", status: "mined" }]);
    expect((await next.send(call))?.status).toBe("success");
    next.close();
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("whose chain was started anew is told from the one that was meant", async () => {
    const [call, path] = [mint(), newJournal()];
    await chain.fault("eth_sendRawTransaction", "before", "kill");
    const transactor = await open(path);
    const sent = transactor.send(call);
    await chain.ended();
    await chain.start(folder("other.log"));
    await expect(sent).rejects.toThrow("perhaps the chain was restarted. The journal is unchanged");
    transactor.abandon();
    await chain.kill();
    await chain.start();
    expect((await send(call, {}, path))?.status).toBe("success");
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("of another chain gets nothing signed", async () => {
    const path = newJournal();
    const node = new Node(clientOf(), 1, { pollMillis: 20, awayMillis: 1000 });
    const journal = Journal.open(path, 1, account.address);
    const transactor = new Transactor(node, account, 1, journal, { confirmations: 1, stuckMillis: 1000 });
    await expect(transactor.send(mint())).rejects.toThrow("the node serves chain 31337, not chain 1");
    expect(journal.records.filter(({ kind }) => kind === "signed")).toEqual([]);
    transactor.abandon();
  });
});

describe("a transaction", () => {
  test("whose fee is too low is replaced by one that offers more", async () => {
    const call = mint();
    const path = newJournal();
    const transactor = await open(path, { stuckMillis: 200 });
    const { sent } = await unmined(async () => {
      const sent = transactor.send(call);
      await until(async () => (await waiting()) === 1);
      const { baseFeePerGas } = await clientOf().getBlock();
      await chain.ask("hardhat_setNextBlockBaseFeePerGas", `0x${(baseFeePerGas! * 50n).toString(16)}`);
      await chain.ask("evm_mine");
      // What was offered is not enough any more; the node's estimate follows the block.
      expect(await balance(call.receiver)).toBe(0n);
      // Hardhat takes replacements only while it does not mine by itself.
      await until(async () => {
        const signed = readJournal(path).flatMap((record) => (record.kind === "signed" ? record.hash : []));
        return signed.length > 1 && isKnown(signed[1]);
      });
      return { sent };
    });
    expect((await sent)?.status).toBe("success");
    transactor.close();
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("brings its value once, also when another command finishes it, and is not taken for one that brings another", async () => {
    const to = await taker();
    const call = { what: "pay", to, data: "0x01" as Hex, value: 5n };
    const path = newJournal();
    const killed = Journal.open(path, hardhat.id, account.address);
    killed.append({ kind: "action", action: "0xaa-1", what: "pay", to, data: "0x01", value: "5" });
    killed.close();
    const transactor = await open(path);
    await transactor.send({ ...call, value: 7n });
    await transactor.send(call);
    transactor.close();
    expect(await clientOf().getBalance({ address: to })).toBe(12n);
    const begun = readJournal(path).flatMap((record) => (record.kind === "action" ? [record.value] : []));
    expect(begun).toEqual(["5", "7"]);
  });

  test("that would cost more than is allowed is not sent", async () => {
    await expect(send(mint(), { maxFeePerGas: 1n })).rejects.toThrow("needs a fee above 1 wei for each unit of gas");
  });

  test("of another wallet with the same nonce does not make the action be lost, nor be done twice", async () => {
    const call = mint();
    const transactor = await open(newJournal());
    const sent = await unmined(async () => {
      const sent = transactor.send(call);
      await until(async () => (await waiting()) === 1);
      const nonce = await clientOf().getTransactionCount({ address: account.address });
      const { maxFeePerGas } = await clientOf().estimateFeesPerGas();
      await walletOf(account).sendTransaction({
        to: owner.address,
        nonce,
        maxFeePerGas: maxFeePerGas * 4n,
        maxPriorityFeePerGas: maxFeePerGas * 2n,
      });
      return { sent };
    });
    expect((await sent.sent)?.status).toBe("success");
    transactor.close();
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("whose effect another one had is not repeated", async () => {
    const call = mint();
    const transactor = await open(newJournal());
    const sent = await unmined(async () => {
      const isDone = async (): Promise<boolean> => (await balance(call.receiver)) === 1n;
      const sent = transactor.send({ ...call, isDone });
      await until(async () => (await waiting()) === 1);
      const nonce = await clientOf().getTransactionCount({ address: account.address });
      const { maxFeePerGas } = await clientOf().estimateFeesPerGas();
      const fees = { maxFeePerGas: maxFeePerGas * 4n, maxPriorityFeePerGas: maxFeePerGas * 2n };
      await walletOf(account).sendTransaction({ to: call.to, data: call.data, nonce, gas: 100_000n, ...fees });
      return { sent };
    });
    expect(await sent.sent).toBeUndefined();
    transactor.close();
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("that the chain turns back behind is carried out again", async () => {
    const [call, path] = [mint(), newJournal()];
    const snapshot = await miner().snapshot();
    expect((await send(call, {}, path))?.status).toBe("success");
    await miner().revert({ id: snapshot });
    await chain.ask("evm_mine");
    expect(await balance(call.receiver)).toBe(0n);
    const transactor = await open(path);
    await transactor.reconcile();
    transactor.close();
    expect(await balance(call.receiver)).toBe(1n);
  });

  test("is final only below as many blocks as are asked for", async () => {
    const call = mint();
    const transactor = await open(newJournal(), { confirmations: 3 });
    let ended = false;
    const sent = transactor.send(call).then(() => (ended = true));
    await until(async () => (await balance(call.receiver)) === 1n);
    await chain.ask("evm_mine");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(ended).toBe(false);
    await chain.ask("evm_mine");
    await sent;
    transactor.close();
  });

  test("that is reverted is told, and not sent again by the next command", async () => {
    const { maxFeePerGas } = await clientOf().estimateFeesPerGas();
    const data = encodeFunctionData({ abi: testTokenAbi, functionName: "transfer", args: [owner.address, 1n] });
    await expect(send({ what: "transfer", to: token, data })).rejects.toThrow(/ERC20InsufficientBalance|revert/);
    expect(maxFeePerGas).toBeGreaterThan(0n);
  });

  test("may be asked for again by a later command, and is another one then", async () => {
    const [call, path] = [mint(), newJournal()];
    await send(call, {}, path);
    await send(call, {}, path);
    expect(await balance(call.receiver)).toBe(2n);
  });
});

/** Ends with the program's exit code, or the signal that killed it. */
async function sendProgram(path: string, data: Hex, ...crash: string[]): Promise<number | string> {
  const args = ["--disable-warning=ExperimentalWarning", SEND, chain.url, path, token, data, ...crash];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return signal ?? code!;
}

describe("a command that is killed", () => {
  const KINDS = ["action", "signed", "mined", "closed"] as const;
  const POINTS = KINDS.flatMap((kind) => (["before", "after"] as const).map((when) => [kind, when] as const));
  test.each(POINTS)(
    "at the record %s of its journal, %s it is written, is finished by the next",
    async (kind, when) => {
      const [call, path] = [mint(), newJournal()];
      expect(await sendProgram(path, call.data, kind, when)).toBe("SIGKILL");
      expect(await sendProgram(path, call.data)).toBe(0);
      const expected = kind === "closed" && when === "after" ? 2n : 1n;
      // What was closed is over, and asked for again it is another action.
      expect(await balance(call.receiver)).toBe(expected);
    },
  );

  test("at any points, with a node that fails at others, has effect once", async () => {
    const point = fc.record({
      kind: fc.constantFrom("action", "signed", "mined"),
      when: fc.constantFrom("before", "after"),
    });
    const fault = fc.record({
      method: fc.constantFrom("eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount"),
      when: fc.constantFrom("before" as const, "after" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(point, { minLength: 1, maxLength: 2 }), fault, async (points, { method, when }) => {
        const [call, path] = [mint(), newJournal()];
        await chain.fault(method, when, "drop");
        let ended: number | string = "not yet";
        for (const { kind, when: at } of points) if (ended !== 0) ended = await sendProgram(path, call.data, kind, at);
        if (ended !== 0) ended = await sendProgram(path, call.data);
        expect(ended).toBe(0);
        expect(await balance(call.receiver)).toBe(1n);
      }),
      { seed: SEED, numRuns: 5 },
    );
  });
});
