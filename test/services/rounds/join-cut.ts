/** A participant of the plan whose leaves are cut, for tests that end its process: arguments are the hub, its name, its folder and that of the keys. */
import { Joined } from "../../../src/services/rounds/join.ts";
import { Http } from "../../../src/services/transport/http.ts";
import { cutPlan } from "../../rounds/cut-plan.ts";

const [hub, participant, out, state] = process.argv.slice(2);
await Joined.open({
  transport: new Http(hub),
  plan: await cutPlan(),
  participant,
  out,
  state,
  backend: "wasm",
  patience: 60_000,
  checkpointEvery: 10,
  onNews: ({ round }, name, news) => console.log(JSON.stringify({ name, round, ...news })),
});
