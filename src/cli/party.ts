/** How the parties to a dispute are shown: programs are told their ids, people what their files are called. */
import { toHex } from "../encoding/bytes.ts";
import type { NamedParty } from "../referee/party.ts";

/** A party as `--json` prints it; all else in the object names it by its id. */
export function partyJson({ id, name, runRoot }: NamedParty) {
  return { id, name, runRoot: toHex(runRoot) };
}

/** What people call a party. */
export function nameOf(parties: readonly NamedParty[], id: string): string {
  return parties.find((party) => party.id === id)!.name;
}
