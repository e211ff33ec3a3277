/**
 * The tables of the pipelines in docs/schemes.md: what stages pass on in a step, and the loss.
 * `node bench/pipelines.ts NAME ROUNDS [--option value …]`, with the name of an example of rounds that has
 * stages; more options after a word `or` run it once more.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteLength } from "../src/encoding/tensor.ts";
import { runRounds } from "../src/rounds/index.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { stateOf } from "../src/rounds/template.ts";

/** The entries of a state that another stage reads. */
const PASSED = ["passed", "slope", "windows"];
const [name = "protocol-models", rounds = "100", ...rest] = process.argv.slice(2);
const runs = rest.join(" ").split(" or ");
for (const text of runs) {
  const options = Object.fromEntries([...text.matchAll(/--(\S+) (\S+)/g)].map(([, key, value]) => [key, value]));
  const plan = await loadRounds(`examples/rounds/${name}.ts`, { ...options, rounds });
  const passed = plan.seats.flatMap(({ template }) =>
    stateOf(plan.templates[template]).filter(({ name: entry }) => PASSED.includes(entry)),
  );
  const of = (entry: string) =>
    passed.filter((each) => each.name === entry).reduce((sum, type) => sum + byteLength(type), 0);
  const losses: number[] = [];
  const out = mkdtempSync(join(tmpdir(), "verde-pipelines-"));
  const lossOf = plan.turns.findIndex((turn) => turn.name.startsWith("backward"));
  try {
    await runRounds(plan, {
      out,
      state: join(out, "keys"),
      onLeaf: ({ round, seat, metrics }) => {
        if (round > 0 && plan.seats[seat].turn === lossOf) losses.push(metrics.loss);
      },
    });
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  const mean = losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / Math.min(10, losses.length);
  console.log(`${name} ${text}: ${plan.seats.length} leaves a step, ${plan.participants.length} participants`);
  console.log(`  forward ${of("passed")} B, backward ${of("slope")} B, windows ${of("windows")} B`);
  console.log(
    `  loss of ${losses.length} steps: first ${losses.find((loss) => loss > 0)?.toFixed(3)}, mean of the last ten ${mean.toFixed(3)}`,
  );
}
