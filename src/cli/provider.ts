/** `verde provider`: takes tasks, runs them, and carries each to its end; it may be killed at any moment. */
import { join } from "node:path";
import type { Command } from "commander";
import type { Address } from "viem";
import { messageOf, UsageError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { takeLock } from "../files/lock.ts";
import { replaceFile } from "../files/replace.ts";
import { providerMetrics } from "../services/observe/metrics.ts";
import { provide } from "../services/provider/provider.ts";
import type { TaskStatus } from "../services/provider/work.ts";
import { parseDuration } from "../settlement/duration.ts";
import { collected } from "./collected.ts";
import { folderOf, LOCK_FILE, LOG_FILE, registerStatus, STATUS_FILE } from "./provider-status.ts";
import { networksOf } from "./network.ts";
import { addNetworkOptions } from "./network-options.ts";
import { ownCommand } from "./own-command.ts";
import { registerDoctor } from "./provider-doctor.ts";
import { sayer } from "./provider-log.ts";
import { accountOf, presenceOf, type PresenceFlags } from "./provider-network.ts";
import { Sender } from "./send.ts";
import { openSession } from "./session.ts";
import { addSendOptions, type SendFlags } from "./session-options.ts";
import { addRiskOptions, policyFrom, type RiskFlags } from "./task/risk.ts";
import { parseAddress } from "./task/terms.ts";
import { endSignal } from "./stop.ts";
import { addThreadsOption } from "./threads.ts";
import { addTokenOption } from "./token.ts";
import { addWatchOptions, type WatchFlags, watchService } from "./watched.ts";

interface Flags extends SendFlags, RiskFlags, WatchFlags, PresenceFlags {
  jobs: string;
  folder?: string;
  tasks: string;
  committee: readonly Address[];
  game: readonly Address[];
  fault?: string;
  untilIdle?: boolean;
}

export function register(program: Command): void {
  const group = program.command("provider").description("run tasks for pay, from the offer to the payment");
  const trusts = collected((text) => parseAddress(text, "the option"));
  const operator = (text: string): Address => parseAddress(text, "--operator");
  const run = group
    .command("run")
    .description("take tasks whose job file it has, run them, commit, reveal, deliver, defend, and collect the pay")
    .requiredOption("--jobs <folder>", "job files (`verde job export`) of the jobs that it may run")
    .option("--folder <folder>", "where its traces, its status and its log are; default: the user's state folder")
    .option("--tasks <n>", "how many tasks it carries at the same time", "1")
    .option("--every <time>", "how often to look", "4s")
    .option("--backend <name>", "runs and replays the jobs; default: what `verde run` takes")
    .option("--committee <address>", "a further committee to trust; may be repeated", trusts, [])
    .option("--game <address>", "a further game to trust; may be repeated", trusts, [])
    .option("--fault <fault>", "a drill: deviate in each run, as `verde run --fault` does")
    .option(
      "--operator <address>",
      "who runs it: name the same one for all your accounts; default: the account",
      operator,
    ) // prettier-ignore
    .option("--drawn-only", "take only tasks for which the client has drawn it among those that offered")
    .option("--until-idle", "end when all tasks that it has taken are over");
  const onNetwork = addTokenOption(addNetworkOptions(run));
  addRiskOptions(addThreadsOption(addWatchOptions(addSendOptions(onNetwork)))).action(runProvider);
  registerStatus(group);
  registerDoctor(group);
}

async function runProvider(given: Flags): Promise<void> {
  const folder = folderOf(given);
  // Two providers of one user have two keys.
  const flags = { ...given, nkey: given.nkey ?? join(folder, "network.nkey") };
  const most = Number(flags.tasks);
  if (!/^[1-9]\d{0,3}$/.test(flags.tasks))
    throw new UsageError("VALUE", `--tasks ${flags.tasks} is no number of tasks; write one from 1 to 9999`);
  await makeFolder(folder, 0o700);
  const lock = takeLock(join(folder, LOCK_FILE), folder);
  const metrics = flags.metrics === undefined ? undefined : await providerMetrics();
  let unready: string | undefined = "the chain was not read yet";
  const say = sayer(join(folder, LOG_FILE), flags);
  const networks = await networksOf(flags);
  const signal = endSignal();
  // The traces and the chain are opened while it can already be asked whether it lives.
  const watched = await watchService(
    flags,
    "verde-provider",
    async () => metrics!.registry,
    () => unready,
  ).catch((error: unknown) => {
    lock.release();
    throw error;
  });
  try {
    const session = await openSession(flags, { agreement: "majority", onDissent: say });
    const { deployment } = session;
    const sender = await Sender.open(session, flags);
    const trusted = (own: Address | undefined, more: readonly Address[]): Address[] => [...(own ? [own] : []), ...more];
    const state = {
      process: process.pid,
      account: sender.address,
      manager: deployment.manager,
      chainId: deployment.chainId,
    };
    // One after the other: an older status must not replace a newer one.
    let written = Promise.resolve();
    const onStatus = (tasks: readonly TaskStatus[]): void => {
      const text = `${JSON.stringify({ schemaVersion: 1, ...state, tasks })}\n`;
      written = written
        .then(() => replaceFile(join(folder, STATUS_FILE), text))
        .catch((error: unknown) => say(messageOf(error)));
    };
    onStatus([]);
    say(
      `provider ${sender.address} is looking for tasks${watched.url === undefined ? "" : `, and can be asked at ${watched.url}`}`,
    );
    const presence = await presenceOf(session, networks, flags, say);
    await provide({
      session,
      account: accountOf(sender, metrics?.sent),
      jobs: flags.jobs,
      folder,
      conditions: {
        policy: await policyFrom(session, flags),
        accepted: flags.acceptRisk,
        committees: trusted(deployment.committee, flags.committee),
        games: trusted(deployment.game, flags.game),
      },
      most,
      command: ownCommand(),
      runOptions: [...(flags.backend === undefined ? [] : ["--backend", flags.backend]), ...(flags.fault === undefined ? [] : ["--fault", flags.fault])], // prettier-ignore
      ...(flags.backend !== undefined && { backend: flags.backend }),
      ...(presence && { presence }),
      confirmations: flags.confirmations,
      everyMillis: 1000 * Math.max(parseDuration(flags.every), 1),
      untilIdle: flags.untilIdle ?? false,
      signal,
      onStatus: (tasks) => {
        metrics?.tasks(tasks);
        onStatus(tasks);
      },
      onLook: (trouble) => {
        unready = trouble;
        metrics?.looked(trouble === undefined);
      },
      say,
    });
    await written;
    say(`provider ${sender.address} has ended`);
  } finally {
    await networks.close();
    lock.release();
    await watched.close();
  }
  // A defence that waits for its next look would keep the process alive.
  if (signal.aborted) setImmediate(() => process.exit(0));
}
