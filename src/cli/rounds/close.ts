/** `verde rounds close`: ends a performance whose time is over. */
import { ChainError } from "../../errors/index.ts";
import { readPerformance } from "../../settlement/rounds/performance.ts";
import { endingCall } from "../../settlement/rounds/ending.ts";
import { Sender } from "../send.ts";
import type { SendFlags } from "../session-options.ts";
import { openPosted, stateText } from "./terms.ts";

export async function closeRounds(file: string, flags: SendFlags): Promise<void> {
  const { session, posted } = await openPosted(file, flags);
  const sender = await Sender.open(session, flags);
  const before = await readPerformance(session, posted);
  const call = endingCall(posted, before);
  if (!call)
    throw new ChainError("STATE", `this is not the time to end it; the performance is ${stateText(posted, before)}`, { state: before.state }); // prettier-ignore
  await sender.send(call);
  const { state } = await readPerformance(session, posted);
  const done = { Closed: "Stakes are free, and rewards are credited: `verde rounds claim` withdraws them.", Cancelled: "Stakes are free, and the client has its money back as credit." }; // prettier-ignore
  sender.report(flags.json ?? false, { instance: posted.id, state }, `The performance is ${state}. ${done[state as keyof typeof done]}`); // prettier-ignore
}
