/** Runs a plan: the recorder has each leaf performed by its owner, and keeps what they sign. */
import { ClaimStore } from "../claims/store.ts";
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import { fs, path } from "../encoding/node.ts";
import { RoundsError, UsageError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { takeLock } from "../files/lock.ts";
import { exists } from "../files/regular.ts";
import type { Backend } from "../repops/backends/backend.ts";
import type { Away } from "./away.ts";
import type { BeaconSource } from "./beacon-source.ts";
import { crewFor, type Muster } from "./crew.ts";
import type { PlantedFault } from "./fault.ts";
import type { LeafNews } from "./leaf-news.ts";
import type { CheckpointOptions } from "./leaf-trace.ts";
import { LogWriter } from "./log.ts";
import { type LeafPlace, namesOf, type Plan } from "./plan.ts";
import { beginRecord } from "./begin-record.ts";
import { logFile, RoundsRecord } from "./record.ts";
import { planDifference } from "./plan-difference.ts";
import { Recorder } from "./recorder.ts";
import { Signer } from "./signer.ts";
import { type Instance, instanceOf } from "./statement.ts";
import type { SilentStore } from "./store.ts";

/** How a plan is run. */
export interface RunRoundsOptions {
  /** The folder of the record. */
  out: string;
  /** Where participants compute: in this process (default), in one of their own for each, or elsewhere. */
  participants?: "local" | "processes" | Muster;
  /** A backend, or its name; default `wasm`. Processes take names alone. */
  backend?: Backend | string;
  /** What participants do wrong, for drills. They sign with other keys then. */
  faults?: readonly PlantedFault[];
  /** Who stays away for some rounds, for drills. Who computes elsewhere is not asked then. */
  away?: readonly Away[];
  /**
   * Whom the recorder calls absent in some rounds though it has the leaf, for drills. The receipts of these
   * leaves are in receipts.log then, where their owner would keep them.
   */
  censored?: readonly Away[];
  /** Stores that sign both a receipt and a note of absence in some rounds, for drills. */
  twice?: readonly Away[];
  /**
   * How long a turn waits for its other members once its quorum has delivered, in milliseconds; default a
   * minute. Participants in this process are always waited for.
   */
  patience?: number;
  /** Finds the values of the plan's beacon, where the plan has one. */
  beacon?: BeaconSource;
  /** The folder of the user's keys; default that of the claims. */
  state?: string;
  /** 32 bytes that make this performance another than earlier ones; default random ones. */
  salt?: Bytes;
  /** On a chain: its instance, and the keys of the accounts in it. Then `salt` counts for nothing. */
  staked?: Staked;
  /** Continue a record that was stopped. */
  resume?: boolean;
  /** Overwrite a record. */
  force?: boolean;
  /** Stops after the leaves that are being computed. The record can be continued. */
  signal?: AbortSignal;
  /** Called when the record is there, before the first leaf is performed. What it returns is waited for. */
  onBegin?(record: RoundsRecord): void | Promise<void>;
  /**
   * How often a leaf keeps its state while it is computed, in training steps, so that it continues from there
   * when it was cut off; 0: never. Default: once a minute, and less often where writing takes long.
   * Participants elsewhere choose it themselves.
   */
  checkpointEvery?: number;
  /** Called after each leaf. */
  onLeaf?(leaf: LeafInfo): void;
  /** Called when a leaf continues from a state that it had kept, or can't. */
  onNews?(leaf: Omit<LeafInfo, "metrics">, news: LeafNews): void;
  /** Called when a turn is closed, for each member that was not there. */
  onAbsent?(absence: AbsenceInfo): void;
  /** Called when a store has not signed what it was asked for. */
  onSilent?(silent: SilentStore & { readonly name: string }): void;
  /** Called for a leaf that is refused, because it has come after its turn was closed. */
  onLate?(leaf: Omit<LeafInfo, "metrics">): void;
}

/** What is reported of a member that was not there. */
export interface AbsenceInfo extends Omit<LeafInfo, "metrics"> {
  /** Why it counts as absent, in words. */
  readonly why: string;
}

/** A performance whose parties have a stake on a chain. */
export interface Staked {
  readonly instance: Instance;
  readonly recorder: Signer;
  /** In the plan's order. Empty where participants sign elsewhere. */
  readonly participants: readonly Signer[];
}

/** What is reported of a leaf. */
export interface LeafInfo extends LeafPlace {
  readonly rounds: number;
  /** `local-2` */
  readonly name: string;
  readonly participant: string;
  /** The metrics of its last step; empty for a turn without steps. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where a record's own files are. What else is in its folder stays. */
const OWN_FILES = ["plan.cbor", "instance.json", "record.log", "evidence.log", "templates", "blobs", "rounds", "processes", "receipts.log"]; // prettier-ignore

/**
 * Runs all rounds of a plan.
 * @returns the whole record
 * @throws {UsageError} when the folder exists, without `resume` and `force`
 * @throws {RoundsError} when the record to continue is of another plan, a participant fails that the plan
 *   can't miss, or fewer are there than it asks for
 * @throws {RunError} when `signal` stopped it, or training has diverged without a fault
 */
export async function runRounds(plan: Plan, options: RunRoundsOptions): Promise<RoundsRecord> {
  const { out, state = new ClaimStore().folder } = options;
  const checkpoints = checkpointsIn(plan, options);
  await makeFolder(out);
  const lock = takeLock(path.join(out, "record.lock"), out);
  try {
    const isDrill = (participant: number): boolean =>
      [...(options.faults ?? []).map(({ seat }) => plan.seats[seat]), ...(options.twice ?? [])].some((each) => each.participant === participant); // prettier-ignore
    const { participants = "local" } = options;
    const signers: Signer[] = [];
    if (options.staked) signers.push(...options.staked.participants);
    else if (typeof participants === "string")
      for (const [i, { name }] of plan.participants.entries()) signers.push(await Signer.open(state, name, isDrill(i)));
    const owners = typeof participants === "string" ? signers.map(({ address }) => address) : participants.owners;
    const recorder =
      options.staked?.recorder ?? (await Signer.open(state, "recorder", (options.censored ?? []).length > 0));
    const second = new Map<number, Signer>();
    for (const { participant } of options.twice ?? [])
      second.set(participant, await Signer.open(state, plan.participants[participant].name, true, path.join(state, "twice"))); // prettier-ignore
    const record = await recordFor(plan, options, owners, recorder);
    const crew =
      typeof participants === "string"
        ? await crewFor(record, { ...options, participants, state, checkpoints, second }, signers, isDrill)
        : await participants.crew(record, recorder);
    try {
      await options.onBegin?.(record);
      await new Recorder(record, crew, recorder, options).run();
      return record;
    } finally {
      await crew.close();
    }
  } finally {
    lock.release();
  }
}

/** @throws {UsageError} for a number of steps that is none */
function checkpointsIn(plan: Plan, { checkpointEvery: every, onNews }: RunRoundsOptions): CheckpointOptions {
  if (every !== undefined && !(Number.isInteger(every) && every >= 0 && every < 2 ** 31))
    throw new UsageError("VALUE", `a checkpoint every ${every} steps is not possible; take 0 to 2^31 - 1`, { every });
  return { every, onNews: (place, news) => onNews?.(namesOf(plan, place), news) };
}

async function recordFor(
  plan: Plan,
  { out, resume = false, force = false, salt, staked }: RunRoundsOptions,
  owners: readonly Bytes[],
  recorder: Signer,
): Promise<RoundsRecord> {
  if (staked) expectOwners(plan, owners, recorder.address, staked.instance);
  const there = await exists(path.join(out, "plan.cbor"));
  if (there && !resume && !force)
    throw new UsageError("EXISTS", `${out} holds a record; choose another folder, --resume it, or overwrite it with --force`, { out }); // prettier-ignore
  if (there && resume && (await exists(path.join(out, "instance.json")))) {
    // A log is made when the record is whole, so its absence says that the beginning was cut.
    if (await exists(logFile(out))) return continued(plan, out, owners, recorder, staked);
  }
  for (const name of OWN_FILES) await fs.rm(path.join(out, name), { recursive: true, force: true });
  const own = salt ?? crypto.getRandomValues(new Uint8Array(32));
  const instance: Instance =
    staked?.instance ?? instanceOf({ plan: plan.id, salt: own, owners, recorder: recorder.address });
  const record = await beginRecord(out, plan, instance);
  await LogWriter.open(logFile(out));
  return record;
}

/** @throws {RoundsError} when a party has another key than the account that has its stake */
function expectOwners(plan: Plan, owners: readonly Bytes[], recorder: Bytes, instance: Instance): void {
  const all = [...plan.participants.map(({ name }) => name), "the recorder"];
  const wanted = [...instance.owners, instance.recorder];
  const i = [...owners, recorder].findIndex((owner, each) => !bytesEqual(owner, wanted[each]));
  if (i < 0) return;
  throw new RoundsError("PARTICIPANT", `${all[i]} signs as ${toHex([...owners, recorder][i])}, and its stake on the chain is that of ${toHex(wanted[i])}; let it sign with the key of that account`, { participant: all[i] }); // prettier-ignore
}

async function continued(
  plan: Plan,
  out: string,
  owners: readonly Bytes[],
  recorder: Signer,
  staked: Staked | undefined,
): Promise<RoundsRecord> {
  const record = await RoundsRecord.open(out);
  const { instance } = record;
  if (!bytesEqual(record.plan.id, plan.id))
    throw new RoundsError("FOREIGN", `${out} is a record of the plan ${toHex(record.plan.id)}, not of ${toHex(plan.id)}; they differ in ${planDifference(record.plan, plan) ?? "a part"}; give the same module and options`, { out }); // prettier-ignore
  if (staked && !bytesEqual(staked.instance.id, instance.id))
    throw new RoundsError("FOREIGN", `${out} was begun as the instance ${toHex(instance.id)}, and the terms are of ${toHex(staked.instance.id)}; continue it with the same terms`, { out }); // prettier-ignore
  const other = owners.findIndex((owner, i) => !bytesEqual(owner, instance.owners[i]));
  if (other >= 0 || !bytesEqual(recorder.address, instance.recorder))
    throw new RoundsError("FOREIGN", `${out} was begun with another key of ${plan.participants[other]?.name ?? "the recorder"}; continue it with the same keys and faults`, { out }); // prettier-ignore
  return record;
}
