/** What two plans don't have in common, for people. Options are not in a plan; what follows from them is. */
import { bytesEqual } from "../encoding/bytes.ts";
import { quote } from "../errors/text.ts";
import { firstOperatorOf } from "../job/difference.ts";
import { type Plan, seatName } from "./plan.ts";

const both = (what: string, a: unknown, b: unknown): string => `${what}: ${String(a)} and ${String(b)}`;

/**
 * The first difference of two plans, as `part: how`, in the order of turns and seats.
 * @returns `undefined` for plans with the same parts
 */
export function planDifference(a: Plan, b: Plan): string | undefined {
  if (a.name !== b.name) return both("its name", quote(a.name), quote(b.name));
  if (a.rounds !== b.rounds) return both("its rounds", a.rounds, b.rounds);
  const names = ({ turns }: Plan): string => turns.map(({ name }) => name).join(", ");
  if (names(a) !== names(b)) return both("its turns", names(a), names(b));
  const storage = ({ storage: its }: Plan): string =>
    its ? `${its.copies} copies in ${its.members} ${its.by} members` : "none";
  if (storage(a) !== storage(b)) return both("its storage", storage(a), storage(b));
  for (const [i, { name, by, members, quorum = "all" }] of a.turns.entries()) {
    const other = b.turns[i];
    if (by !== other.by) return both(`the role of ${name}`, by, other.by);
    if (members !== other.members) return both(`the members of ${name}`, members, other.members);
    if (quorum !== (other.quorum ?? "all")) return both(`the quorum of ${name}`, quorum, other.quorum ?? "all");
  }
  for (const seat of a.seats.keys()) {
    const found = seatDifference(a, b, seat);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Both plans have the same turns and members, and so the same seats. */
function seatDifference(a: Plan, b: Plan, seat: number): string | undefined {
  const [one, other] = [a.seats[seat], b.seats[seat]];
  const turn = a.turns[one.turn].name;
  const [from, to] = [a.templates[one.template], b.templates[other.template]];
  if (from.round.steps !== to.round.steps) return both(`the steps of ${turn}`, from.round.steps, to.round.steps);
  const at = one.shardRoots.findIndex((root, i) => !other.shardRoots[i] || !bytesEqual(root, other.shardRoots[i]));
  if (at >= 0) return `the data of ${seatName(a, seat)}: ${quote(one.shard[at].name)}`;
  if (one.shardRoots.length !== other.shardRoots.length) return `the data of ${seatName(a, seat)}`;
  if (!bytesEqual(from.genesis.initRoot, to.genesis.initRoot)) return `the initial values of ${turn}: ${firstOperatorOf(from.genesis.init, to.genesis.init)}`; // prettier-ignore
  if (JSON.stringify(from.sources) !== JSON.stringify(to.sources)) return `what ${turn} reads`;
  if (!bytesEqual(from.round.initRoot, to.round.initRoot)) return `how ${turn} begins: ${firstOperatorOf(from.round.init, to.round.init)}`; // prettier-ignore
  if (!bytesEqual(from.round.stepRoot, to.round.stepRoot)) return `the step of ${turn}: ${firstOperatorOf(from.round.step, to.round.step)}`; // prettier-ignore
  return undefined;
}
