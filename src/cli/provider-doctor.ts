/** `verde provider doctor`: whether a provider could work here, and what to do if it could not. */
import { mkdtemp, readdir, rmdir, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Address } from "viem";
import { openBackend } from "../certify/open-backend.ts";
import { memoryStore } from "../certify/store.ts";
import { messageOf, VerdeError } from "../errors/index.ts";
import { holderOf } from "../files/lock.ts";
import { outlineOf } from "../job/closed.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { abilitiesOf, buildFor } from "../settlement/abilities.ts";
import { ETHER, formatAmount } from "../settlement/amount.ts";
import { ABIS } from "../settlement/contracts.ts";
import { bondOf, TASK_GAS } from "../settlement/game/bond.ts";
import type { Session } from "../settlement/session.ts";
import { checkFits, needsOf } from "../trace/fits.ts";
import { readJobFile } from "../trace/job-file.ts";
import { type KeyFlags, signerOf } from "./account.ts";
import { type Check, fail, ok, warn, writeCheck } from "./doctor/check.ts";
import { clockAgainst, machineChecks } from "./doctor/machine.ts";
import { existing } from "./doctor/places.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatBytes, formatCount, writeJson, writeLine } from "./output.ts";
import { folderOf, LOCK_FILE } from "./provider-status.ts";
import { openSession } from "./session.ts";
import { addChainOptions, addKeyOptions, type ChainFlags } from "./session-options.ts";

interface Flags extends ChainFlags, KeyFlags {
  jobs?: string;
  folder?: string;
  backend?: string;
}

/** Gas of one call: with less an account can do nothing. */
const ONE_CALL = 200_000n;

export function registerDoctor(group: Command): void {
  const command = group
    .command("doctor")
    .description("look at the bits, memory, disk, clock, chain, key and stake of a provider, and say what to do")
    .option("--jobs <folder>", "job files of the jobs that it would run")
    .option("--folder <folder>", "as for `provider run`")
    .option("--backend <name>", "as for `provider run`");
  addKeyOptions(addChainOptions(command)).action(doctor);
}

async function doctor(flags: Flags): Promise<void> {
  const checks: Check[] = [];
  for await (const check of checksOf(flags)) {
    checks.push(check);
    if (!flags.json) writeCheck(check);
  }
  const ready = checks.every(({ result }) => result !== "fail");
  if (flags.json) writeJson({ schemaVersion: 1, ready, checks });
  else writeLine("", colors.bold(ready ? "A provider can work here." : "A provider can't work here."));
  exitWith(ready ? EXIT.agree : EXIT.failure);
}

async function* checksOf(flags: Flags): AsyncGenerator<Check> {
  yield* machineChecks().filter(({ name }) => name === "node" || name === "memory");
  yield await bits(flags.backend ?? DEFAULT.name);
  const { checks, bytes } = await jobs(flags.jobs);
  yield* checks;
  yield await disk(flags, bytes);
  const session = await tried("deployment", () => openSession(flags, { agreement: "majority", onDissent: () => undefined }), "Do what the message says: without the chain it sees no tasks."); // prettier-ignore
  const account = await tried("key", () => signerOf(flags), "Name a keystore with --keystore, and its password file.");
  if ("result" in session) yield session;
  else yield* chain(session);
  if ("result" in account) yield account;
  else yield ok("key", `signs as ${account.address}`);
  if (!("result" in session) && !("result" in account)) yield* money(session, account.address);
}

/** What a piece of work gives, or the check that says why it fails. */
async function tried<T extends object>(name: string, work: () => Promise<T>, remedy: string): Promise<T | Check> {
  try {
    return await work();
  } catch (error) {
    return fail(name, messageOf(error), remedy);
  }
}

async function bits(backend: string): Promise<Check> {
  const name = `bits of ${backend}`;
  try {
    const { device } = await openBackend(backend, { say: () => undefined, store: memoryStore() });
    return ok(name, `those of the specification${device ? `, certified now on ${device.name}` : ""}`);
  } catch (error) {
    return fail(name, messageOf(error), "Name another one with --backend; `verde certify --backend NAME` shows what is wrong."); // prettier-ignore
  }
}

