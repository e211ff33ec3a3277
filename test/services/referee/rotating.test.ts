/** Referees with places in a pool: they draw by themselves, speak before they would be silent, and rule. */
import type { Address } from "viem";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { NetworkKey } from "../../../src/services/network/key.ts";
import type { Bench } from "../../../src/services/referee/bench.ts";
import { judge } from "../../../src/services/referee/referee.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { readCommittee } from "../../../src/settlement/committee.ts";
import type { Ruling } from "../../../src/settlement/ruling.ts";
import { readTask } from "../../../src/settlement/task.ts";
import { ADA, DAY, digest, LIE, POOL, RotatingSettlement, TRUTH } from "../../fixtures/rotating.ts";

let world: RotatingSettlement;
let alone: Address = "0x";
const network = new InProcess();
const stop = new AbortController();
const said: string[] = [];
const working: Promise<void>[] = [];

/** Finds out what is right without asking anybody. */
const bench = {
  judge: async () => ({ files: ["the verdict"], missing: "", met: true }),
  rulingFrom: (view: { dispute: number; deadline: number }): Ruling => ({
    dispute: BigInt(view.dispute),
    claims: [TRUTH, LIE],
    losers: 2n,
    file: digest("file"),
    validUntil: BigInt(view.deadline),
  }),
} as unknown as Bench;

function start(member: number): void {
  working.push(
    judge({
      session: world.on.session,
      account: POOL[member],
      send: (call) => world.send(POOL[member], call),
      open: async () => network,
      key: NetworkKey.make(),
      bench,
      everyMillis: 50,
      signal: stop.signal,
      say: (sentence) => said.push(`${member} ${sentence}`),
    }),
  );
}

const hearing = async () =>
  (await readCommittee(world.on.session.client, await readTask(world.on.session.source, world.task)))!.hearing!;
const until = (what: () => Promise<unknown>) => vi.waitFor(what, { timeout: 60_000, interval: 100 });

beforeAll(async () => {
  world = await RotatingSettlement.open(false);
  for (const account of POOL) await world.rotating(account, "register");
  await world.dispute();
});
afterAll(async () => {
  stop.abort();
  await Promise.all(working);
  await world.on.close();
});

it("one convenes, and draws without the client's secret when that is due", async () => {
  start(0);
  await until(async () => expect((await hearing()).round).toBe(1));
  expect((await hearing()).plain).toBe(false);
  await world.skip(DAY / 12 + 1);
  await until(async () => expect((await hearing()).plain).toBe(true));
  await world.skip(1);
  await until(async () => expect((await hearing()).drawn).toHaveLength(3));
});

it("a member alone signs, and shows its signature while a quarter of its time is left", async () => {
  const { drawn, until: end } = await hearing();
  // The one that works already may have been drawn.
  alone = drawn.includes(POOL[0].address) ? POOL[0].address : drawn[0];
  const member = POOL.findIndex(({ address }) => address === alone);
  if (member !== 0) start(member);
  await until(async () =>
    expect(said.join("\n")).toContain(`${member} task ${world.task}: signed that ${LIE} is wrong`),
  );
  expect((await hearing()).spoken).toEqual([]);
  const { timestamp } = await world.on.session.client.getBlock();
  await world.skip(end - Number(timestamp) - 600);
  await until(async () => expect((await hearing()).spoken).toContain(alone));
});

it("with a second member it rules, and those that have voted are paid", async () => {
  const { drawn } = await hearing();
  const others = drawn.filter((address) => address !== alone);
  for (const address of others) start(POOL.findIndex((account) => account.address === address));
  await until(async () => expect((await readTask(world.on.session.source, world.task)).state).toBe("Challengeable"));
  await until(async () => expect(said.join("\n")).toMatch(/submitted the ruling, with [23] signatures/));
  await world.rotating(ADA, "payMember", alone);
});
