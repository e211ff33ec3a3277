/**
 * The tables of SkipPipe and SWARM in docs/schemes.md: what stages hand on in a step, and the loss of the
 * whole model on windows that nobody trained on. `node bench/stages.ts NAME ROUNDS [--option value …]`; more
 * options after a word `or` run it once more.
 */
import { performed } from "./schemes/scheme.ts";
import { handedOn, stagesScheme } from "./schemes/stages.ts";

const [name = "skippipe", rounds = "100", ...rest] = process.argv.slice(2);
if (name !== "skippipe" && name !== "swarm") throw new Error("name skippipe or swarm");
const runs: string[][] = [[]];
for (const word of rest)
  if (word === "or") runs.push([]);
  else runs.at(-1)!.push(word);
for (const words of runs) {
  const options = Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word.slice(2), words[i + 1]]] : [])));
  const scheme = await stagesScheme(name, Number(rounds), options);
  const { plan } = scheme;
  await performed(scheme, async (record, { seconds }) => {
    const loss = await scheme.loss(record);
    console.log(
      `${name} ${words.join(" ")}: ${plan.seats.length} leaves a step, ${rounds} steps in ${seconds.toFixed(1)} s`,
    );
    console.log(`  forward ${handedOn(plan, /^passed$/)} B, back ${handedOn(plan, /^slope$/)} B, slopes of weights ${handedOn(plan, /^grad\//)} B; held-out loss ${loss.toFixed(3)}`); // prettier-ignore
  });
}
