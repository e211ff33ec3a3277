/**
 * What the checkpoints of a leaf cost (docs/rounds.md): `node bench/checkpoints.ts` performs a leaf of DiLoCo
 * with them and without them, in turns. `dim=32` sets an option of the plan, `every=5` the steps between two.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { elementCount, type TensorType } from "../src/encoding/tensor.ts";
import { DEFAULT } from "../src/repops/backends/index.ts";
import { LeafRunner, type SourceState } from "../src/rounds/leaf.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { sourcesOf } from "../src/rounds/plan.ts";
import { stateOf } from "../src/rounds/template.ts";

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split("=")).map(([name, value]) => [name, Number(value)])); // prettier-ignore
const { every = 5, inner = 40, ...options } = { dim: 114, batch: 4, context: 32, ...given };
const plan = await loadRounds("examples/rounds/diloco.ts", { inner, ...options });
const place = { round: 1, seat: 0 };
const runner = new LeafRunner(DEFAULT);
const sources: SourceState[] = [];
for (const { seat } of sourcesOf(plan, place)) {
  const { roots, state } = await runner.run(plan, { round: 0, seat }, []);
  sources.push({ roots, tensors: state });
}
const count = (types: readonly TensorType[]): number => types.reduce((sum, { shape }) => sum + elementCount(shape), 0);
const [local, outer] = [0, plan.seats.length - 1].map((seat) => stateOf(plan.templates[plan.seats[seat].template]));
// The server's state has the weights, each with its momentum.
console.log(`${count(outer) / 2} parameters, a state of ${count(local)} numbers`);

const folder = mkdtempSync(join(tmpdir(), "verde-checkpoints-"));
const file = join(folder, "local-0.trace");
const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
try {
  const times: Record<"off" | "on", number[]> = { off: [], on: [] };
  const each: number[] = [];
  for (let turn = 0; turn < 3; turn++)
    for (const kind of ["off", "on"] as const) {
      const began = performance.now();
      const looks: number[] = [];
      const now = (): number => looks[looks.push(performance.now()) - 1];
      await runner.run(plan, place, sources, { checkpoints: { file, every: kind === "on" ? every : 0, now } });
      // It is looked at before and after each checkpoint; besides at the beginning, and for the first file.
      for (let i = 4; i + 1 < looks.length; i += 2) each.push(looks[i + 1] - looks[i]);
      times[kind].push(performance.now() - began);
      if (kind === "on" && turn === 0) {
        const kept = readdirSync(join(folder, "local-0.data"));
        console.log(`trace ${statSync(file).size} B, ${kept.length} states: ${kept.map((name) => statSync(join(folder, "local-0.data", name)).size).join(", ")} B`); // prettier-ignore
      }
      rmSync(file, { force: true });
      rmSync(join(folder, "local-0.data"), { recursive: true, force: true });
    }
  const [off, on] = [median(times.off), median(times.on)];
  console.log(
    `${inner} steps: ${off.toFixed(0)} ms without, ${on.toFixed(0)} ms with ${Math.ceil(inner / every) - 1} checkpoints`,
  );
  console.log(`a checkpoint: ${median(each).toFixed(1)} ms, the fastest ${Math.min(...each).toFixed(1)} ms`);
} finally {
  rmSync(folder, { recursive: true, force: true });
  await runner.close();
}
