/** Several nodes as one: what they have to agree on, and what happens when they do not, or when one is away. */
import { expect, test } from "vitest";
import { HttpRequestError, type Hex, numberToHex, RpcRequestError } from "viem";
import type { Endpoint } from "../../../src/settlement/nodes/endpoint.ts";
import { endpointsAt } from "../../../src/settlement/nodes/endpoint.ts";
import { type Agreement, clientOf } from "../../../src/settlement/nodes/quorum.ts";

type Answers = Record<string, (params: unknown[]) => unknown>;

/** A node at this height, whose answers about the state name the block that they are for. */
function node(name: string, height: number, answers: Answers = {}): Endpoint & { asked: string[] } {
  const asked: string[] = [];
  const block = (tag: unknown) => (tag === "latest" ? height : Number(tag));
  const own: Answers = {
    eth_chainId: () => "0x7a69",
    eth_getBlockByNumber: ([tag]) => (block(tag) > height ? null : blockAt(block(tag))),
    eth_getBalance: ([, tag]) => numberToHex(1000 + block(tag)),
    ...answers,
  };
  const request: Endpoint["request"] = async ({ method, params }) => {
    asked.push(method);
    if (!own[method]) throw new Error(`${name} does not know ${method}`);
    return own[method](params as unknown[]);
  };
  return { name, asked, request };
}

const blockAt = (number: number, time = 12 * number) => ({
  number: numberToHex(number),
  hash: numberToHex(7_000_000 + number, { size: 32 }),
  parentHash: numberToHex(6_999_999 + number, { size: 32 }),
  timestamp: numberToHex(time),
  transactions: [],
});
const ADDRESS: Hex = `0x${"11".repeat(20)}`;
const away = (): never => {
  throw new HttpRequestError({ url: "http://away", details: "connection refused" });
};
const AWAY: Answers = { eth_chainId: away, eth_getBlockByNumber: away, eth_getBalance: away };
const of = (nodes: Endpoint[], agreement: Agreement = "all", onDissent?: (text: string) => void) =>
  clientOf(nodes, { agreement, pauseMillis: 1, ...(onDissent && { onDissent }) });
const richer: Answers = { eth_getBalance: () => numberToHex(5_000_000) };

test("nodes at different heights agree about the newest block that both know", async () => {
  const nodes = [node("a", 10), node("b", 12)];
  expect(await of(nodes).getBlockNumber()).toBe(10n);
  expect(await of(nodes).getBalance({ address: ADDRESS })).toBe(1010n);
  expect((await of(nodes).getBlock()).number).toBe(10n);
});

