/** `--participants nats`: participants on a network, or processes that this one starts on its own. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { formatAddress } from "../../claims/claim.ts";
import { RoundsError, UsageError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";
import type { Muster } from "../../rounds/crew.ts";
import type { PlantedFault } from "../../rounds/fault.ts";
import type { Plan } from "../../rounds/plan.ts";
import { musterOn } from "../../services/rounds/muster.ts";
import type { Transport } from "../../services/transport/transport.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { endProcess, startCarrier } from "../carrier.ts";
import { networksOf } from "../network.ts";
import { networkAddress, type NetworkFlags } from "../network-options.ts";
import { ownCommand } from "../own-command.ts";
import { reportLine } from "../output.ts";

export interface OverNetwork {
  readonly muster: Muster;
  readonly transport: Transport;
  /** Its address, if the command has named it. */
  readonly named: string | undefined;
  readonly close: () => Promise<void>;
  /** Where processes that were started here keep what they read and compute, until the record is whole. */
  readonly folder?: string;
}

/** The folder of the participants in that of the record: a run that is continued finds their leaves there. */
const foldersIn = (out: string): string => resolve(out, "processes");

export interface NetworkOptions {
  readonly flags: NetworkFlags & { readonly out: string; readonly patience: string; readonly checkpointEvery?: number };
  readonly plan: Plan;
  /** The words that name the plan on a command line, with its options. */
  readonly words: readonly string[];
  readonly faults: readonly { readonly text: string; readonly planted: PlantedFault }[];
  readonly backend: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Gathers the participants of a plan: those of the network that the command names, or processes on a network
 * of their own. @throws {RoundsError} when one stays away
 */
export async function gatherOn(options: NetworkOptions): Promise<OverNetwork> {
  const { flags, plan, signal, faults } = options;
  const named = networkAddress(flags);
  const ending: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ending.reverse()) await end();
  };
  try {
    const network = named ?? (await startOwn(options, ending));
    if (named !== undefined && faults.length > 0)
      throw new RoundsError("FAULT", "participants elsewhere plant their own faults; give --fault to `verde rounds join`"); // prettier-ignore
    if (named !== undefined && flags.checkpointEvery !== undefined)
      throw new UsageError("CONFLICT", "participants elsewhere keep their own states; give --checkpoint-every to `verde rounds join`"); // prettier-ignore
    const networks = await networksOf(flags);
    ending.push(() => networks.close());
    const transport = await networks.at(network);
    const muster = await musterOn({
      transport,
      plan,
      // In a drill an honest participant may be given what makes its training diverge.
      stop: faults.length === 0,
      patience: 1000 * parseDuration(flags.patience),
      signal,
      ...(named !== undefined && { onPresent: (name, address) => reportLine(`verde: ${name} is there, as ${formatAddress(address)}`) }), // prettier-ignore
    });
    return { muster, transport, named, close, ...(named === undefined && { folder: foldersIn(flags.out) }) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts a network and a process for each participant. @returns its address */
async function startOwn(
  { flags, plan, words, faults, backend }: NetworkOptions,
  ending: (() => Promise<unknown>)[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "verde-rounds-"));
  ending.push(() => rm(folder, { recursive: true, force: true }));
  const { network, carrier, end } = await startCarrier(join(folder, "nats"));
  ending.push(end);
  reportLine(`verde: the participants find each other over ${carrier}, at ${network}`);
  const kept = flags.checkpointEvery === undefined ? [] : ["--checkpoint-every", String(flags.checkpointEvery)];
  for (const [participant, { name, role }] of plan.participants.entries()) {
    const isStore = role === plan.storage?.by;
    const own = faults.flatMap(({ text, planted }) =>
      plan.seats[planted.seat].participant === participant ? ["--fault", text] : [],
    );
    const args = ["rounds", "join", ...words, "--as", name, "--network", network, "--out", join(foldersIn(flags.out), name), ...(isStore ? [] : kept), ...own, ...(isStore || backend === undefined ? [] : ["--backend", backend])]; // prettier-ignore
    const [program, ...before] = ownCommand();
    const child = spawn(program, [...before, ...args], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, VERDE_PROGRESS: "off" },
    });
    createInterface({ input: child.stderr! }).on("line", (line) => reportLine(`${name}: ${plainText(line)}`));
    ending.push(() => endProcess(child));
  }
  return network;
}
