/** The parties to a dispute. Results refer to them by their ids. The names are only for people. */
import type { Bytes } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";

/** A party to a dispute about traces. */
export interface TraceParty {
  /** Identifies the party in results. No other party of the dispute has it. */
  readonly id: string;
  /** The name that people see. */
  readonly name: string;
  /** The path of the trace that is its claim. */
  readonly trace: string;
}

/**
 * A party, or only the path of its trace. The default id is `a` for the first party, `b` for the second, and
 * so on. The default name is the path.
 */
export type PartyInput = string | (Pick<TraceParty, "trace"> & Partial<TraceParty>);

/** A party in a result. */
export interface NamedParty {
  readonly id: string;
  readonly name: string;
  /** The root that it has committed to. */
  readonly runRoot: Bytes;
  /** The address of the key that claims the run, 20 bytes. Absent if none is known. */
  readonly address?: Bytes;
}

/** @throws {DisputeError} when two parties have the same id */
export function partiesOf(inputs: readonly PartyInput[]): TraceParty[] {
  const parties = inputs.map((input, i): TraceParty => {
    const { trace, id = idAt(i), name = trace } = typeof input === "string" ? { trace: input } : input;
    return { id, name, trace };
  });
  const ids = parties.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined)
    throw new DisputeError("DUPLICATE", `two parties have the id ${twice}; give each an id of its own`, { ids });
  return parties;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** `a` to `z`, then `a1`, `b1` and so on. */
function idAt(index: number): string {
  const round = Math.floor(index / LETTERS.length);
  return `${LETTERS[index % LETTERS.length]}${round > 0 ? round : ""}`;
}
