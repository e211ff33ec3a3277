/** How the parties to a dispute are shown: programs get their ids, people get the names of their files. */
import { formatClaim } from "../claims/claim.ts";
import { toHex } from "../encoding/bytes.ts";
import type { NamedParty } from "../referee/party.ts";

/** A party as `--json` prints it. Everything else in the object refers to it by its id. */
export function partyJson({ id, name, runRoot, address }: NamedParty) {
  return { id, name, runRoot: toHex(runRoot), claim: formatClaim({ run: runRoot, ...(address && { address }) }) };
}

/** The name of a party that people see. */
export function nameOf(parties: readonly NamedParty[], id: string): string {
  return parties.find((party) => party.id === id)!.name;
}
