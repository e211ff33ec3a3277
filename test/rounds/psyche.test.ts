/** Psyche as a plan: its states, its quorum beside a dispute on the same cheats, and a verifier that names a trainer. */
import { describe, expect, test } from "vitest";
import { evaluate, intTensor } from "../../src/graph/index.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type Plan, type RoundsDefinition, type RoundsRecord } from "../../src/rounds/index.ts"; // prettier-ignore
import { ownList, templateOf } from "../../src/rounds/plan.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord, stated } from "./liars.ts";
import { Coordinator, shuffle } from "./psyche-reference.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: psyche } = (await import("../../examples/rounds/psyche.ts")) as { default: RoundsDefinition };
const { placesOf } = await import("../../examples/rounds/psyche-hash.ts");
const { drawn } = await import("../../examples/rounds/psyche-roles.ts");

async function stateOf(record: RoundsRecord, round: number, turn: string, member = 0) {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn && each.member === member);
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { outputs } = templateOf(plan, { round, seat }).step;
  return new Map(outputs.map(({ name }, i) => [name, Array.from(tensors[i].data)]));
}

/** The number of an entry of a turn's state, and of the last operator with a label like this in its init graph. */
function within(plan: Plan, turn: string) {
  const seat = plan.seats.find((each) => plan.turns[each.turn].name === turn)!;
  const { init, step } = plan.templates[seat.template].round;
  return {
    entry: (name: string) => step.outputs.findIndex((each) => each.name === name),
    operator: (label: RegExp) => init.labels.findLastIndex((each) => label.test(each)),
  };
}

const SMALL = { rows: 2, hidden: 4, rounds: 2 };
const picked = (mask: readonly number[] = []): number[] => [...mask.keys()].filter((i) => mask[i] !== 0);

/** An honest record, the roles of its second round, and drills that begin with it. */
async function sceneOf(folder: string) {
  const plan = await psyche.close(SMALL);
  const record = await performedRecord(plan, path(`${folder} honest`));
  const [open, close] = [await stateOf(record, 2, "open"), await stateOf(record, 2, "close")];
  const [[verifier], trainers, witnesses] = [picked(open.get("verifier")), picked(open.get("trainer")), picked(open.get("witness"))]; // prettier-ignore
  const checked = open.get("target")![verifier];
  const unchecked = trainers.find((client) => client !== checked)!;
  const commitment = async (of: RoundsRecord, client: number) => (await stateOf(of, 2, "local", client)).get("commitments"); // prettier-ignore

  const [local, said, opened, closed] = ["local", "witness", "open", "close"].map((turn) => within(plan, turn));
  const drill = async (name: string, ...texts: string[]) => {
    const faults = texts.map((text) => parseRoundFault(plan, text));
    const lying = await performedRecord(plan, path(`${folder} ${name}`), faults, { salt: 2, from: record });
    const dispute = await disputeRecords(record, lying);
    if (dispute.outcome !== "divergence") throw new Error(`${name} changed nothing`);
    expect(dispute, name).toMatchObject({ losers: [1], round: 2 });
    // A dispute ends at the first lie. Of several an audit names all.
    const liars = texts.length === 1 ? dispute.blames : (await auditRecord(lying, { from: 2 })).liars;
    return {
      lying,
      liars: liars.map(({ participant, reason }) => `${participant} ${reason}`),
      dispute,
      close: await stateOf(lying, 2, "close"),
    };
  };
  const matmul = local.operator(/matmul$/);
  const falseMessage = (client: number) => `participant=client-${client},round=2,turn=local,flip:step=0,operator=${matmul},element=1,bit=30`; // prettier-ignore
  return { plan, record, open, close, verifier, trainers, witnesses, checked, unchecked, commitment, said, opened, closed, matmul, drill, falseMessage }; // prettier-ignore
}

