/**
 * Storage (spec 6.10): a role of a plan that has no turn. Its members, the stores, keep the final states of
 * leaves, and sign that they have them. So a leaf counts only when several have what it hands on.
 */
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import { describe } from "../errors/arguments.ts";
import { RoundsError } from "../errors/index.ts";
import type { Participant, PlanTurn } from "./plan.ts";

/** The role that keeps the states of leaves. */
export interface Storage {
  /** The name of the role, which has no turn. */
  readonly by: string;
  /** How many stores there are: 1 to 1,024. */
  readonly members: number;
  /** How many of them must hold a leaf before it is admitted: 1 to `members`. */
  readonly copies: number;
}

/** The storage of a plan as its author writes it. */
export type StorageSource = Pick<Storage, "by" | "copies">;

/** The most stores of a plan: a file that names more is not believed. */
const MOST_STORES = 2 ** 10;

const isWhole = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;

const isName = (value: unknown): value is string => typeof value === "string" && /^[A-Za-z][A-Za-z0-9]*$/.test(value);

/**
 * The storage of a plan, from what its author has written.
 * @param plan its name, for errors
 * @param members how many members each role has
 * @throws {RoundsError} for a role that has turns or no members, and for copies that they can't hold
 */
export function storageOf(
  plan: string,
  { by, copies }: StorageSource,
  turns: readonly PlanTurn[],
  members: Readonly<Record<string, number>>,
): Storage {
  const fail = (problem: string): never => {
    throw new RoundsError("PLAN", `the storage of ${plan} ${problem}`, { by });
  };
  if (!isName(by)) return fail(`is by ${describe(by)}; name a role with letters and digits alone`);
  const turn = turns.find((each) => each.by === by);
  if (turn) return fail(`is by ${by}, a role that has the turn ${turn.name}; give it a role of its own`);
  const count: unknown = Object.hasOwn(members, by) ? members[by] : undefined;
  if (!isWhole(count, MOST_STORES)) return fail(`is by ${by}, a role of ${describe(count)} members; let \`members\` give it 1 to ${MOST_STORES}`); // prettier-ignore
  if (!isWhole(copies, count)) return fail(`asks for ${describe(copies)} copies in ${count} stores; take 1 to ${count}`); // prettier-ignore
  return { by, members: count, copies };
}

/** Whether something that was read is a plan's storage, beside turns that its role has none of. */
export function isStorage(value: unknown, turns: readonly PlanTurn[]): value is Storage {
  if (typeof value !== "object" || value === null) return false;
  const { by, members, copies } = value as Partial<Storage>;
  return isName(by) && turns.every((turn) => turn.by !== by) && isWhole(members, MOST_STORES) && isWhole(copies, members); // prettier-ignore
}

/** What a plan's id binds of its storage. */
export function storageLeaf({ by, members, copies }: Storage): Bytes {
  return taggedHash(Tag.planPart, new Writer().u32(3).text(by).u32(members).u32(copies).finish());
}

/**
 * The participants of a plan: the members of its turns' roles, in the order in which turns first name them,
 * and then the stores.
 */
export function participantsOf(turns: readonly PlanTurn[], storage?: Storage): Participant[] {
  const roles = new Map(turns.map(({ by, members }) => [by, members]));
  if (storage) roles.set(storage.by, storage.members);
  return [...roles].flatMap(([role, members]) =>
    Array.from({ length: members }, (_, member) => ({ name: `${role}-${member}`, role, member })),
  );
}

/** How many stores must say that they have no leaf, before its member counts as absent. */
export const notesNeeded = ({ members, copies }: Pick<Storage, "members" | "copies">): number => members - copies + 1;
