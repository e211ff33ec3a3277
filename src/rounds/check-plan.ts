/** The checks of a plan that was read from files: what its parts say of each other. */
import { checkName } from "../encoding/name.ts";
import { formatType, type TensorRoot, type TensorType } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import { checkOutline } from "../job/closed.ts";
import { checkTensor } from "../repops/numbers/tensors.ts";
import { isBeacon } from "./beacon.ts";
import { isToldPresence, outlineOfLeaf, type Plan, type PlanTurn, type Seat } from "./plan.ts";
import { isStorage, type Storage } from "./storage.ts";
import { type JobTemplate, stateOf, type Template } from "./template.ts";

const isCount = (value: unknown, most = 2 ** 31): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < most;

function expect(holds: boolean, problem: string): void {
  if (!holds) throw new RoundsError("RECORD", `the plan contradicts itself: ${problem}; restore the record`);
}

/**
 * The types of the tensors that each seat is given beside its own data: member, round, seed. Presence
 * follows.
 */
const GIVEN: readonly TensorType[] = [
  { dtype: "i32", shape: [] },
  { dtype: "i32", shape: [] },
  { dtype: "i32", shape: [8] },
];

/**
 * Compares the members of turns with how many seats there are: before anything is made for each of them,
 * because a hostile file may name as many as it likes.
 * @throws {RoundsError} when they are not as many
 */
export function checkMembers(turns: readonly PlanTurn[], seats: number): void {
  let places = 0;
  for (const { name, members } of turns) {
    expect(isCount(members, 2 ** 20) && members >= 1, `the turn ${name} has ${members} members`);
    places += members;
  }
  expect(places === seats, `it has ${seats} seats, not ${places}`);
}

/**
 * Checks the storage of a plan, before its stores are counted.
 * @throws {RoundsError} when it is none
 */
export function checkStorage(storage: unknown, turns: readonly PlanTurn[]): asserts storage is Storage | undefined {
  expect(storage === undefined || isStorage(storage, turns), "its storage is none");
}

/**
 * Checks that seats, templates and turns fit together, and each template's jobs in themselves.
 * @throws {RoundsError | JobError | GraphError} when they do not
 */
export function checkPlan(plan: Plan): void {
  const { name, rounds, turns, templates, seats } = plan;
  checkName(name, "the name of a plan");
  expect(isCount(rounds) && rounds >= 1, `it has ${rounds} rounds`);
  expect([undefined, "record"].includes(plan.seeds), `its seeds follow from ${plan.seeds}`);
  expect(!plan.beacon || (plan.seeds === "record" && isBeacon(plan.beacon)), "its beacon is none");
  checkMembers(turns, seats.length);
  checkStorage(plan.storage, turns);
  const places = turns.flatMap(({ name: turn, by, members, quorum }, i) => {
    expect(/^[A-Za-z][A-Za-z0-9]*$/.test(turn) && /^[A-Za-z][A-Za-z0-9]*$/.test(by), "a turn or role has no name");
    const least = quorum === undefined || (isCount(quorum) && quorum >= 1 && quorum < members);
    expect(least, `the turn ${turn} of ${members} members has a quorum of ${quorum}`);
    expect(
      turns.every((other) => other.by !== by || other.members === members),
      `the role ${by} has two sizes`,
    );
    return Array.from({ length: members }, (_, member) => ({ turn: i, member }));
  });
  seats.forEach((seat, i) => checkSeat(plan, seat, places[i]));
  for (const template of templates) checkTemplate(plan, template);
}

function checkSeat(plan: Plan, seat: Seat, place: { turn: number; member: number }): void {
  const { turns, templates, participants, seats } = plan;
  const what = `seat ${place.member} of ${turns[place.turn].name}`;
  expect(seat.turn === place.turn && seat.member === place.member, `${what} stands in another place`);
  const template = templates[seat.template];
  expect(template?.turn === seat.turn, `${what} has the template of another turn`);
  const owner = participants[seat.participant];
  expect(owner?.role === turns[seat.turn].by && owner.member === seat.member, `${what} belongs to somebody else`);
  for (const tensor of seat.shard) checkTensor(tensor, `${what}, ${tensor.name}`);
  const sources = template.sources.length;
  const told = template.sources.every(({ turn }) => turns[turn] !== undefined) && isToldPresence(plan, template);
  const own: TensorType[] = [...seat.shard, ...GIVEN, ...(told ? [{ dtype: "i32", shape: [sources] } as const] : [])];
  const read = template.sources.map((source) => {
    const member = source.member === "same" ? seat.member : source.member;
    const from = seats.find((each) => each.turn === source.turn && each.member === member);
    expect(from !== undefined && isCount(source.before), `${what} reads what does not exist`);
    expect(source.before > 0 || source.turn < seat.turn, `${what} reads what is not to its left`);
    expect(templates[from!.template] !== undefined, `${what} reads a seat without a template`);
    return stateOf(templates[from!.template]);
  });
  checkData(template.genesis, [own], what);
  checkData(template.round, [...read, own], what);
}

/** Compares the dataset of a job with the lists that it is given. */
function checkData({ step, lists }: JobTemplate, given: readonly (readonly TensorType[])[], what: string): void {
  expect(lists.join() === given.map(({ length }) => length).join(), `${what} has lists of other lengths`);
  const types = step.inputs.slice(step.outputs.length);
  const fits = given.flat().every((type, i) => formatType(types[i]) === formatType(type));
  expect(fits && types.length === given.flat().length, `${what} reads tensors of other types`);
}

function checkTemplate({ turns }: Plan, { turn, genesis, round }: Template): void {
  expect(turns[turn] !== undefined && genesis.steps === 0, `a template is of no turn`);
  const [a, b] = [genesis, round].map(({ step }) => step.outputs.map(({ name }, i) => `${name} ${formatType(step.inputs[i])}`).join()); // prettier-ignore
  expect(a === b, `the states of ${turns[turn].name} change their form after round 0`);
  for (const job of [genesis, round]) {
    const count = job.lists.reduce((sum, length) => sum + length, 0);
    expect(count === job.step.inputs.length - job.step.outputs.length, `${job.name} has lists of other lengths`);
    checkOutline(
      outlineOfLeaf(
        job,
        Array.from({ length: count }, () => new Uint8Array(32) as Uint8Array as TensorRoot),
      ),
    );
  }
}