describe("Psyche", () => {
  test("drops who is away, and has the states of its sources", async () => {
    const plan = await psyche.close({ ...SMALL, rounds: 4, absent: "3@3" });
    const record = await performedRecord(plan, path("away"));
    const reference = new Coordinator({ initMin: 5, min: 3, witnesses: 3, steps: 6, extra: 5, warmup: 5, train: 15, witness: 5, cooldown: 5, epoch: 10_000 }, 5); // prettier-ignore
    const seen: number[][] = [];
    for (let round = 1; round <= 4; round++) {
      const [open, close] = [await stateOf(record, round, "open"), await stateOf(record, round, "close")];
      const online = [1, 1, 1, Number(round !== 3), 1];
      const trains = reference.run === 3;
      // Three witnesses are drawn in a round of training. One that is away sends nothing.
      const arrived = picked(open.get("witness")).filter((client) => online[client]).length;
      expect(picked(open.get("witness")).length, `round ${round}`).toBe(trains ? 3 : 0);
      const takesPart = reference.clients.map((is, client) => (trains && is && online[client] ? 1 : 0));
      expect(close.get("healthy"), `round ${round}`).toEqual(takesPart);
      const dropped = trains ? takesPart.map((is) => 1 - is) : [0, 0, 0, 0, 0];
      const runs = [0, 1].map((half) => {
        reference.tick({ now: 20 * round + 10 * half, pending: online, dropped, arrived: half === 0 ? arrived : 0, command: 0 }); // prettier-ignore
        return reference.run;
      });
      expect(close.get("runs"), `round ${round}`).toEqual(runs);
      const { run, since, step, witnesses, clients, gone } = reference;
      expect([run, since, step, witnesses].map((each) => [each]), `round ${round}`).toEqual(["run", "since", "step", "witnesses"].map((name) => close.get(name))); // prettier-ignore
      expect([close.get("clients"), close.get("gone")]).toEqual([clients, gone]);
      seen.push(runs);
    }
    expect(seen.slice(0, 2)).toEqual([[2, 3], [4, 3]]); // prettier-ignore
    expect(reference.clients).toEqual([1, 1, 1, 0, 1]);
  });

  test("accepts a false message by its quorum, unless a verifier checks it", async () => {
    const {
      record,
      close,
      verifier,
      trainers,
      witnesses,
      checked,
      unchecked,
      commitment,
      plan,
      matmul,
      drill,
      falseMessage,
    } = await sceneOf("accepts a fa");
    expect([trainers.length, witnesses.length]).toEqual([4, 3]);
    expect(picked(close.get("counts"))).toEqual(trainers);
    expect(close.get("runs")).toEqual([4, 3]);
    // The verifier's message is that of the trainer that it checks, to the bit.
    expect(await commitment(record, verifier)).toEqual(await commitment(record, checked));
    expect(await commitment(record, unchecked)).not.toEqual(await commitment(record, checked));

    // Witnesses see that a message is there, and not whether it is right. The verifier of this round does.
    const caught = await drill("checked", falseMessage(checked));
    expect(caught.liars).toEqual([`client-${checked} operator`]);
    expect((await auditRecord(caught.lying, { from: 2 })).liars).toHaveLength(1);
    expect(caught.dispute).toMatchObject({ name: `local-${checked}`, blames: [{ participant: `client-${checked}`, location: { step: 0, operator: { number: matmul } } }] }); // prettier-ignore
    expect([caught.close.get("accepted")![checked], picked(caught.close.get("accused"))]).toEqual([1, [checked]]);
    expect(picked(caught.close.get("counts"))).toEqual(trainers.filter((client) => client !== checked));

    // Another trainer's is accepted by the quorum, and found all the same.
    const overturned = await drill("unchecked", falseMessage(unchecked));
    expect(overturned.liars).toEqual([`client-${unchecked} operator`]);
    expect(picked(overturned.close.get("counts"))).toEqual(trainers);

    // A trainer that posts two commitments has signed two leaves for one place.
    const place = { round: 2, seat: plan.seats.findIndex((each) => plan.turns[each.turn].name === "local" && each.member === unchecked) }; // prettier-ignore
    record.admit(stated(plan, record.instance, place, overturned.lying.at(place)!));
    expect((await auditRecord(record, { from: 2 })).liars).toMatchObject([{ round: 2, participant: `client-${unchecked}`, reason: "equivocation" }]); // prettier-ignore
  });

  test("believes two of three witnesses, and a dispute neither", async () => {
    const { plan, record, close, trainers, witnesses, said, drill } = await sceneOf("believes two");
    const hidden = trainers[0];
    // A witness that hides a participant is outvoted; two of three are believed. Both are named.
    const hides = async (client: number) => {
      const keys = (await stateOf(record, 2, "witness", client)).get("keys")!;
      const ids = plan.seats[0].shard.find(({ name }) => name === "data/ids")!;
      const { data } = await evaluate(({ x, k }) => placesOf(x, k, 1024), { x: ids, k: intTensor([8], keys) });
      const [place] = data.slice(8 * hidden);
      return `participant=client-${client},round=2,turn=witness,message:entry=${said.entry("participants")},element=${place >> 5},bit=${place & 31}`; // prettier-ignore
    };
    const minority = await drill("minority", await hides(witnesses[0]));
    expect(minority.liars).toEqual([`client-${witnesses[0]} message`]);
    expect(minority.close.get("counts")).toEqual(close.get("counts"));
    const majority = await drill("majority", await hides(witnesses[0]), await hides(witnesses[1]));
    expect(majority.liars).toEqual(witnesses.slice(0, 2).map((client) => `client-${client} message`));
    expect([majority.close.get("healthy")![hidden], majority.close.get("counts")![hidden]]).toEqual([0, 0]);
  });

  test("has verifiers that can be disputed too", async () => {
    const { verifier, checked, said, drill, falseMessage } = await sceneOf("has verifier");
    // A verifier that accuses an honest trainer, and one that is silent about a false message.
    const framing = await drill("framing", `participant=client-${verifier},round=2,turn=witness,flip:step=0,operator=${said.operator(/^ne$/)},bit=0`); // prettier-ignore
    expect(framing.liars).toEqual([`client-${verifier} operator`]);
    const silent = await drill("silent", falseMessage(checked), `participant=client-${verifier},round=2,turn=local,${falseMessage(checked).replace(/.*local,/, "")}`); // prettier-ignore
    expect(silent.liars.toSorted()).toEqual([`client-${checked} operator`, `client-${verifier} operator`].toSorted());
  });

  test("has its coordinator held to its draws and counts", async () => {
    const { plan, open, trainers, opened, closed, drill } = await sceneOf("has its coor");
    // Everybody can draw again, so Psyche's clients notice another assignment too; here it is a leaf that loses.
    const swap = opened.operator(/^swap-3\/swap$/);
    const assigned = await drill("assigned", `participant=coordinator-0,round=2,turn=open,flip:step=0,operator=${swap},element=0,bit=0`); // prettier-ignore
    expect(assigned.liars).toEqual(["coordinator-0 operator"]);
    expect(assigned.dispute).toMatchObject({ name: "open-0", blames: [{ location: { operator: { number: swap } } }] });
    const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === "open");
    const { tensors } = ownList(plan, { round: 2, seat });
    const words = [...tensors.find(({ name }) => name === "data/seed")!.data].slice(0, 2);
    const again = await evaluate(({ m, w }) => drawn(m, w, { units: 13, witnesses: 3, percent: 20 }), { m: intTensor([5], [1, 1, 1, 1, 1]), w: intTensor([2], words) }); // prettier-ignore
    expect([...again.start.data]).toEqual(open.get("start"));
    expect([...again.start.data]).not.toEqual((await stateOf(assigned.lying, 2, "open")).get("start"));
    const seed = (BigInt(words[1]) << 32n) | BigInt.asUintN(32, BigInt(words[0]));
    expect(shuffle(trainers, BigInt.asUintN(64, seed)).map((client) => again.start.data[client])).toEqual([0, 4, 7, 10]); // prettier-ignore
    const counted = await drill("counted", `participant=coordinator-0,round=2,turn=close,message:entry=${closed.entry("counts")},element=${trainers[0]},bit=0`); // prettier-ignore
    expect(counted.liars).toEqual(["coordinator-0 message"]);
  });
});
