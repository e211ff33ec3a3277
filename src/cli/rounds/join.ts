/** `verde rounds join`: a participant of a plan, or a store, on a network. */
import type { Command } from "commander";
import { formatAddress } from "../../claims/claim.ts";
import { ClaimStore } from "../../claims/store.ts";
import { UsageError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";
import { DEFAULT } from "../../repops/backends/index.ts";
import { parseRoundFault, type PlantedFault } from "../../rounds/fault.ts";
import { describeNews } from "../../rounds/leaf-news.ts";
import { Joined } from "../../services/rounds/join.ts";
import type { JoinOptions } from "../../services/rounds/join-options.ts";
import { JoinedStore } from "../../services/rounds/joined-store.ts";
import type { JoinStoreOptions } from "../../services/rounds/store-options.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { networksOf } from "../network.ts";
import { expectNetwork, type NetworkFlags } from "../network-options.ts";
import { reportLine, sayNow } from "../output.ts";
import { aborted, endSignal } from "../stop.ts";
import { limitOf } from "./limit.ts";
import { type PlanFlags, planOf } from "./plan.ts";
import { type StakedFlags, stakedParticipant } from "./staked.ts";

interface Flags extends NetworkFlags, PlanFlags, StakedFlags {
  as: string;
  out: string;
  patience: string;
  checkpointEvery?: number;
  limit?: string;
  notice?: string;
  fault?: string[];
  backend?: string;
  json?: boolean;
}

export async function joinPlan(path: string, rest: string[], flags: Flags, command: Command): Promise<void> {
  const { as, out, fault = [], json = false } = flags;
  const network = expectNetwork(flags);
  const plan = await planOf(path, rest, flags, command);
  const faults = fault.map((text) => parseRoundFault(plan, text));
  const other = faults.find(({ seat }) => plan.participants[plan.seats[seat].participant].name !== as);
  if (other)
    throw new UsageError("VALUE", `--fault is about ${plan.participants[plan.seats[other.seat].participant].name}, and this is ${as}; give it to that one`); // prettier-ignore
  const isStore = plan.storage !== undefined && plan.participants.some(({ name, role }) => name === as && role === plan.storage!.by); // prettier-ignore
  expectOwnFlags(flags, isStore);
  const staked = flags.terms === undefined ? undefined : await stakedParticipant(plan, flags.terms, as, flags);
  const networks = await networksOf(flags);
  const signal = endSignal();
  // A recorder that has started this process, and has gone, needs it no more.
  if (process.connected) process.once("disconnect", () => process.exit(0));
  try {
    const common = { transport: await networks.at(network), plan, participant: as, out, state: new ClaimStore().folder, ...(staked && { staked }), patience: 1000 * parseDuration(flags.patience) }; // prettier-ignore
    const joined = await (isStore ? openStore(common, flags) : openMember(common, flags, faults));
    sayNow(`${as} of ${plan.name} is on ${network}, as ${formatAddress(joined.address)}`, json);
    await aborted(signal);
    await joined.close();
  } finally {
    await networks.close();
  }
}

type Common = Omit<JoinOptions, "backend"> & JoinStoreOptions;

/** @throws {UsageError} for what the other kind of participant takes */
function expectOwnFlags({ as, limit, notice, fault = [], checkpointEvery, backend }: Flags, isStore: boolean): void {
  const wrong = isStore ? { fault: fault[0], "checkpoint-every": checkpointEvery, backend } : { limit, notice };
  const [flag] = Object.entries(wrong).find(([, value]) => value !== undefined) ?? [];
  if (flag !== undefined)
    throw new UsageError("CONFLICT", `--${flag} is for ${isStore ? "a participant that computes, and" : "a store, and"} ${as} is ${isStore ? "a store" : "none"}; omit it`, { flag }); // prettier-ignore
}

function openStore(common: Common, { limit, notice, json = false }: Flags): Promise<JoinedStore> {
  return JoinedStore.open({
    ...common,
    limit: limit === undefined ? undefined : limitOf(limit),
    notice: notice === undefined ? undefined : 1000 * parseDuration(notice),
    onSigned: ({ round, run }, name) => sayNow(`${name} of round ${round} is ${run ? "kept" : "not here, as the recorder says"}: signed`, json), // prettier-ignore
    onFull: (why) => sayNow(`it is full: ${plainText(why)}`, json),
    onSkipped: (folder, why) => sayNow(`${folder} is not served: ${plainText(why)}`, json),
  });
}

function openMember(common: Common, flags: Flags, faults: readonly PlantedFault[]): Promise<Joined> {
  const { backend = DEFAULT.name, json = false, checkpointEvery } = flags;
  return Joined.open({
    ...common,
    backend,
    faults,
    checkpointEvery,
    onNews({ round }, name, news) {
      // A recorder that has started this process shows what it reports.
      if (process.connected) reportLine(describeNews(name, round, news));
      else sayNow(describeNews(name, round, news), json, { checkpoint: news });
    },
    onLeaf: ({ round }, name) => sayNow(`${name} of round ${round} is signed`, json),
    onSilent: ({ name, round, why }) => sayNow(`${name} signs no receipt for the leaf of round ${round}: ${plainText(why)}`, json), // prettier-ignore
    onClosed: ({ round }, name) => sayNow(`round ${round} was closed without ${name}: the recorder has signed that it was absent`, json), // prettier-ignore
  });
}
