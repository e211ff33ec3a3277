/**
 * The table of all schemes in docs/schemes.md: what a round sends, and the loss beside AdamW on the joined
 * batch and a lone member. `node bench/schemes.ts [NAME …]` runs them one after the other, keeps what it
 * measures in `bench/results/schemes.json`, and writes the table; `--report` prints what is kept.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { digitsScheme } from "./schemes/digits.ts";
import { expertsScheme } from "./schemes/experts.ts";
import { pageWith, type Row, tableOf } from "./schemes/row.ts";
import { performed, type Scheme } from "./schemes/scheme.ts";
import { stagesScheme } from "./schemes/stages.ts";
import { textScheme } from "./schemes/text.ts";

/** Each with its rounds and the steps of a member in each. */
const SCHEMES: Readonly<Record<string, () => Promise<Scheme>>> = {
  fedavg: () => digitsScheme("fedavg", 20, 10),
  diloco: () => textScheme("diloco", 20, 30),
  "elastic-diloco": () => textScheme("elastic-diloco", 20, 30, {}, true),
  "streaming-diloco": () => textScheme("streaming-diloco", 20, 15),
  demo: () => textScheme("demo", 200, 1),
  distro: () => textScheme("distro", 200, 1),
  sparseloco: () => textScheme("sparseloco", 20, 30),
  gauntlet: () => digitsScheme("gauntlet", 20, 5),
  iota: () => digitsScheme("iota", 20, 10),
  "protocol-models": () => stagesScheme("protocol-models", 200),
  "async-pipeline": () => stagesScheme("async-pipeline", 200),
  skippipe: () => stagesScheme("skippipe", 100),
  swarm: () => stagesScheme("swarm", 100),
  hdee: () => expertsScheme(3, 100),
  psyche: () => digitsScheme("psyche", 60, 1),
  shardcast: () => digitsScheme("shardcast", 20, 10),
};
const FILE = new URL("results/schemes.json", import.meta.url);
const PAGE = new URL("../docs/schemes.md", import.meta.url);
const kept: Record<string, Row> = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : {};

async function measure(name: string): Promise<Row> {
  const scheme = await SCHEMES[name]();
  const { plan, steps, parameters, sent, inStep } = scheme;
  return performed(scheme, async (record, { processor }) => {
    const digits = (loss: number): number => Number(loss.toFixed(3));
    const lone = scheme.lone ? digits(await scheme.lone(record)) : null;
    const [loss, joined] = [digits(await scheme.loss(record)), digits(await scheme.joined(record))];
    const [members, seconds] = [plan.participants.length, Math.round(processor)];
    return { members, parameters, rounds: plan.rounds, steps, sent, inStep, loss, joined, lone, seconds };
  });
}

const args = process.argv.slice(2);
if (!args.includes("--report")) {
  const unknown = args.find((name) => !Object.hasOwn(SCHEMES, name));
  if (unknown !== undefined) throw new Error(`there is no scheme ${unknown}; name some of ${Object.keys(SCHEMES).join(", ")}, or none for all`); // prettier-ignore
  for (const name of args.length > 0 ? args : Object.keys(SCHEMES)) {
    kept[name] = await measure(name);
    console.log(`${name}: ${JSON.stringify(kept[name])}`);
    const rows = Object.keys(SCHEMES).flatMap((each) => (kept[each] ? [[each, kept[each]]] : []));
    writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`);
    writeFileSync(PAGE, pageWith(readFileSync(PAGE, "utf8"), Object.fromEntries(rows)));
  }
}
console.log(tableOf(kept));
