/**
 * What the transactions of a sale cost, whole, in gas: below their ceilings, and equal to
 * `exchange-gas.json`, so that a change is seen and decided. `VERDE_WRITE_GAS=1 npx vitest run
 * test/contracts/exchange-gas.test.ts` writes the file. docs/exchange.md shows the same figures.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type Abi, encodeDeployData, type Hex, type TransactionReceipt } from "viem";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../src/encoding/bytes.ts";
import { climb, hashLeaf, heightOf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { exchangeAbi } from "../../src/settlement/abi/exchange.ts";
import { exchangeBytecode } from "../../src/settlement/abi/bytecode.ts";
import { saleIdOf } from "../../src/settlement/exchange/sale.ts";
import { keyHashOf, sealedLeaf } from "../../src/settlement/exchange/seal.ts";
import { call, type Chain, DAY, digest, openChain, pass, UNIT } from "./chain.ts";
import { Play, TRUTH } from "./task.ts";

const FILE = new URL("exchange-gas.json", import.meta.url);
const PAGE = new URL("../../docs/exchange.md", import.meta.url);
const CEILINGS: Readonly<Record<string, number>> = {
  pledge: 200_000,
  offer: 190_000,
  take: 45_000,
  releaseKey: 50_000,
  "complain, 2^10 chunks": 120_000,
  "complain, 2^20 chunks": 130_000,
  "complain, 2^30 chunks": 150_000,
};
const KEY = digest("the key of a sale");
/** Half a gigabyte of hashes would be needed for the largest tree, so its siblings are made up. */
const SIBLING = fromHex(digest("a sibling"));

/** A chunk at the first place of a tree of 2^height leaves, which does not decrypt to its leaf. */
function wrongChunk(height: number) {
  const [leaf, ciphertext] = [hashLeaf(Tag.chunk, new Uint8Array(256)), new Uint8Array(256).fill(7)];
  const path = Array.from({ length: height }, () => SIBLING);
  const root = climb(sealedLeaf(0, leaf, ciphertext), 2 ** height, 0, path)!;
  const chunk = { index: 0, leaf: toHex(leaf), ciphertext: toHex(ciphertext), path: path.map(toHex) };
  return { chunk, root: toHex(root), chunks: 2 ** height };
}

async function measure(): Promise<Record<string, number>> {
  const chain = await openChain();
  const { client } = chain;
  const [deployer, buyer, seller, anyone] = [0, 1, 2, 7].map((i) => chain.accounts[i]);
  const play = await Play.of(chain);
  await play.claims(TRUTH, TRUTH);
  await play.wait();
  await play.finalize();
  const data = encodeDeployData({ abi: exchangeAbi, bytecode: exchangeBytecode, args: [chain.manager] });
  const hash = await client.sendTransaction({ account: deployer, data });
  const exchange = (await client.waitForTransactionReceipt({ hash })).contractAddress!;
  for (const account of [buyer, seller]) await call(chain, account, "token", "approve", [exchange, 2n ** 255n]);
  const gas: Record<string, number> = {};
  const note = (name: string, { gasUsed }: TransactionReceipt): void => {
    gas[name] = Math.max(gas[name] ?? 0, Number(gasUsed));
  };
  const send = async (account: Hex, functionName: string, ...args: unknown[]): Promise<TransactionReceipt> => {
    const request = { account, address: exchange, abi: exchangeAbi as Abi, functionName, args };
    return client.waitForTransactionReceipt({ hash: await client.writeContract(request) });
  };
  const chainId = await client.getChainId();
  let sales = 0;
  /** Plays a sale up to some step. */
  const playTo = async (steps: number, height: number): Promise<{ sale: Hex; chunk: object }> => {
    const [toOffer, toTake, toRelease, toComplain] = [DAY, DAY, DAY, DAY];
    const salt = digest(`sale ${sales++}`);
    const times = { toOffer, toTake, toRelease, toComplain };
    const terms = { task: play.id, salt, buyer, seat: 0, price: UNIT, bond: UNIT, ...times };
    const sale = saleIdOf({ chainId, exchange } as Parameters<typeof saleIdOf>[0], terms);
    const { chunk, root, chunks } = wrongChunk(height);
    const keyHash = toHex(keyHashOf(fromHex(sale), fromHex(KEY)));
    note("pledge", await send(buyer, "pledge", terms));
    if (steps > 0) note("offer", await send(seller, "offer", sale, root, chunks, keyHash));
    if (steps > 1) note("take", await send(buyer, "take", sale, root, keyHash));
    if (steps > 2) note("releaseKey", await send(seller, "releaseKey", sale, KEY));
    return { sale, chunk };
  };
  for (const height of [10, 20, 30]) {
    const { sale, chunk } = await playTo(3, height);
    expect(heightOf(2 ** height)).toBe(height);
    note(`complain, 2^${height} chunks`, await send(buyer, "complain", sale, KEY, chunk));
  }
  const paid = await playTo(3, 10);
  note("finish", await send(buyer, "finish", paid.sale));
  for (const [steps, name] of ["expire, without an offer", "expire, not taken", "expire, without a key"].entries()) {
    const { sale } = await playTo(steps, 10);
    await pass(chain as Chain, DAY + 1);
    note(name, await send(anyone, "expire", sale));
  }
  note("claim", await send(anyone, "claim", seller));
  note("burn", await send(anyone, "burn"));
  return gas;
}

test("gas stays below the ceilings and unchanged, and the page shows it", async () => {
  const gas = await measure();
  if (process.env.VERDE_WRITE_GAS) writeFileSync(FILE, `${JSON.stringify(gas, null, 2)}\n`);
  for (const [name, ceiling] of Object.entries(CEILINGS)) expect(gas[name], name).toBeLessThanOrEqual(ceiling);
  expect(gas).toEqual(JSON.parse(readFileSync(FILE, "utf8")));
  const page = readFileSync(PAGE, "utf8");
  for (const [name, figure] of Object.entries(gas))
    expect(page).toContain(`| ${name} | ${figure.toLocaleString("en-US")} |`);
});
