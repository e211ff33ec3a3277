/** DiLoCo whose workers come and go: its arithmetic against DiLoCo's, what a joiner begins with, and cheats. */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { add, evaluate, mul, sub } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsDefinition } from "../../src/rounds/index.ts";
import type { LeafPlace } from "../../src/rounds/plan.ts";
import type { RoundsRecord } from "../../src/rounds/record.ts";
import { stateOf } from "../../src/rounds/template.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
type Step = (weight: Value, momentum: Value, slope: Value, rate: number, share: number) => { weight: Value; momentum: Value }; // prettier-ignore
const { outerStep } = (await import("../../examples/rounds/diloco.ts")) as { outerStep: Step };
const elastic = ((await import("../../examples/rounds/elastic-diloco.ts")) as { default: RoundsDefinition }).default;
const plan = await elastic.close({ workers: 3, quorum: 2, inner: 2, dim: 8, context: 8, batch: 1 });
const [SERVER, AWAY] = [3, 1];
const away = ({ round, seat }: LeafPlace): boolean => round === 2 && seat === AWAY;
const [all, missing] = [await performedRecord(plan, path("all")), await performedRecord(plan, path("missing"), [], { away })]; // prettier-ignore

const stateIn = async (record: RoundsRecord, round: number, seat: number) => {
  const { tensors } = await record.state(record.at({ round, seat })!);
  return new Map(stateOf(plan.templates[plan.seats[seat].template]).map(({ name }, i) => [name, tensors[i]]));
};

/** The server's step as plain DiLoCo has it, over some workers. */
async function plain(record: RoundsRecord, round: number, workers: readonly number[]) {
  const before = await stateIn(record, round - 1, SERVER);
  const trained = await Promise.all(workers.map((worker) => stateIn(record, round, worker)));
  const made = new Map<string, ArrayLike<number>>();
  for (const name of [...before.keys()].filter((entry) => !entry.startsWith("momentum/"))) {
    const given = { own: before.get(name)!, momentum: before.get(`momentum/${name}`)!, ...Object.fromEntries(trained.map((state, i) => [`w${i}`, state.get(name)!])) }; // prettier-ignore
    const step = (values: Record<string, Value>) => {
      const changes = workers.map((_, i) => sub(values.own, values[`w${i}`]));
      const slope = mul(changes.reduce((sum, change) => add(sum, change)), 1 / workers.length); // prettier-ignore
      return outerStep(values.own, values.momentum, slope, 0.7, 0.9);
    };
    made.set(name, (await evaluate((values) => step(values).weight, given)).data);
    made.set(`momentum/${name}`, (await evaluate((values) => step(values).momentum, given)).data);
  }
  return made;
}

describe("elastic DiLoCo", () => {
  test("may have stores, whose receipts each leaf needs, and has its id without them", async () => {
    expect(toHex(plan.id)).toBe("0xeea0aed54d02ad02bf2ad73d1e6234135ccf6049bdaf4891a3b8422ba138ed47");
    const kept = await elastic.close({ workers: 2, quorum: 1, inner: 1, dim: 8, context: 8, batch: 1, rounds: 1, stores: 3, copies: 2 }); // prettier-ignore
    expect([kept.storage, kept.participants.length]).toEqual([{ by: "store", members: 3, copies: 2 }, 6]);
    const record = await performedRecord(kept, path("kept"), [], { away: ({ round, seat }) => round === 1 && seat === 1 }); // prettier-ignore
    expect(record.sentences.all).toHaveLength(3 * 3 * 2);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [], leaves: 5 });
  });

  test("has the bits of DiLoCo's server: of all workers, or of those who were there", async () => {
    const cases = [[all, 2, [0, 1, 2]], [missing, 2, [0, 2]], [missing, 3, [0, 1, 2]]] as const; // prettier-ignore
    for (const [record, round, workers] of cases) {
      const expected = await plain(record, round, workers);
      const server = await stateIn(record, round, SERVER);
      expect([...server.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [name, { data }] of server) expect(data, `${round} ${name}`).toEqual(expected.get(name));
    }
  });

  test("has who was away begin with fresh moments, and continue them from then", async () => {
    const steps = async (record: RoundsRecord, seat: number) => Number((await stateIn(record, 3, seat)).get("step")!.data[0]); // prettier-ignore
    const started = Number((await stateIn(all, 0, 0)).get("step")!.data[0]);
    expect(await steps(all, AWAY)).toBe(started + 3 * 2);
    expect([await steps(missing, 0), await steps(missing, AWAY)]).toEqual([started + 3 * 2, started + 2]);
  });

  const own = missing.reads({ round: 3, seat: AWAY }).present.indexOf(0);
  test.each([
    [`participant=server-0,round=2,presence:${AWAY}`, "2 outer-0 server-0 inputs"],
    ["participant=server-0,round=2,presence:2", "2 outer-0 server-0 inputs"],
    [`participant=worker-1,round=3,presence:${own}`, "3 local-1 worker-1 inputs"],
    ["participant=worker-2,round=3,steps:1", "3 local-2 worker-2 message"],
  ])("names who cheats about it: %s", async (text, expected) => {
    const drill = await performedRecord(plan, path(text.replaceAll(/\W/g, "-")), [parseRoundFault(plan, text)], { salt: 2, away, from: missing }); // prettier-ignore
    const { liars } = await auditRecord(drill);
    expect(liars.map(({ round, name, participant, reason }) => `${round} ${name} ${participant} ${reason}`)).toEqual([expected]); // prettier-ignore
    expect(await disputeRecords(missing, drill)).toMatchObject({ losers: [1], blames: [{ participant: expected.split(" ")[2] }] }); // prettier-ignore
  });
});
