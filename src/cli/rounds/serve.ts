/** `verde rounds serve`: hands a record on a network to those who check it. */
import { toHex } from "../../encoding/bytes.ts";
import { openEmpty } from "../../rounds/begin-record.ts";
import { type ServedRecord, serveRecord } from "../../services/rounds/record-server.ts";
import type { Transport } from "../../services/transport/transport.ts";
import { networksOf } from "../network.ts";
import { expectNetwork, type NetworkFlags } from "../network-options.ts";
import { sayNow } from "../output.ts";
import { aborted, endSignal } from "../stop.ts";

interface Flags extends NetworkFlags {
  json?: boolean;
}

export async function serveRounds(folder: string, flags: Flags): Promise<void> {
  const signal = endSignal();
  const served = await beginServing(folder, flags);
  try {
    await aborted(signal);
  } finally {
    await served.close();
  }
}

/** A network on which a record is served. */
export interface Served {
  readonly network: string;
  readonly transport: Transport;
  readonly close: () => Promise<void>;
}

/** Opens the network that a command names. @throws {UsageError} when it names none */
export async function openServed(flags: NetworkFlags): Promise<Served> {
  const network = expectNetwork(flags);
  const networks = await networksOf(flags);
  try {
    return { network, transport: await networks.at(network), close: () => networks.close() };
  } catch (error) {
    await networks.close();
    throw error;
  }
}

/** Serves the record of a folder until it is closed, and says how others fetch it. */
export async function beginServing(folder: string, flags: Flags): Promise<Served> {
  const record = await openEmpty(folder);
  const served = await openServed(flags);
  await serveOn(served, record, folder, flags.json);
  return served;
}

/** Serves a record on a network, and says how others fetch it. */
export async function serveOn(
  { transport, network }: Pick<Served, "transport" | "network">,
  record: ServedRecord,
  folder: string,
  json = false,
): Promise<void> {
  await serveRecord(transport, record);
  const instance = toHex(record.instance.id);
  sayNow(`${folder} is served on ${network}: \`verde rounds fetch FOLDER --instance ${instance} --network ${network}\``, json, { instance }); // prettier-ignore
}
