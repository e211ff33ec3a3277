/** Events are read from nodes with all kinds of limits, once for old blocks, and again for those that may be dropped. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import fc from "fast-check";
import { HttpRequestError, TimeoutError } from "viem";
import { LogReader, type LogReaderOptions } from "../../../src/settlement/logs/reader.ts";
import { LogFolder } from "../../../src/settlement/logs/store.ts";
import { clientOf } from "../../../src/settlement/nodes/quorum.ts";
import { CONTRACT, EventNode, type Policy, refusal, TOPIC } from "../../fixtures/node/events.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";

const SEED = 20261129;
const filter = { address: CONTRACT, topics: [null, TOPIC], from: 0n } as const;
const every =
  (blocks: number, events = 1) =>
  (block: number) =>
    block % blocks === 0 ? events : 0;
const folder = temporaryFolder();

function nodeWith(blocks: number, eventsIn: (block: number) => number, policy?: Policy): EventNode {
  const node = new EventNode();
  node.grow(blocks, eventsIn);
  if (policy) node.policy = policy;
  return node;
}
const readerOf = (node: EventNode, options: LogReaderOptions = {}) =>
  new LogReader(node.client, { pauseMillis: 1, ...options });
const atMost =
  (blocks: number, message: (from: number, to: number) => Error): Policy =>
  (events, from, to) => {
    if (to - from + 1 > blocks) throw message(from, to);
    return events;
  };
const hex = (n: number): string => `0x${n.toString(16)}`;

test("a node without limits is asked once for the old blocks, and once for the new ones", async () => {
  const node = nodeWith(500, every(7));
  expect(await readerOf(node).read(filter)).toEqual(node.events);
  expect(node.asked.map(({ from, to }) => [from, to])).toEqual([
    [0, 435],
    [436, 499],
  ]);
});

/** As nodes word it. The last ones give no error of their own. */
const REFUSALS: readonly [string, (from: number, to: number) => Error][] = [
  ["Infura, results", () => refusal(-32005, "query returned more than 10000 results")],
  ["Infura, blocks", (from, to) => refusal(-32602, `range ${to - from} exceeds limit of 10`)],
  [
    "Alchemy, free",
    (from) =>
      refusal(
        -32600,
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. " +
          `Based on your parameters, this block range should work: [${hex(from)}, ${hex(from + 9)}].`,
      ),
  ],
  [
    "reth, a range that is no smaller",
    (from, to) => refusal(-32602, `query exceeds max results 20000, retry with the range ${from}-${to}`),
  ],
  [
    "reth, a smaller range",
    (from) => refusal(-32602, `query exceeds max results 20000, retry with the range ${from}-${from + 4}`),
  ],
  ["QuickNode", () => refusal(-32614, "eth_getLogs is limited to a 10 range")],
  ["Ankr", () => refusal(-32062, "Block range is too large")],
  ["drpc", () => refusal(35, "ranges over 10 blocks are not supported on freetier")],
  ["geth", () => refusal(-32000, "query timeout exceeded")],
  ["unknown", () => refusal(-32001, "Unable to complete request at this time.")],
  ["HTTP 400", () => new HttpRequestError({ url: "http://node", status: 400, details: "up to a 10 block range" })],
  ["HTTP 413", () => new HttpRequestError({ url: "http://node", status: 413 })],
  ["HTTP 503", () => new HttpRequestError({ url: "http://node", status: 503 })],
  ["a time-out", () => new TimeoutError({ body: {}, url: "http://node" })],
];

test.each(REFUSALS)("a node that allows ten blocks, and refuses like this: %s", async (_, message) => {
  const node = nodeWith(700, every(5, 2), atMost(10, message));
  expect(await readerOf(node).read(filter)).toEqual(node.events);
  const refused = node.asked.filter(({ answered }) => !answered).length;
  expect(refused).toBeLessThan(24);
  expect(node.asked.length - refused).toBeLessThan(190);
});