test("nodes that differ are an error that names both answers", async () => {
  const asked = of([node("http://a", 10), node("http://b", 10, richer)]).getBalance({ address: ADDRESS });
  const error = await asked.then(undefined, (thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER", evidence: { nodes: ["http://a", "http://b"] } });
  expect(String(error)).toContain("1010");
  expect(String(error)).toContain("5000000");
});

test("of all nodes none may be away, and the error names it", async () => {
  const asked = of([node("http://a", 10), node("http://b", 10, AWAY)]).getBalance({ address: ADDRESS });
  await expect(asked).rejects.toThrow(/http:\/\/b: connection refused/);
});

test("a majority goes on without a node that is away, far behind, or alone with its answer", async () => {
  const dissent: string[] = [];
  const balance = (nodes: Endpoint[]) =>
    of(nodes, "majority", (text) => dissent.push(text)).getBalance({ address: ADDRESS });
  expect(await balance([node("a", 10), node("b", 10, AWAY)])).toBe(1010n);
  expect(await balance([node("a", 10), node("b", 1000)])).toBe(2000n);
  expect(dissent).toEqual([]);
  expect(await balance([node("a", 10), node("b", 10, richer), node("c", 10)])).toBe(1010n);
  expect(dissent).toHaveLength(1);
  expect(dissent[0]).toContain("b says");
  await expect(balance([node("a", 10), node("b", 10, richer)])).rejects.toMatchObject({
    code: "VERDE_CHAIN_NODES_DIFFER",
  });
  await expect(balance([node("a", 10, AWAY), node("b", 10, AWAY)])).rejects.toThrow("connection refused");
});

test("a node that is far behind stops those who want all to agree", async () => {
  await expect(of([node("a", 10), node("b", 1000)]).getBlockNumber()).rejects.toThrow(
    "the newest block of a is 10, and that of b is 1000, 3 h 18 m younger",
  );
});

test("a block from the future makes no node believed", async () => {
  const future: Answers = { eth_getBlockByNumber: () => blockAt(99, Math.floor(Date.now() / 1000) + 9_999) };
  const now = { eth_getBlockByNumber: () => blockAt(10, Math.floor(Date.now() / 1000)) };
  expect(await of([node("a", 10, now), node("b", 99, future)], "majority").getBlockNumber()).toBe(10n);
});

const hash: Hex = numberToHex(5, { size: 32 });
const receipt = (status: Hex, block = 3) => ({
  transactionHash: hash,
  blockHash: blockAt(block).hash,
  blockNumber: numberToHex(block),
  status,
  logs: [],
  gasUsed: "0x1",
});

test("a receipt counts when all have it, and a false one is an error", async () => {
  const having = (value: unknown): Answers => ({ eth_getTransactionReceipt: () => value });
  const asked = (...values: unknown[]) =>
    of(values.map((value, i) => node(`node ${i}`, 10, having(value)))).request({
      method: "eth_getTransactionReceipt",
      params: [hash],
    });
  expect(await asked(receipt("0x1"), receipt("0x1"))).toMatchObject({ status: "0x1" });
  expect(await asked(receipt("0x1"), null)).toBeNull();
  expect(await asked(receipt("0x1"), receipt("0x1", 4))).toBeNull();
  await expect(asked(receipt("0x1"), receipt("0x0"))).rejects.toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER" });
});

test("a transaction goes to every node, and one that takes it is enough", async () => {
  const refuses = (): never => {
    throw new RpcRequestError({ body: {}, error: { code: -32000, message: "nonce too low" }, url: "http://b" });
  };
  const send = (...nodes: Endpoint[]) => of(nodes).sendRawTransaction({ serializedTransaction: "0x02" });
  const taking = [node("a", 1, { eth_sendRawTransaction: away }), node("b", 1, { eth_sendRawTransaction: () => hash })];
  expect(await send(...taking)).toBe(hash);
  expect(taking.map(({ asked }) => asked)).toEqual([["eth_sendRawTransaction"], ["eth_sendRawTransaction"]]);
  const refusing = node("b", 1, { eth_sendRawTransaction: refuses });
  await expect(send(node("a", 1, { eth_sendRawTransaction: away }), refusing)).rejects.toThrow("nonce too low");
});

test("a node alone can't raise the tip, and a number of waiting transactions far above is refused", async () => {
  const with_ = (tip: Hex, count: Hex): Answers => ({
    eth_maxPriorityFeePerGas: () => tip,
    eth_getTransactionCount: () => count,
  });
  const two = (...counts: Hex[]) =>
    of([node("a", 1, with_("0x2", counts[0])), node("b", 1, with_("0xffff", counts[1]))]);
  expect(await two("0x1", "0x3").request({ method: "eth_maxPriorityFeePerGas" })).toBe("0x2");
  const waiting = { address: ADDRESS, blockTag: "pending" } as const;
  expect(await two("0x1", "0x3").getTransactionCount(waiting)).toBe(3);
  await expect(two("0x1", "0xff").getTransactionCount(waiting)).rejects.toMatchObject({
    code: "VERDE_CHAIN_NODES_DIFFER",
  });
});

test("an address that is none, or is named twice, is refused; a key in one is not shown", () => {
  expect(() => endpointsAt(["ftp://x"])).toThrow("begins with http");
  expect(() => endpointsAt(["http://x/key", "http://x/key"])).toThrow("http://x twice");
  const names = endpointsAt(["https://x/secret-key", "https://x/other-key", "http://y"]).map(({ name }) => name);
  expect(names).toEqual(["https://x", "https://x (2)", "http://y"]);
});
