/** Signatures of wallet contracts: what a node answers decides, and a node that fails decides nothing. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Wallets } from "../../src/cli/wallets.ts";

const wallet = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);
const [ACCEPTS, REFUSES, NOBODY, REVERTS, BUSY] = [1, 2, 3, 4, 5].map(wallet);
const word = (hex: string): string => `0x${hex.padEnd(64, "0")}`;
const REVERTED = { error: { code: 3, message: "execution reverted: Timeout", data: "0x" } };
const ANSWERS: Record<number, object> = {
  1: { result: word("1626ba7e") },
  2: { result: word("ffffffff") },
  3: { result: "0x" },
  4: REVERTED,
  5: { error: { code: -32005, message: "limit exceeded" } },
};

let server: Server;
let url = "";
const blocks: unknown[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece) => (text += piece));
    request.on("end", () => {
      const { id, method, params } = JSON.parse(text);
      if (method === "eth_call") blocks.push(params[1]);
      const answer =
        method === "eth_blockNumber" ? { result: "0x10" } : ANSWERS[Number.parseInt(params[0].to.slice(2, 4), 16)];
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

function asked(rpc: string | undefined, ...addresses: Uint8Array[]): Promise<bigint | undefined> {
  const wallets = new Wallets(rpc === undefined ? undefined : [rpc]);
  for (const address of addresses) wallets.accept(address, new Uint8Array(32).fill(7), new Uint8Array(65).fill(8));
  return wallets.confirm();
}

test("nobody is asked where every signature is by its key", async () => {
  expect(await asked(undefined)).toBeUndefined();
  await expect(asked(undefined, ACCEPTS)).rejects.toMatchObject({ code: "VERDE_CHAIN_WALLET" });
});

test("a wallet that accepts is asked at one block, which is named", async () => {
  expect(await asked(url, ACCEPTS, ACCEPTS)).toBe(16n);
  expect(blocks).toEqual(["0x10", "0x10"]);
});

test("a wallet that refuses, reverts or does not exist has not signed", async () => {
  for (const address of [REFUSES, NOBODY, REVERTS])
    await expect(asked(url, ACCEPTS, address)).rejects.toMatchObject({ code: "VERDE_DISPUTE_VERDICT_ALTERED" });
});

test("a node that does not answer says nothing about the wallet", async () => {
  const failure = await asked(url, BUSY).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toHaveProperty("family");
});