test("a node that caps results is asked for fewer blocks only where there are many events", async () => {
  const dense = (block: number) => (block >= 3000 && block < 3100 ? 20 : every(50)(block));
  const cap: Policy = (events) => {
    if (events.length > 100) throw refusal(-32005, "query returned more than 100 results");
    return events;
  };
  const node = nodeWith(20_000, dense, cap);
  expect(await readerOf(node).read(filter)).toEqual(node.events);
  expect(node.asked.length).toBeLessThan(150);
});

test("a node that cuts a list without an error is asked again for less", async () => {
  const node = nodeWith(
    3000,
    () => 3,
    (events) => events.slice(0, 1000),
  );
  expect(await readerOf(node).read(filter)).toEqual(node.events);
});

test("whatever the limits are, all events are read, each once, in their order", async () => {
  const limits = fc.record({
    blocks: fc.integer({ min: 1, max: 400 }),
    results: fc.integer({ min: 6, max: 300 }),
    head: fc.integer({ min: 1, max: 600 }),
    spread: fc.integer({ min: 1, max: 40 }),
    from: fc.integer({ min: 0, max: 700 }),
  });
  const holds = async ({ blocks, results, head, spread, from }: Record<string, number>): Promise<void> => {
    const node = nodeWith(head, every(spread, 1 + (spread % 6)), (events, first, last) => {
      if (last - first + 1 > blocks || events.length > results) throw refusal(-32005, "limit exceeded");
      return events.toReversed();
    });
    const wanted = node.events.filter(({ blockNumber }) => Number(blockNumber) >= from);
    expect(await readerOf(node).read({ ...filter, from: BigInt(from) })).toEqual(wanted);
  };
  await fc.assert(fc.asyncProperty(limits, holds), { seed: SEED, numRuns: process.env.VERDE_SWEEP ? 2000 : 60 });
});

test("a node that is asked too fast is given time, and then given up", async () => {
  let patience = 3;
  const busy: Policy = (events) => {
    if (patience-- > 0) throw refusal(-32005, "daily request count exceeded, request rate limited");
    return events;
  };
  const node = nodeWith(10, every(2), busy);
  expect(await readerOf(node).read(filter)).toEqual(node.events);
  patience = 99;
  await expect(readerOf(node).read(filter)).rejects.toMatchObject({ code: "VERDE_CHAIN_LOGS" });
});

test("a node that gives no events at all is an error that says so, after a few requests", async () => {
  const node = nodeWith(1_000, every(2), () => {
    throw refusal(-32000, "the index of events is switched off");
  });
  await expect(readerOf(node).read(filter)).rejects.toThrow(
    "not even of this block alone: the index of events is switched off",
  );
  expect(node.asked.length).toBeLessThan(15);
  node.policy = () => {
    throw refusal(-32601, "the method eth_getLogs does not exist");
  };
  await expect(readerOf(node).read(filter)).rejects.toThrow("does not exist");
});

test("a connection that breaks is tried again", async () => {
  let breaks = 2;
  const node = nodeWith(10, every(2), (events) => {
    if (breaks-- > 0) throw new HttpRequestError({ url: "http://node", details: "connection reset" });
    return events;
  });
  expect(await readerOf(node).read(filter)).toEqual(node.events);
});

test("events in the wrong order, and twice, are read in their order, once", async () => {
  const node = nodeWith(300, every(3, 3), (events) => [...events.toReversed(), ...events]);
  expect(await readerOf(node).read(filter)).toEqual(node.events);
});

test("events that were not asked for are a false answer", async () => {
  const [event] = nodeWith(1, () => 1).events;
  const other = `0x${"0e".repeat(32)}` as const;
  for (const [words, answer] of [
    ["an event of 0xee", [{ ...event, address: `0x${"ee".repeat(20)}` }]],
    ["an event about 0x0e", [{ ...event, topics: [other, other] }]],
    ["an event about nothing", [{ ...event, topics: [other] }]],
    ["an event of block 99", [{ ...event, blockNumber: "0x63" }]],
    ["in no block", [{ ...event, blockHash: null }]],
    ["something else than a list", { events: [] }],
  ] as const) {
    const node = nodeWith(5, every(2), () => answer);
    const error = await readerOf(node)
      .read(filter)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "VERDE_CHAIN_ANSWER_FALSE", evidence: { answer: "events" } });
    expect(String(error)).toContain(words);
  }
});

