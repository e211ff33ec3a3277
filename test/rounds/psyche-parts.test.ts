/** The integers of Psyche's example: hashes, shuffles and filters against published vectors, states against its sources. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { arange, concat, evaluate, fillInt, intTensor, reshape, slice, stack, type Value } from "../../src/graph/index.ts"; // prettier-ignore
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { Coordinator, type Happening, positions, type Settings, shuffle } from "./psyche-reference.ts";

resolveOwnPackage();
const hash = await import("../../examples/rounds/psyche-hash.ts");
const draw = await import("../../examples/rounds/psyche-draw.ts");
const roles = await import("../../examples/rounds/psyche-roles.ts");
const witness = await import("../../examples/rounds/psyche-witness.ts");
const coordinator = await import("../../examples/rounds/psyche-coordinator.ts");
const sha256 = (bytes: Uint8Array | string): number[] => [...createHash("sha256").update(bytes).digest()];
const wordsOf = (seed: bigint) => intTensor([2], [Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n))]); // prettier-ignore
const number = (value: number) => intTensor([], [value]);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("hashes", () => {
  test("SHA-256 is that of Node for lengths around the ends of blocks", async () => {
    for (const length of [1, 33, 55, 56, 64, 119, 120]) {
      const text = Uint8Array.from({ length }, (_, i) => (37 * i + length) & 255);
      const rows = intTensor([2, length], [...text, ...text.toReversed()]);
      const { data } = await evaluate(({ x }) => hash.sha256(x), { x: rows });
      expect([...data], `${length}`).toEqual([...sha256(text), ...sha256(text.toReversed())]);
    }
  });

  test("filters have their bits at the places of FNV-1a", async () => {
    const small = { x: intTensor([2, 3], [1, 2, 3, 4, 5, 6]), k: intTensor([2], [1, 2]) };
    expect([...(await evaluate(({ x, k }) => hash.placesOf(x, k, 512), small)).data]).toEqual([159, 6, 344, 105]);
    const abc = { x: intTensor([1, 32], sha256("abc")), k: intTensor([8], [1, 2, 3, 4, 5, 6, 7, 8]) };
    const found = await evaluate(({ x, k }) => hash.placesOf(x, k, 1024), abc);
    expect([...found.data]).toEqual([225, 210, 663, 672, 149, 6, 187, 388]);
  });
});

describe("shuffles", () => {
  test("swap-or-not draws the committees of Psyche's tests", async () => {
    const zero = { s: intTensor([1, 32], Array(32).fill(0)), n: number(10) };
    const found = await evaluate(({ s, n }) => draw.swapOrNot(s, n, 12), zero);
    expect([...found.data].slice(0, 10)).toEqual([9, 7, 4, 1, 8, 0, 5, 6, 3, 2]);
    const seeds = await evaluate(({ w }) => draw.seedsOf(w), { w: wordsOf(12345n) });
    const { data } = await evaluate(({ s, n }) => draw.swapOrNot(s, n, 100), { s: seeds, n: number(100) });
    const [committee, witnesses] = [[...data].slice(0, 100), [...data].slice(100)];
    const count = (of: number[], from: number, to: number) => of.filter((at) => at >= from && at < to).length;
    expect([count(committee, 0, 10), count(committee, 10, 37), count(committee, 37, 100)]).toEqual([10, 27, 63]);
    expect(count(witnesses, 0, 20)).toBe(20);
    expect(committee).toEqual(positions(100, 12345n, "committee"));
    expect(witnesses).toEqual(positions(100, 12345n, "witness"));
  });

  test("the generator shuffles as Psyche's does, whatever the seed and the count", async () => {
    const of = async (items: number[], total: number, seed: bigint) => [...(await evaluate(({ x, n, w }) => draw.shuffled(x, n, w), { x: intTensor([items.length], items), n: number(total), w: wordsOf(seed) })).data]; // prettier-ignore
    expect(await of([1, 2, 3, 4, 5], 5, 42n)).toEqual([2, 5, 3, 1, 4]);
    for (const seed of [0n, 1n, 2n ** 63n + 5n, 2n ** 64n - 1n, 0x9e3779b97f4a7c15n])
      for (const total of [0, 1, 4, 9])
        expect(await of(range(9), total, seed), `${seed} ${total}`).toEqual([...shuffle(range(total), seed), ...range(9).slice(total)]); // prettier-ignore
  });

  test("data is split into equal parts, the first ones larger by one", async () => {
    for (const [units, parts] of [[384, 23], [13, 5], [4, 5], [9, 1]]) {
      const { start, size } = await evaluate(({ n }) => roles.split(units, n, 25), { n: number(parts) });
      const sizes = range(25).map((i) => (i < parts ? Math.floor(units / parts) + (i < units % parts ? 1 : 0) : 0));
      expect([...size.data], `${units} over ${parts}`).toEqual(sizes);
      for (let i = 1; i < parts; i++) expect(start.data[i]).toBe(start.data[i - 1] + sizes[i - 1]);
    }
  }); // prettier-ignore

  test("who takes part draws the roles that all others draw", async () => {
    const mask = [1, 0, 1, 1, 1, 0, 1];
    const living = range(7).filter((i) => mask[i]);
    const seed = 0xfedcba9876543210n;
    const found = await evaluate(({ m, w }) => roles.drawn(m, w, { units: 13, witnesses: 3, percent: 40 }), { m: intTensor([7], mask), w: wordsOf(seed) }); // prettier-ignore
    const [committee, drawn] = [positions(5, seed, "committee"), positions(5, seed, "witness")];
    const at = (places: number[], is: (place: number) => boolean) => range(7).map((i) => Number(mask[i] && is(places[living.indexOf(i)]))); // prettier-ignore
    expect([...found.verifier.data]).toEqual(at(committee, (place) => place < 2));
    expect([...found.trainer.data]).toEqual(at(committee, (place) => place >= 2));
    expect([...found.witness.data]).toEqual(at(drawn, (place) => place < 3));
    const trainers = shuffle(living.filter((_, k) => committee[k] >= 2), seed); // prettier-ignore
    expect(trainers.map((client) => [found.start.data[client], found.size.data[client]])).toEqual([[0, 5], [5, 4], [9, 4]]); // prettier-ignore
    for (const [k, client] of living.entries())
      if (committee[k] < 2) expect(found.target.data[client]).toBe(living[committee.indexOf(committee[k] + 2)]);
  });
});

describe("witnesses", () => {
  test("agree by a quorum, of which four need two", () => {
    expect([1, 2, 3, 4, 5, 6, 9, 32].map(coordinator.quorumOf)).toEqual([1, 2, 2, 2, 3, 4, 6, 21]);
  });

  test("say what they have seen, and the first commitment that they know counts", async () => {
    const items = [0, 1, 2, 3].map((i) => sha256(`item ${i}`));
    // Who has seen which items, of four witnesses with keys of their own.
    const decide = async (seen: number[][], quorum: number, isIn = [1, 1, 1, 1]) => {
      const inputs: Record<string, ReturnType<typeof intTensor>> = { x: intTensor([4, 32], items.flat()), ...Object.fromEntries(seen.map((mask, i) => [`m${i}`, intTensor([4], mask)])) }; // prettier-ignore
      const found = await evaluate((given) => {
        const { x } = given;
        const { builder } = x;
        const filters = seen.map((_, i) => {
          const keys = hash.plus(arange(builder, 0, 8), 100 * i + 1);
          return { words: witness.filterOf(hash.placesOf(x, keys, 1024), given[`m${i}`]), keys, isIn: fillInt(builder, [], isIn[i]) }; // prettier-ignore
        });
        return { score: witness.scoreOf(filters, x), winner: witness.consensusOf(filters, x, quorum) };
      }, inputs); // prettier-ignore
      return [[...found.score.data], found.winner.data[0]];
    };
    const [a, b, none, both] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]; // prettier-ignore
    expect(await decide([a, a, b, none], 2)).toEqual([[2, 1, 0, 0], 0]);
    // Of two commitments with two votes each the last one counts, and a witness of both votes for the first.
    expect(await decide([a, a, b, b], 2)).toEqual([[2, 2, 0, 0], 1]);
    expect(await decide([a, both, b, b], 2)).toEqual([[2, 3, 0, 0], 1]);
    expect(await decide([both, both, both, b], 2)).toEqual([[3, 4, 0, 0], 0]);
    expect(await decide([a, b, none, none], 2)).toEqual([[1, 1, 0, 0], -1]);
    expect(await decide([a, a, b, b], 2, [1, 0, 1, 1])).toEqual([[1, 2, 0, 0], 1]);
  });

  test("have a tree of what they have seen, as Solana makes it", async () => {
    const { data } = await evaluate(({ x }) => witness.merkleRootOf(x), { x: intTensor([3, 1], [..."abc"].map((letter) => letter.charCodeAt(0))) }); // prettier-ignore
    const hex = Buffer.from(data).toString("hex");
    expect([hex.slice(0, 8), hex.slice(-8)]).toEqual(["e9636069", "9f58ecce"]);
  });
});

describe("the coordinator", () => {
  const SETTINGS: Settings = { initMin: 3, min: 2, witnesses: 3, steps: 5, extra: 2, warmup: 3, train: 6, witness: 2, cooldown: 2, epoch: 25 }; // prettier-ignore
  const CLIENTS = 4;
  const TICKS = 32;

  function happenings(seed: number): Happening[] {
    let state = seed;
    const below = (n: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n; // prettier-ignore
    const chance = (percent: number): number => Number((below(65_536) >> 4) % 100 < percent);
    let now = 0;
    return range(TICKS).map(() => ({
      now: (now += (below(65_536) >> 6) % 5),
      pending: range(CLIENTS).map(() => chance(90)),
      dropped: range(CLIENTS).map(() => chance(6)),
      arrived: chance(70) ? 3 : (below(65_536) >> 6) % 3,
      command: chance(4) ? 1 : chance(30) ? 2 : 0,
    }));
  }

  /** The states after each event, unrolled in one graph: i32 [events, 7 + 2 · clients]. */
  function statesOf(events: Value): Value {
    const none = (...shape: number[]) => fillInt(events.builder, shape, 0);
    let state = { run: fillInt(events.builder, [], 1), since: none(), step: none(), last: none(), begun: none(), pausing: none(), witnesses: none(), clients: none(CLIENTS), gone: none(CLIENTS) }; // prettier-ignore
    const rows = range(TICKS).map((i) => {
      const part = (from: number, count: number) => reshape(slice(slice(events, 0, i, i + 1), 1, from, from + count), count === 1 ? [] : [count]); // prettier-ignore
      state = coordinator.tick(SETTINGS, state, { now: part(0, 1), arrived: part(1, 1), command: part(2, 1), pending: part(3, CLIENTS), dropped: part(3 + CLIENTS, CLIENTS) }); // prettier-ignore
      const { run, since, step, last, begun, pausing, witnesses, clients, gone } = state;
      return concat([stack([run, since, step, last, begun, pausing, witnesses]), clients, gone], 0);
    });
    return stack(rows);
  }

  test("takes the states of Psyche's sources, in 12 runs of events", async () => {
    const visited = new Set<number>();
    for (let seed = 1; seed <= 12; seed++) {
      const events = happenings(seed);
      const reference = new Coordinator(SETTINGS, CLIENTS);
      const expected = events.map((event) => {
        reference.tick(event);
        const { run, since, step, last, begun, pausing, witnesses, clients, gone } = reference;
        visited.add(run);
        return [run, since, step, last, begun, pausing, witnesses, ...clients, ...gone];
      });
      const table = events.map(({ now, arrived, command, pending, dropped }) => [now, arrived, command, ...pending, ...dropped]); // prettier-ignore
      const { data } = await evaluate(({ e }) => statesOf(e), { e: intTensor([TICKS, 3 + 2 * CLIENTS], table.flat()) }); // prettier-ignore
      const width = 7 + 2 * CLIENTS;
      for (const [i, row] of expected.entries())
        expect(Array.from(data.slice(i * width, (i + 1) * width)), `seed ${seed}, event ${i}`).toEqual(row);
    }
    expect([...visited].sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
