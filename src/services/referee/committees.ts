/** The committees whose members a referee meets, and the signatures that members have put on the boards. */
import { type Address, isAddressEqual } from "viem";
import { ABIS } from "../../settlement/contracts.ts";
import type { Session } from "../../settlement/session.ts";
import { gatherSignatures, parseSignature, type SignatureFile } from "../../settlement/signatures.ts";
import type { TaskView } from "../../settlement/task.ts";
import type { Notes } from "../network/notes.ts";

/** What a referee is in a committee, and how many of its members have to sign. */
interface Membership {
  readonly isMember: boolean;
  readonly threshold: number;
}

export class Committees {
  private readonly session: Session;
  private readonly referee: Address;
  private readonly known = new Map<Address, Membership>();

  constructor(session: Session, referee: Address) {
    this.session = session;
    this.referee = referee;
  }

  async seat(committee: Address): Promise<Membership> {
    const known = this.known.get(committee);
    if (known) return known;
    const isMember = await this.isMember(committee, this.referee);
    const asked = { address: committee, abi: ABIS.committee, functionName: "threshold" } as const;
    const found = { isMember, threshold: isMember ? Number(await this.session.client.readContract(asked)) : 0 };
    this.known.set(committee, found);
    return found;
  }

  async isMember(committee: Address, member: Address): Promise<boolean> {
    const asked = { address: committee, abi: ABIS.committee, functionName: "isMember", args: [member] } as const;
    return this.session.client.readContract(asked);
  }
}

/** The signatures of members for a dispute, those of one ruling together. */
export async function signaturesFor(
  { id, dispute, terms: { committee } }: TaskView,
  board: Notes,
  committees: Committees,
): Promise<SignatureFile[][]> {
  const groups = new Map<string, SignatureFile[]>();
  for (const { author, body } of await board.read("rulings")) {
    if (body.task !== id) continue;
    try {
      const file = parseSignature(body.signature, author);
      const { dispute: about, losers, claims, file: hash, validUntil } = file.ruling;
      const isOurs = file.task === id && isAddressEqual(file.committee, committee) && about === BigInt(dispute);
      if (!isOurs || !(await committees.isMember(committee, file.signer))) continue;
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
