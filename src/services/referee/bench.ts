/** How a referee finds out which claims of a task are wrong: it asks those who answer for them. */
import { type Hex, isAddressEqual } from "viem";
import type { ClaimStore } from "../../claims/store.ts";
import { type Bytes, fromHex, toHex } from "../../encoding/bytes.ts";
import { DisputeError, FormatError, messageOf } from "../../errors/index.ts";
import { bracket } from "../../referee/bracket.ts";
import { presentRemote, type Reach } from "../../referee/remote/present.ts";
import { SecondOpinion } from "../../referee/second-opinion.ts";
import { type Ruling, rulingFrom } from "../../settlement/ruling.ts";
import type { Session } from "../../settlement/session.ts";
import type { Seat, TaskView } from "../../settlement/task.ts";
import type { Notes } from "../network/notes.ts";
import { formatPartyAddress } from "../network/party.ts";
import { Trusted } from "../network/trusted.ts";

export interface BenchOptions {
  session: Session;
  /** The address of the network, and the way to parties on it. */
  network: string;
  reach: Reach;
  /** The keys that sign rulings of one's own. */
  claims: ClaimStore;
  /** The addresses whose rulings are one's own word, and may be signed. Default: none. */
  own?: readonly Bytes[];
  /** Whether one that gives no answer loses. That is a ruling, which rests on the referee's word. */
  forfeitSilent: boolean;
  /** Milliseconds for one answer. */
  timeout: number;
}

interface Answering {
  readonly seat: Seat;
  readonly address: string;
}

export class Bench {
  private readonly options: BenchOptions;
  private readonly trusted: Trusted;

  constructor(options: BenchOptions) {
    this.options = options;
    this.trusted = new Trusted(options.session);
  }

  /**
   * Asks those who answer for the claims.
   * @returns verdict files; or none, and what is missing; and whether the parties have met
   */
  async judge(view: TaskView, notes: Notes): Promise<{ files: readonly string[]; missing: string; met: boolean }> {
    const { reach, claims, forfeitSilent, timeout } = this.options;
    const { there, missing } = await this.present(view, notes);
    const roots = new Set(there.map(({ seat }) => seat.root));
    if (roots.size < view.claims.length)
      return { files: [], missing: `it waits for provers: ${missing.join("; ")}`, met: false };
    const parties = there.map(({ seat, address }) => ({ id: `seat-${seat.seat}`, name: seat.owner, trace: address }));
    const { disputes, silent } = await bracket(parties, { reach, claims, forfeitSilent, timeout });
    const files = disputes.flatMap((result) =>
      result.outcome === "divergence" ? [`${JSON.stringify(result.verdict, null, 2)}\n`] : [],
    );
    return { files, missing: `${silent.join(", ")} gave no answer, so nothing is decided`, met: true };
  }

  /**
   * The ruling that follows from verdict files; nothing if they decide nothing, or rest on a stranger's word.
   */
  rulingFrom(view: TaskView, files: readonly string[]): Ruling | undefined {
    const { own = [] } = this.options;
    // A signature moves stakes, so two implementations verify every Merkle path.
    const { climb } = new SecondOpinion();
    const given = files.map((text) => ({ bytes: new TextEncoder().encode(text) }));
    try {
      const { ruling } = rulingFrom(view, given, { climb, own });
      return ruling.losers === 0n ? undefined : ruling;
    } catch (error) {
      if (error instanceof DisputeError || error instanceof FormatError) return undefined;
      throw error;
    }
  }

  /** Those who answer for the standing seats, each with the claim that it has revealed. */
  private async present(view: TaskView, notes: Notes): Promise<{ there: Answering[]; missing: string[] }> {
    const provers = (await notes.read("provers")).filter(({ body }) => body.task === view.id);
    const there: Answering[] = [];
    const missing: string[] = [];
    for (const seat of view.seats) {
      const { root, out, owner } = seat;
      if (root === undefined || out) continue;
      let why = "nobody answers for it";
      for (const { author, body } of provers) {
        if (!isAddressEqual(body.statement.owner, owner)) continue;
        const address = formatPartyAddress({ network: this.options.network, publicKey: author, topic: view.id });
        const problem =
          (await this.trusted.problem(author, body.statement, owner)) ?? (await this.absence(address, root));
        if (problem === undefined) there.push({ seat, address });
        why = problem ?? "";
        if (problem === undefined) break;
      }
      if (why !== "") missing.push(`${owner}: ${why}`);
    }
    return { there, missing };
  }

  /** Why a party can't be asked about a claim; `undefined` if it can. */
  private async absence(address: string, root: Hex): Promise<string | undefined> {
    const { reach, timeout } = this.options;
    try {
      const presented = await presentRemote(address, { reach, timeout });
      await presented.close();
      const found = toHex(presented.runRoot);
      return found === root ? undefined : `it answers for the run ${found}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** The word of an account, and of a user's own key, for `BenchOptions.own`. */
export async function ownWord(account: Hex, claims: ClaimStore): Promise<Bytes[]> {
  return [fromHex(account, 20), await claims.addressFor("own")];
}
