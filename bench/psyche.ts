/**
 * The table of Psyche in docs/schemes.md: what a round sends, and the loss beside AdamW on the joined batch
 * and a lone client. `node bench/psyche.ts [UPDATES] [NAME=VALUE of the plan]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteLength } from "../src/encoding/tensor.ts";
import { adamW, crossEntropy, defineJob, type NamedTensor, sampleRows, tensor, zeros } from "../src/job/index.ts";
import { type RoundsRecord, runRounds } from "../src/rounds/index.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { stateOf } from "../src/rounds/template.ts";
import { run } from "../src/trace/run.ts";
import { startFrom } from "../src/trace/start.ts";

const [updates = "60", ...words] = process.argv.slice(2);
const more = Object.fromEntries(words.map((word) => word.split("=")));
// The first round waits for members, and the last one ends the run.
const plan = await loadRounds("examples/rounds/psyche.ts", { updates, rounds: Number(updates) + 2, ...more });
const { layersOf, logitsOf } = await import("../examples/rounds/psyche-train.ts");
const { digits } = await import("../examples/digits.ts");

async function stateAfter(record: RoundsRecord, round: number, turn: string): Promise<NamedTensor[]> {
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn);
  const { tensors } = await record.state(record.at({ round, seat })!);
  return stateOf(plan.templates[plan.seats[seat].template]).map(({ name }, i) => ({ ...tensors[i], name }));
}

const out = mkdtempSync(join(tmpdir(), "verde-psyche-"));
try {
  const begun = performance.now();
  const record = await runRounds(plan, { out, state: join(out, "keys") });
  const seconds = (performance.now() - begun) / 1000;
  const [start, weights] = [await stateAfter(record, 0, "apply"), await stateAfter(record, plan.rounds, "apply")];
  const hidden = start.find(({ name }) => name === "firstBias")!.shape[0];
  const { images, labels, testImages, testLabels } = digits();
  const job = (
    given: { images: NamedTensor | ReturnType<typeof tensor>; labels: typeof labels },
    batch: number,
    steps: number, // prettier-ignore
  ) =>
    defineJob({
      name: "beside",
      steps,
      seed: 1,
      data: () => given,
      loss(context) {
        const rows = batch > 0 ? sampleRows(context, context.data, batch) : context.data;
        const layers = Object.entries(layersOf(hidden));
        const parameters = Object.fromEntries(
          layers.map(([name, shape]) => [name, context.parameter(name, shape, zeros)]),
        );
        return crossEntropy(logitsOf(parameters, rows.images), rows.labels);
      },
      optimizer: () => adamW({ learningRate: 0.01 }),
    }).close();
  const flat = (x: typeof images) => tensor([x.shape[0], 64], x.data);
  const [all, held] = [
    { images: flat(images), labels },
    { images: flat(testImages), labels: testLabels },
  ];
  const trained = async (batch: number, steps: number) => {
    const { job: begins } = await startFrom(await job(all, batch, steps), start, { partial: true });
    return (await run(begins)).state.filter(({ name }) => name in layersOf(hidden));
  };
  const loss = async (state: readonly NamedTensor[]) => {
    const { job: begins } = await startFrom(await job(held, 0, 1), [...state], { partial: true });
    return (await run(begins)).metrics[1].loss.toFixed(3);
  };
  const bytes = (of: readonly NamedTensor[], isCounted: (name: string) => boolean) => of.filter(({ name }) => isCounted(name)).reduce((sum, each) => sum + byteLength(each), 0); // prettier-ignore
  const [message, said] = [await stateAfter(record, 2, "local"), await stateAfter(record, 2, "witness")];
  const dense = bytes(weights, () => true);
  console.log(`${dense / 4} parameters, ${updates} updates, ${seconds.toFixed(1)} s, ${record.size} leaves`);
  console.log(`a message ${bytes(message, (name) => /^(values|places)/.test(name))} B, beside ${dense} B; a witness ${bytes(said, () => true)} B`); // prettier-ignore
  console.log(`held-out loss ${await loss(start)} at first, ${await loss(weights)} after; in step with 104 examples ${await loss(await trained(104, Number(updates)))}, a lone client with 26 ${await loss(await trained(26, Number(updates)))}`); // prettier-ignore
} finally {
  rmSync(out, { recursive: true, force: true });
}