async function jobs(folder: string | undefined): Promise<{ checks: Check[]; bytes: number }> {
  const remedy = "Put job files there that fit (`verde job export`): it runs no others.";
  if (folder === undefined) return { checks: [warn("jobs", "no folder is named", "Name one with --jobs.")], bytes: 0 };
  const names = await readdir(folder).catch((error: unknown) => messageOf(error));
  if (typeof names === "string") return { checks: [fail("jobs", names, "Name a folder that you may read with --jobs.")], bytes: 0 }; // prettier-ignore
  const files = names.filter((name) => name.endsWith(".verde")).sort();
  const bad: Check[] = [];
  let bytes = 0;
  for (const file of files)
    try {
      const outline = outlineOf(await readJobFile(join(folder, file)));
      checkFits(outline);
      const { state, dataset } = needsOf(outline);
      // The first and the last checkpoint, and the one that is being written.
      bytes = Math.max(bytes, 3 * state + dataset);
    } catch (error) {
      bad.push(warn("jobs", `${file}: ${messageOf(error)}`, remedy));
    }
  const good = files.length - bad.length;
  const found = `${good} in ${folder} can be run here`;
  return { checks: [good === 0 ? fail("jobs", found, remedy) : ok("jobs", found), ...bad], bytes };
}

async function disk(flags: Flags, bytes: number): Promise<Check> {
  const remedy = "Name a folder with --folder that you may write to, on a disk with room.";
  try {
    const folder = folderOf(flags);
    const place = await existing(resolve(folder));
    await rmdir(await mkdtemp(join(place, ".doctor-")));
    const { bavail, bsize } = await statfs(place);
    const free = bavail * bsize;
    const holder = holderOf(join(folder, LOCK_FILE));
    const found = `${folder}, ${formatBytes(free)} free${holder === undefined ? "" : `; in use by ${holder}`}`;
    const least = Math.max(bytes, 2 ** 30);
    if (free < bytes) return fail("disk", `${found}; the largest job takes ${formatBytes(bytes)}`, remedy);
    return free < least ? warn("disk", found, "Free some space: each task keeps its trace until you remove it.") : ok("disk", found); // prettier-ignore
  } catch (error) {
    return fail("disk", messageOf(error), remedy);
  }
}

async function* chain({ client, deployment }: Session): AsyncGenerator<Check> {
  const { number, timestamp } = await client.getBlock();
  yield ok("deployment", `chain ${deployment.chainId}, block ${number}, manager ${deployment.manager}, with the right code`); // prettier-ignore
  yield clockAgainst(deployment.chainId, timestamp);
  try {
    const abilities = await abilitiesOf(client);
    const build = buildFor(abilities, Number(ONE_CALL));
    yield ok("forks", `${build === "osaka" ? "Osaka's rules" : "rules before Osaka"}, transactions of up to ${formatCount(abilities.transactionGas)} gas`); // prettier-ignore
  } catch (error) {
    if (!(error instanceof VerdeError)) throw error;
    yield fail("forks", messageOf(error), "Use the chain for which the contracts were built.");
  }
}

async function* money({ client, deployment, token }: Session, address: Address): AsyncGenerator<Check> {
  const [balance, { maxFeePerGas }, bond, { active, exposed }] = await Promise.all([
    client.getBalance({ address }),
    client.estimateFeesPerGas(),
    deployment.game === undefined ? undefined : bondOf(client, deployment.game),
    client.readContract({ address: deployment.vault, abi: ABIS.vault, functionName: "accountOf", args: [address] }),
  ]);
  const gas = maxFeePerGas === 0n ? undefined : balance / maxFeePerGas;
  const has = `${formatAmount(balance, ETHER)}${gas === undefined ? "" : `, which pays for ${formatCount(Number(gas))} gas now`}`; // prettier-ignore
  const send = `Send the chain's currency to ${address}.`;
  if (gas !== undefined && gas < ONE_CALL) yield fail("gas", has, send);
  else if (balance < (bond ?? 0n) + ONE_CALL * maxFeePerGas)
    yield fail("gas", `${has}: a game wants a bond of ${formatAmount(bond!, ETHER)} for each task, and gas`, send);
  else if (gas !== undefined && balance < (bond ?? 0n) + TASK_GAS * maxFeePerGas)
    yield warn("gas", `${has}: a task with a dispute can take ${formatCount(Number(TASK_GAS))}${bond === undefined ? "" : ` and a bond of ${formatAmount(bond, ETHER)}`}`, send); // prettier-ignore
  else yield ok("gas", has);
  const free = active - exposed;
  const stake = `${formatAmount(free, token)} of ${formatAmount(active, token)} are free`;
  if (active === 0n) yield fail("stake", "none", "Deposit one with `verde stake deposit`: tasks want it.");
  else if (free === 0n)
    yield warn("stake", stake, "Deposit more with `verde stake deposit`, or wait until its tasks are over."); // prettier-ignore
  else yield ok("stake", stake);
}
