/** The place of a sweep: a chain, a hub, and each provider and referee in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { maxUint256, numberToHex, parseUnits } from "viem";
import type { ClosedJob } from "../../src/job/closed.ts";
import { serveHub } from "../../src/services/transport/hub.ts";
import { InProcess } from "../../src/services/transport/in-process.ts";
import { RISKY_TERMS } from "../../src/settlement/risks.ts";
import { publicPrivateKey } from "../../src/settlement/local/chain.ts";
import { localAccount, mintTokens, serveLocalSettlement } from "../../src/settlement/local/settlement.ts";
import type { Session } from "../../src/settlement/session.ts";
import { Caller } from "../../src/settlement/transactions/caller.ts";
import { writeJobFile } from "../../src/trace/job-file.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** The accounts of the client, of the first provider, and of the two referees. */
export const CLIENT = 1;
const FIRST = 2;
const REFEREES = [10, 11] as const;
export const MOST_PROVIDERS = REFEREES[0] - FIRST;
const UNBONDING = 60 * 86_400;
/** Requests that all processes of this machine may send a minute: they have one address. */
const PER_MINUTE = 1e9;
/** How much of what was said last is kept, in lines. */
const MOST_LINES = 400;

export interface ArenaOptions {
  readonly job: ClosedJob;
  /** The fault of each provider; `undefined` for an honest one. */
  readonly faults: readonly (string | undefined)[];
  /** The tasks that a provider carries at the same time. */
  readonly most: number;
  /** What the client and each provider start with, in whole tokens; a provider stakes half of it. */
  readonly tokens: number;
}

export class Arena {
  readonly session: Session;
  readonly network: string;
  readonly providers: readonly { readonly index: number; readonly fault?: string }[];
  /** How often processes were killed. */
  kills = 0;
  private readonly options: ArenaOptions;
  private readonly folder: string;
  private readonly url: string;
  private readonly end: () => Promise<void>;
  private readonly children = new Map<number, ChildProcess>();
  private readonly lines: string[] = [];

  private constructor(
    options: ArenaOptions,
    folder: string,
    session: Session,
    at: { url: string; network: string },
    end: () => Promise<void>,
  ) {
    this.options = options;
    this.folder = folder;
    this.session = session;
    this.url = at.url;
    this.network = at.network;
    this.end = end;
    this.providers = options.faults.map((fault, i) => ({ index: FIRST + i, ...(fault !== undefined && { fault }) }));
  }

  /** Starts the chain and the hub, and gives everybody tokens and stakes. */
  static async open(options: ArenaOptions): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), "verde-sweep-"));
    const members = REFEREES.map((index) => localAccount(index).address);
    const chain = await serveLocalSettlement(0, { members, threshold: 2, unbondingPeriod: UNBONDING });
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0, perMinute: PER_MINUTE });
    const { session } = chain;
    const end = async (): Promise<void> => {
      await hub.close();
      await chain.close();
      await rm(folder, { recursive: true, force: true });
    };
    const arena = new Arena(options, folder, session, { url: chain.url, network: hub.url }, end);
    await mkdir(join(folder, "jobs"));
    await writeJobFile(join(folder, "jobs", "job.verde"), options.job);
    await writeFile(join(folder, "deployment.json"), JSON.stringify(session.deployment));
    for (const index of [CLIENT, ...arena.providers.map((provider) => provider.index)]) {
      await mintTokens(session, localAccount(index), `${options.tokens}`);
      const caller = Caller.shortLived(session, localAccount(index));
      await caller.call({ contract: "token", functionName: "approve", args: [session.deployment.vault, maxUint256] });
      if (index === CLIENT) continue;
      const stake = parseUnits(`${options.tokens / 2}`, session.token.decimals);
      await caller.call({ contract: "vault", functionName: "deposit", args: [stake] });
    }
    return arena;
  }

  /** Starts all processes, and waits until each is on the network. */
  async begin(): Promise<void> {
    for (const { index } of this.providers) this.start(index);
    for (const index of REFEREES) this.start(index);
    const all = this.providers.length + REFEREES.length;
    while (this.lines.filter((line) => line.includes(" is on http")).length < all) {
      const gone = [...this.children].find(([, { exitCode }]) => exitCode !== null);
      if (gone) throw new Error(`the process of account ${gone[0]} has ended\n${this.said}`);
      await pause(50);
    }
  }

  /** What was said last. */
  get said(): string {
    return this.lines.join("\n");
  }

  /** Ends a provider's process at once, as a power cut does, and starts it again after a while. */
  async kill(index: number, awayMillis: number): Promise<void> {
    const child = this.children.get(index)!;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
    this.kills++;
    await pause(awayMillis);
    this.start(index);
  }

  /** Makes a block, after moving the chain's clock forward. */
  async mine(seconds = 0): Promise<void> {
    const ask = (method: string, params: unknown[]) => this.session.client.request({ method, params } as never);
    if (seconds > 0) await ask("evm_increaseTime", [numberToHex(seconds)]);
    await ask("evm_mine", []);
  }

  async close(): Promise<void> {
    for (const child of this.children.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await closed;
      clearTimeout(late);
    }
    await this.end();
  }

  private start(index: number): void {
    const { most } = this.options;
    const provider = this.providers.find((one) => one.index === index);
    const risks = RISKY_TERMS.flatMap((term) => ["--accept-risk", term]);
    const fault = provider?.fault === undefined ? [] : ["--fault", provider.fault];
    const args = provider
      ? [
          "provider",
          "run",
          "--jobs",
          join(this.folder, "jobs"),
          "--tasks",
          `${most}`,
          "--drawn-only",
          ...risks,
          ...fault,
        ]
      : ["referee", "serve", "--patience", "60s"];
    const home = join(this.folder, `${index}`);
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VERDE_"))),
      VERDE_STATE: home,
      VERDE_JOURNAL: join(home, "journal"),
      VERDE_PROGRESS: "off",
      VERDE_THREADS: "1",
      VERDE_NETWORK: this.network,
      VERDE_RPC: this.url,
      VERDE_DEPLOYMENT: join(this.folder, "deployment.json"),
      VERDE_PRIVATE_KEY: publicPrivateKey(index),
      NODE_COMPILE_CACHE: join(tmpdir(), "verde-compiled"),
    };
    const command = ["--disable-warning=ExperimentalWarning", MAIN, ...args, "--every", "1s", "--json"];
    const child = spawn(process.execPath, command, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const input of [child.stdout, child.stderr])
      createInterface({ input }).on("line", (line) => {
        this.lines.push(`${index}: ${line}`);
        if (this.lines.length > MOST_LINES) this.lines.shift();
      });
    this.children.set(index, child);
  }
}

export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));
