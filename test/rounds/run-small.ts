/** Performs the small plan with twelve rounds, for tests that end the process: arguments are the folders of the record and of the keys. */
import { runRounds } from "../../src/rounds/index.ts";
import { smallPlan } from "./small-plan.ts";

const [out, state] = process.argv.slice(2);
await runRounds(await smallPlan.close({ rounds: 12 }), { out, state, onLeaf: ({ name }) => console.log(name) });
