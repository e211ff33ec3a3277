/**
 * The tables of SHARDCAST in docs/schemes.md: what relays and clients fetch over HTTP, and what is found of a
 * relay that lies. `node bench/shardcast.ts [hidden=WIDTH]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runRounds } from "../src/rounds/index.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { stateOf } from "../src/rounds/template.ts";
import { cheats } from "./shardcast/cheats.ts";
import type { Fetched } from "./shardcast/hops.ts";

const hidden = process.argv[2]?.replace(/^hidden=/, "") ?? "64";
const plan = await loadRounds("examples/rounds/shardcast.ts", { hidden });
const out = mkdtempSync(join(tmpdir(), "verde-shardcast-"));
try {
  const begun = performance.now();
  const record = await runRounds(plan, { out, state: join(out, "keys") });
  console.log(`${plan.rounds} rounds in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  for (let round = 1; round <= plan.rounds; round++) {
    const right: string[] = [];
    for (const [seat, { turn, template }] of plan.seats.entries()) {
      if (!plan.turns[turn].name.startsWith("use")) continue;
      const { tensors } = await record.state(record.at({ round, seat })!);
      const at = stateOf(plan.templates[template]).findIndex(({ name }) => name === "right");
      right.push(tensors[at].data[0].toFixed(3));
    }
    console.log(`round ${round}: clients are right in ${right.join(", ")}`);
  }
  const { version, found } = await cheats(record, join(out, "hops"));
  const said = ({ taken, read, hashes, bad, millis }: Fetched): string => {
    const named = bad.map(({ tensor, chunk, offset }) => `, ${tensor} chunk ${chunk} at byte ${offset}`).join("");
    return `${taken ? "taken" : "refused"}, ${read} B and ${hashes} B of hashes read in ${millis.toFixed(0)} ms${named}`;
  };
  console.log(`a file of ${version.size} B`);
  for (const { cheat, byRelaysDigest, byOriginsDigest, byRoot } of found)
    console.log(`${cheat}: relay's digest ${said(byRelaysDigest)}; origin's digest ${said(byOriginsDigest)}; root ${said(byRoot)}; ${byRoot.troubles.join("; ")}`); // prettier-ignore
} finally {
  rmSync(out, { recursive: true, force: true });
}
