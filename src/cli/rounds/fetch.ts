/** `verde rounds fetch`: the record of a performance from the one that serves it, checked as it arrives. */
import { fromHex, toHex } from "../../encoding/bytes.ts";
import { path } from "../../encoding/node.ts";
import { messageOf, UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { exists } from "../../files/regular.ts";
import { plainText } from "../../game/received.ts";
import { openEmpty } from "../../rounds/begin-record.ts";
import type { InstanceId } from "../../rounds/statement.ts";
import { RecordFetch } from "../../services/rounds/fetch.ts";
import type { Fetched, FetchOptions } from "../../services/rounds/fetch-options.ts";
import { followRecord } from "../../services/rounds/follow.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { networksOf } from "../network.ts";
import { expectNetwork, type NetworkFlags } from "../network-options.ts";
import { colors, formatBytes, reportLine, writeJson, writeLine } from "../output.ts";
import { endSignal } from "../stop.ts";
import { limitOf } from "./limit.ts";
import { readPosted } from "./terms.ts";

interface Flags extends NetworkFlags {
  terms?: string;
  instance?: string;
  follow?: boolean;
  every: string;
  patience?: string;
  limit: string;
  json?: boolean;
}

/** Leaves that are named one by one. */
const MOST_NAMED = 5;

export async function fetchRounds(out: string, flags: Flags): Promise<void> {
  const { follow = false, every, patience, json = false } = flags;
  const network = expectNetwork(flags);
  const instance = await instanceFor(out, flags);
  const limit = limitOf(flags.limit);
  const signal = endSignal();
  const networks = await networksOf(flags);
  try {
    const options: FetchOptions = {
      transport: await networks.at(network),
      instance,
      out,
      limit,
      patience: patience === undefined ? undefined : 1000 * parseDuration(patience),
      signal,
      onRound: (round, rounds, unsigned) => {
        if (json) writeJson({ schemaVersion: 1, round, rounds, unsigned });
        else writeLine(`round ${round}/${rounds}  checked`);
        if (unsigned.length > 0) reportLine(`verde: the recorder lists ${unsigned.join(", ")} of round ${round} without the signature of its owner; \`verde rounds audit\` says so, and \`verde rounds watch\` demands it`); // prettier-ignore
      },
    };
    const everyMillis = 1000 * Math.max(parseDuration(every), 1);
    const onTrouble = (sentence: string): void => reportLine(`verde: ${plainText(sentence)}; trying again until it works`); // prettier-ignore
    const found = follow ? await followRecord({ ...options, everyMillis, onTrouble }) : await once(options);
    if (found) report(out, found, json);
    else reportLine(`verde: nothing was fetched into ${out}`);
    if (!found || found.lacking.length > 0) exitWith(EXIT.undecided);
  } finally {
    await networks.close();
  }
}

async function once(options: FetchOptions): Promise<Fetched> {
  const fetch = await RecordFetch.open(options);
  try {
    return await fetch.pass();
  } finally {
    fetch.close();
  }
}

/** @throws {UsageError} when nothing says of which performance the record is */
async function instanceFor(out: string, { terms, instance }: Flags): Promise<InstanceId> {
  if (terms !== undefined && instance !== undefined)
    throw new UsageError("CONFLICT", "--terms and --instance both name the performance; give one of them");
  if (terms !== undefined) return (await readPosted(terms)).instance.id;
  if (instance === undefined) {
    if (await exists(path.join(out, "instance.json"))) return (await openEmpty(out)).instance.id;
    throw new UsageError("SYNTAX", "nothing says of which performance the record is; give its terms with --terms, or the instance that the recorder tells you with --instance"); // prettier-ignore
  }
  try {
    return fromHex(instance, 32) as InstanceId;
  } catch (error) {
    throw new UsageError("VALUE", `--instance ${quote(instance)} is no instance: ${messageOf(error)}; write 0x and 64 digits`, { found: instance }); // prettier-ignore
  }
}

function report(out: string, { record, rounds, isWhole, lacking, bytes }: Fetched, json: boolean): void {
  const { plan, instance, size } = record;
  if (json)
    return writeJson({ schemaVersion: 1, record: out, plan: toHex(plan.id), instance: toHex(instance.id), rounds, whole: isWhole, leaves: size, bytes, lacking }); // prettier-ignore
  for (const { round, name, why } of lacking.slice(0, MOST_NAMED)) writeLine(colors.red(`round ${round}, ${name}: ${plainText(why)}`)); // prettier-ignore
  if (lacking.length > MOST_NAMED) writeLine(`and ${lacking.length - MOST_NAMED} more`);
  const files = lacking.length > 0 ? `; the files of ${lacking.length} are lacking, fetch again` : "";
  const left = isWhole ? "" : ` It is not whole yet: ${plan.rounds + 1 - rounds} rounds are left.`;
  writeLine(`${plan.name}: ${rounds} of ${plan.rounds + 1} rounds, round 0 included, with ${size} leaves${files}.`, `The record is in ${out}, with ${formatBytes(bytes)}.${left}`); // prettier-ignore
}
