/**
 * The table of HDEE in docs/schemes.md: the held-out loss of each expert alone and of their mixture, after
 * each round. `node bench/experts.ts ROUNDS INNER`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runRounds } from "../src/rounds/index.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { stateOf } from "../src/rounds/template.ts";

const [rounds = "3", inner = "100"] = process.argv.slice(2);
const plan = await loadRounds("examples/rounds/hdee.ts", { rounds, inner });
const out = mkdtempSync(join(tmpdir(), "verde-experts-"));
try {
  const record = await runRounds(plan, { out, state: join(out, "keys") });
  const seat = plan.seats.length - 1;
  const names = stateOf(plan.templates[plan.seats[seat].template]).map(({ name }) => name);
  for (let round = 1; round <= plan.rounds; round++) {
    const { tensors } = await record.state(record.at({ round, seat })!);
    const text = (name: string) => Array.from(tensors[names.indexOf(name)].data, (loss) => loss.toFixed(3)).join(", ");
    console.log(`round ${round}: alone ${text("single")}; mixture ${text("mixture")}`);
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
