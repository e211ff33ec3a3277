/** The draw of providers: the same for all who know its facts, of distinct operators, and not to be moved. */
import fc from "fast-check";
import { createPublicClient, custom, type Hex, pad, toHex } from "viem";
import { expect, test } from "vitest";
import { closingBlock, drawn, drawProblem, type Offer } from "../../../src/services/network/draw.ts";
import { openLocalChain } from "../../../src/settlement/local/chain.ts";
import { drawSaltOf } from "../../../src/settlement/secrets.ts";
import { SEED } from "../../property/seed.ts";

const address = (n: number) => pad(toHex(n + 1), { size: 20 });
const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes));
const offers = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 24 }).chain(
  (owners) =>
    fc.tuple(...owners.map((owner) => fc.record({ owner: fc.constant(address(owner)), operator: fc.integer({ min: 0, max: 9 }).map(address) }))), // prettier-ignore
) as fc.Arbitrary<Offer[]>;
const facts = fc.record({ task: word, secret: word, blockHash: word });

test("draws as many as there are seats, each once, and never two of one operator unless told", () =>
  fc.assert(
    fc.property(offers, fc.integer({ min: 1, max: 8 }), facts, fc.boolean(), (all, seats, fact, together) => {
      const chosen = drawn(all, seats, fact, together);
      const operators = new Set(all.map(({ operator }) => operator));
      expect(chosen).toHaveLength(Math.min(seats, together ? all.length : operators.size));
      expect(new Set(chosen.map(({ owner }) => owner)).size).toBe(chosen.length);
      if (!together) expect(new Set(chosen.map(({ operator }) => operator)).size).toBe(chosen.length);
    }),
    { seed: SEED, numRuns: 200 },
  ));

test("does not depend on the order of the offers, nor on an offer that is named twice", () =>
  fc.assert(
    fc.property(offers, facts, fc.infiniteStream(fc.nat()), (all, fact, random) => {
      const shuffled = [...all, all[0]].map((offer) => [random.next().value as number, offer] as const).sort(([a], [b]) => a - b); // prettier-ignore
      expect(drawn(shuffled.map(([, offer]) => offer), 3, fact, false)).toEqual(drawn(all, 3, fact, false)); // prettier-ignore
    }),
    { seed: SEED, numRuns: 100 },
  ));

test("gives each provider the same chance", () => {
  const all = Array.from({ length: 8 }, (_, i) => ({ owner: address(i), operator: address(i) }));
  const times = new Map<Hex, number>(all.map(({ owner }) => [owner, 0]));
  for (let i = 0; i < 2000; i++) {
    const fact = { task: pad(toHex(i + 1)), secret: pad("0x07"), blockHash: pad("0x08") } as const;
    for (const { owner } of drawn(all, 3, fact, false)) times.set(owner, times.get(owner)! + 1);
  }
  // 750 each are expected, with a standard deviation of 22.
  for (const [owner, count] of times) expect(Math.abs(count - 750), owner).toBeLessThan(110);
});

test("holds for the secret of the terms and the block that ends the offers alone", async () => {
  const { provider, close } = await openLocalChain();
  try {
    const client = createPublicClient({ transport: custom(provider), cacheTime: 0 });
    const { timestamp } = await client.getBlock();
    const closes = Number(timestamp) + 100;
    expect(await closingBlock(client, closes)).toBeUndefined();
    for (const seconds of [50, 60, 70, 80]) {
      await client.request({ method: "evm_increaseTime", params: [toHex(seconds)] } as never);
      await client.request({ method: "evm_mine", params: [] } as never);
    }
    const block = (await closingBlock(client, closes))!;
    expect(block.number).toBe(2n);
    const secret = pad("0x0123");
    const terms = { salt: drawSaltOf(secret), closes };
    const draw = { task: pad("0x01"), secret, block: 2, blockHash: block.hash, together: false, offers: [] };
    expect(await drawProblem(client, draw, terms)).toBeUndefined();
    expect(await drawProblem(client, { ...draw, secret: pad("0x0124") }, terms)).toMatch(/secret/);
    expect(await drawProblem(client, { ...draw, blockHash: pad("0x05") }, terms)).toMatch(/another hash/);
    for (const number of [1n, 3n]) {
      const { hash } = await client.getBlock({ blockNumber: number });
      const other = { ...draw, block: Number(number), blockHash: hash };
      expect(await drawProblem(client, other, terms)).toMatch(/not the one that ends the offers/);
    }
  } finally {
    await close();
  }
});
