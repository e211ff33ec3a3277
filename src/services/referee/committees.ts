/** The committees whose members a referee meets, and the signatures that members have put on the boards. */
import { type Address, isAddressEqual } from "viem";
import { type Committee, isMemberFor, readCommittee } from "../../settlement/committee.ts";
import { ABIS } from "../../settlement/contracts.ts";
import type { Session } from "../../settlement/session.ts";
import { gatherSignatures, parseSignature, type SignatureFile } from "../../settlement/signatures.ts";
import type { TaskView } from "../../settlement/task.ts";
import type { Notes } from "../network/notes.ts";

/** What a referee is in the committee of a task, and how many of its members have to sign. */
interface Membership {
  readonly isMember: boolean;
  readonly threshold: number;
}

export class Committees {
  private readonly session: Session;
  private readonly referee: Address;
  /** Of fixed committees. */
  private readonly known = new Map<Address, Membership>();

  constructor(session: Session, referee: Address) {
    this.session = session;
    this.referee = referee;
  }

  /** @throws when the committee is of an unknown kind, or the node does not answer */
  async seat(view: TaskView): Promise<Membership & { readonly committee?: Committee }> {
    const address = view.terms.committee;
    const known = this.known.get(address);
    if (known) return known;
    const committee = await readCommittee(this.session.client, view);
    if (committee === undefined) return { isMember: false, threshold: 0 };
    const { threshold, kind } = committee;
    const seat = { isMember: await this.isMember(view, this.referee), threshold };
    if (kind === "fixed") this.known.set(address, seat);
    return { ...seat, committee };
  }

  async isMember({ id, terms }: TaskView, member: Address): Promise<boolean> {
    return isMemberFor(this.session.client, terms.committee, id, member);
  }

  /** Whether the referee has a place in the pool of a rotating committee. */
  async isCandidate(committee: Address): Promise<boolean> {
    const asked = {
      address: committee,
      abi: ABIS.rotating,
      functionName: "candidateOf",
      args: [this.referee],
    } as const;
    const { place, readyAt } = await this.session.client.readContract(asked);
    return place !== 0 && readyAt === 0;
  }
}

/** The signatures of members for a dispute, those of one ruling together. */
export async function signaturesFor(view: TaskView, board: Notes, committees: Committees): Promise<SignatureFile[][]> {
  const { id, dispute, terms } = view;
  const { committee } = terms;
  const groups = new Map<string, SignatureFile[]>();
  for (const { author, body } of await board.read("rulings")) {
    if (body.task !== id) continue;
    try {
      const file = parseSignature(body.signature, author);
      const { dispute: about, losers, claims, file: hash, validUntil } = file.ruling;
      const isOurs = file.task === id && isAddressEqual(file.committee, committee) && about === BigInt(dispute);
      if (!isOurs || !(await committees.isMember(view, file.signer))) continue;
      // A false signature must not spoil those of others.
      await gatherSignatures(file, [file]);
      const key = [losers, ...claims, hash, validUntil].join();
      groups.set(key, [...(groups.get(key) ?? []), file]);
    } catch {
      // Anybody may put a note on the board.
    }
  }
  return [...groups.values()];
}
