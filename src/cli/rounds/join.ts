/** `verde rounds join`: a participant of a plan, on a network. */
import type { Command } from "commander";
import { formatAddress } from "../../claims/claim.ts";
import { ClaimStore } from "../../claims/store.ts";
import { UsageError } from "../../errors/index.ts";
import { DEFAULT } from "../../repops/backends/index.ts";
import { parseRoundFault } from "../../rounds/fault.ts";
import { describeNews } from "../../rounds/leaf-news.ts";
import { Joined } from "../../services/rounds/join.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { networksOf } from "../network.ts";
import { expectNetwork, type NetworkFlags } from "../network-options.ts";
import { reportLine, sayNow } from "../output.ts";
import { aborted, endSignal } from "../stop.ts";
import { type PlanFlags, planOf } from "./plan.ts";
import { type StakedFlags, stakedParticipant } from "./staked.ts";

interface Flags extends NetworkFlags, PlanFlags, StakedFlags {
  as: string;
  out: string;
  patience: string;
  checkpointEvery?: number;
  fault?: string[];
  backend?: string;
  json?: boolean;
}

export async function joinPlan(path: string, rest: string[], flags: Flags, command: Command): Promise<void> {
  const { as, out, fault = [], backend = DEFAULT.name, json = false } = flags;
  const network = expectNetwork(flags);
  const plan = await planOf(path, rest, flags, command);
  const faults = fault.map((text) => parseRoundFault(plan, text));
  const other = faults.find(({ seat }) => plan.participants[plan.seats[seat].participant].name !== as);
  if (other)
    throw new UsageError("VALUE", `--fault is about ${plan.participants[plan.seats[other.seat].participant].name}, and this is ${as}; give it to that one`); // prettier-ignore
  const staked = flags.terms === undefined ? undefined : await stakedParticipant(plan, flags.terms, as, flags);
  const networks = await networksOf(flags);
  const signal = endSignal();
  // A recorder that has started this process, and has gone, needs it no more.
  if (process.connected) process.once("disconnect", () => process.exit(0));
  try {
    const joined = await Joined.open({
      transport: await networks.at(network),
      plan,
      participant: as,
      out,
      state: new ClaimStore().folder,
      backend,
      faults,
      ...(staked && { staked }),
      patience: 1000 * parseDuration(flags.patience),
      checkpointEvery: flags.checkpointEvery,
      onNews({ round }, name, news) {
        // A recorder that has started this process shows what it reports.
        if (process.connected) reportLine(describeNews(name, round, news));
        else sayNow(describeNews(name, round, news), json, { checkpoint: news });
      },
      onLeaf: ({ round }, name) => sayNow(`${name} of round ${round} is signed`, json),
      onClosed: ({ round }, name) => sayNow(`round ${round} was closed without ${name}: the recorder has signed that it was absent`, json), // prettier-ignore
    });
    sayNow(`${as} of ${plan.name} is on ${network}, as ${formatAddress(joined.address)}`, json);
    await aborted(signal);
    await joined.close();
  } finally {
    await networks.close();
  }
}
