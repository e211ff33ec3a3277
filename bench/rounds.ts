/**
 * The tables of single schemes in docs/schemes.md: what a round sends beside training in step, and the loss
 * beside a lone worker's. `node bench/rounds.ts NAME` with `diloco`, `streaming-diloco`, `sparseloco`,
 * `elastic-diloco`, `demo`, `distro` or `fedavg`; the word small runs the smaller of its settings only, away
 * has workers stay away, and `keep=256` sets an option of the plan. `bench/schemes.ts` has all in one table.
 */
import { digitsScheme } from "./schemes/digits.ts";
import { bytesOf, performed, typesOf } from "./schemes/scheme.ts";
import { textScheme } from "./schemes/text.ts";

/** Rounds, and the steps of a worker in each. */
const SETTINGS = {
  diloco: [[3, 5], [20, 30]],
  "elastic-diloco": [[3, 5], [20, 30]],
  sparseloco: [[3, 5], [20, 30]],
  "streaming-diloco": [[3, 5], [20, 15]],
  demo: [[4, 1], [200, 1]],
  distro: [[4, 1], [200, 1]],
  fedavg: [[3, 10], [20, 10]],
} as const; // prettier-ignore
const [name = "diloco", ...words] = process.argv.slice(2);
const more = Object.fromEntries(words.flatMap((word) => (/^\w+=[\d.]+$/.test(word) ? [[word.split("=")[0], Number(word.split("=")[1])]] : []))); // prettier-ignore
if (!Object.hasOwn(SETTINGS, name)) throw new Error(`name one of ${Object.keys(SETTINGS).join(", ")}`);
const settings = SETTINGS[name as keyof typeof SETTINGS];
for (const [rounds, inner] of words.includes("small") ? settings.slice(0, 1) : settings) {
  const scheme = await (name === "fedavg" ? digitsScheme(name, rounds, inner, more) : textScheme(name, rounds, inner, more, words.includes("away"))); // prettier-ignore
  const { plan, steps, parameters, sent, inStep } = scheme;
  await performed(scheme, async (record, { seconds }) => {
    // What a member hands to others: the state of the first turn that sends, or all weights.
    const message = bytesOf(typesOf(plan, /^send/)) || 4 * parameters;
    console.log(`${name}: ${rounds} rounds of ${steps} steps, ${parameters} parameters, ${seconds.toFixed(1)} s`);
    console.log(
      `  a message ${message} B; a round ${sent} B; in step ${inStep} B; ratio ${(inStep / sent).toFixed(1)}`,
    );
    const losses = [await scheme.loss(record), await scheme.lone!(record), await scheme.joined(record)];
    const [own, lone, joined] = losses.map((loss) => loss.toFixed(3));
    console.log(`  held-out loss ${own}, a lone worker ${lone}, AdamW in step ${joined}`);
  });
}
