/** Performs the plan whose leaves are cut, for tests that end the process: arguments are the folders of the record and of the keys, and a fault. */
import { parseRoundFault, runRounds } from "../../src/rounds/index.ts";
import { cutPlan } from "./cut-plan.ts";

const [out, state, ...faults] = process.argv.slice(2);
const plan = await cutPlan();
await runRounds(plan, {
  out,
  state,
  salt: new Uint8Array(32).fill(5),
  resume: true,
  checkpointEvery: 10,
  faults: faults.map((text) => parseRoundFault(plan, text)),
  onNews: ({ name, round }, news) => console.log(JSON.stringify({ name, round, ...news })),
});
