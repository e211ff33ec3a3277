/** A store of the plan with members that come and go, for tests that end its process: arguments are the hub, its name, its folder and that of the keys. */
import { Http } from "../../../src/services/transport/http.ts";
import { testInstance } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { joinedStore } from "./stored.ts";

const [hub, participant, out, state] = process.argv.slice(2);
const plan = await membershipPlan.close({ stores: 3, copies: 2 });
await joinedStore({ transport: new Http(hub), plan, participant, out, state, patience: 60_000 }, testInstance(plan));
console.log("joined");