test("old blocks are read once, the last 64 at each new block, and nothing while the head stays", async () => {
  const node = nodeWith(1000, every(10));
  const reader = readerOf(node);
  await reader.read(filter);
  node.asked.length = 0;
  await reader.read(filter);
  expect(node.asked).toEqual([]);
  node.grow(1, () => 1);
  expect(await reader.read(filter)).toEqual(node.events);
  expect(node.asked.map(({ from, to }) => [from, to])).toEqual([
    [936, 936],
    [937, 1000],
  ]);
});

test.each([1, 63, 64, 65, 200])("a chain that drops %i blocks has other events then", async (depth) => {
  const node = nodeWith(1000, every(10));
  const reader = readerOf(node, { store: new LogFolder(folder(`dropped ${depth}`), []) });
  await reader.read(filter);
  node.drop(depth);
  node.grow(depth + 3, every(4), "on another fork");
  expect(await reader.read(filter)).toEqual(node.events);
  const another = readerOf(node, { store: new LogFolder(folder(`dropped ${depth}`), []) });
  expect(await another.read(filter)).toEqual(node.events);
  // A chain that was started again may be shorter than what was read of the old one.
  node.drop(900);
  expect(await readerOf(node, { store: new LogFolder(folder(`dropped ${depth}`), []) }).read(filter)).toEqual(
    node.events,
  );
});

test("another process continues where one has ended, also in the middle", async () => {
  const at = folder("resumed");
  const store = () => new LogFolder(at, ["http://node"]);
  let answers = 30;
  const node = nodeWith(2000, every(10), (events, from, to) => {
    if (to - from >= 10) throw refusal(-32005, "at most 10 blocks");
    if (answers-- <= 0) throw refusal(-32601, "killed");
    return events;
  });
  await expect(readerOf(node, { store: store(), saveMillis: 0 }).read(filter)).rejects.toThrow("killed");
  answers = Infinity;
  node.asked.length = 0;
  expect(await readerOf(node, { store: store() }).read(filter)).toEqual(node.events);
  const first = node.asked.find(({ answered }) => answered)!.from;
  expect(first).toBeGreaterThan(100);
  node.asked.length = 0;
  expect(await readerOf(node, { store: store() }).read(filter)).toEqual(node.events);
  expect(Math.min(...node.asked.map(({ from }) => from))).toBe(1936);
});

test("a damaged file is as good as none, and another node has files of its own", async () => {
  const at = folder("kept");
  const node = nodeWith(300, every(10));
  await readerOf(node, { store: new LogFolder(at, ["http://a"]) }).read(filter);
  const [file] = readdirSync(at);
  const text = readFileSync(join(at, file), "utf8");
  for (const damage of [
    "",
    "{",
    text.replace(CONTRACT, `0x${"ee".repeat(20)}`),
    text.replace('"version":1', '"version":2'),
  ]) {
    writeFileSync(join(at, file), damage);
    expect(await readerOf(node, { store: new LogFolder(at, ["http://a"]) }).read(filter)).toEqual(node.events);
  }
  await readerOf(node, { store: new LogFolder(at, ["http://b"]) }).read(filter);
  expect(readdirSync(at)).toHaveLength(2);
});

test("of two nodes one that hides an event is found", async () => {
  const [honest, hiding] = [nodeWith(300, every(10)), nodeWith(300, every(10), (events) => events.slice(1))];
  const client = clientOf([honest.endpoint("http://a"), hiding.endpoint("http://b")], { pauseMillis: 1 });
  const reading = new LogReader(client).read(filter);
  await expect(reading).rejects.toMatchObject({ code: "VERDE_CHAIN_NODES_DIFFER" });
});
