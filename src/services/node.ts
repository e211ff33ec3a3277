/**
 * A whole network in one process, for trying things out: a local chain with the contracts, providers and
 * referees with accounts whose keys are public, and a hub that other processes of this machine reach.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { maxUint256, parseUnits } from "viem";
import { RISKY_TERMS } from "../settlement/risks.ts";
import { defaultPolicy } from "../settlement/policy.ts";
import { publicPrivateKey } from "../settlement/local/chain.ts";
import { localAccount, mintTokens, serveLocalSettlement } from "../settlement/local/settlement.ts";
import type { Session } from "../settlement/session.ts";
import { reachOver } from "./network/open.ts";
import { statementBy } from "./network/statement.ts";
import { type LocalPerson, localPerson, localProvider } from "./provider/local.ts";
import { Presence } from "./provider/presence.ts";
import { provide } from "./provider/provider.ts";
import { Bench } from "./referee/bench.ts";
import { judge } from "./referee/referee.ts";
import { serveHub } from "./transport/hub.ts";
import { InProcess } from "./transport/in-process.ts";

/** The account of the client; those of providers and referees come after it. */
const CLIENT = 1;
/** What the client and each provider start with, and what a provider stakes, in whole tokens. */
const [ENDOWMENT, STAKE] = ["1000", "500"];
const UNBONDING = 30 * 86_400;
const PATIENCE_MILLIS = 600_000;
/** How parties are named within the process. */
const HERE = "nats://here";

export interface NodeOptions {
  /** The folder with job files, and the folder of traces and of the deployment's file. */
  jobs: string;
  folder: string;
  /** Together at most 10, since there are so many accounts. */
  providers: number;
  referees: number;
  /** Ports of the chain and of the hub; 0 for any free one. */
  chainPort: number;
  hubPort: number;
  /** How `verde` is started. */
  command: readonly string[];
  backend?: string;
  everyMillis: number;
  signal: AbortSignal;
  say(sentence: string): void;
}

/** Where others reach it. */
export interface RunningNode {
  readonly chain: string;
  readonly hub: string;
  /** The file with the contracts' addresses. */
  readonly deployment: string;
  /** The private key of the client. It is public. */
  readonly clientKey: string;
  /** Resolves when everything has ended. */
  readonly ended: Promise<void>;
}

/** @throws {ChainError | BackendError} when a port is in use, or Hardhat is not installed */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { folder, providers, referees, chainPort, hubPort, signal } = options;
  await mkdir(folder, { recursive: true });
  const [first, last] = [CLIENT + 1 + providers, CLIENT + 1 + providers + referees];
  const members = range(first, last).map((index) => localAccount(index).address);
  const threshold = Math.floor(referees / 2) + 1;
  const { session, url, close } = await serveLocalSettlement(chainPort, {
    members,
    threshold,
    unbondingPeriod: UNBONDING,
  });
  const transport = new InProcess();
  const hub = await serveHub(transport, { host: "127.0.0.1", port: hubPort });
  const deployment = join(folder, "deployment.json");
  await writeFile(deployment, `${JSON.stringify(session.deployment, null, 2)}\n`);
  await mintTokens(session, localAccount(CLIENT), ENDOWMENT);
  const working = [
    ...range(CLIENT + 1, first).map((index) => startProvider(session, transport, index, options)),
    ...range(first, last).map((index) => startReferee(session, transport, index, options)),
  ];
  // A block is only made for a transaction: without others, what waits for a time would wait for ever.
  const clock = setInterval(() => void mine(session).catch(() => undefined), options.everyMillis);
  const ended = Promise.all(working).then(async () => {
    clearInterval(clock);
    await hub.close();
    await close();
  });
  signal.addEventListener("abort", () => void transport.close());
  return { chain: url, hub: hub.url, deployment, clientKey: publicPrivateKey(CLIENT), ended };
}

/** Adds an empty block, with the present time. */
const mine = (session: Session): Promise<unknown> => session.client.request({ method: "evm_mine" } as never);

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function startProvider(
  session: Session,
  transport: InProcess,
  index: number,
  options: NodeOptions,
): Promise<void> {
  const { jobs, folder, command, backend, everyMillis, signal } = options;
  const person = localPerson(session, folder, index);
  const { account, claims, key } = person;
  const say = (sentence: string): void => options.say(`provider ${account.address.slice(0, 8)}: ${sentence}`);
  await stake(session, person);
  const place = await mkdir(join(folder, `provider-${index}`), { recursive: true }).then(() => join(folder, `provider-${index}`)); // prettier-ignore
  const presence = new Presence({
    open: async () => transport,
    key,
    statement: await statementBy(account, session, key),
    session,
    claims,
    ...(backend !== undefined && { backend }),
    everyMillis,
    drawnOnly: false,
    say,
  });
  await provide({
    session,
    account: localProvider(person),
    jobs,
    folder: place,
    conditions: {
      policy: defaultPolicy("l1"),
      // Nothing of value is at stake here, so that a client may try short periods.
      accepted: RISKY_TERMS,
      committees: [session.deployment.committee],
      games: [],
    },
    most: 2,
    command,
    runOptions: backend === undefined ? [] : ["--backend", backend],
    ...(backend !== undefined && { backend }),
    presence,
    everyMillis,
    signal,
    onStatus: () => undefined,
    say,
  });
}

async function stake(session: Session, { account, caller }: LocalPerson): Promise<void> {
  await mintTokens(session, account, ENDOWMENT);
  const { vault } = session.deployment;
  await caller.call({ contract: "token", functionName: "approve", args: [vault, maxUint256] });
  const amount = parseUnits(STAKE, session.token.decimals);
  await caller.call({ contract: "vault", functionName: "deposit", args: [amount] });
}

async function startReferee(
  session: Session,
  transport: InProcess,
  index: number,
  options: NodeOptions,
): Promise<void> {
  const { folder, everyMillis, signal } = options;
  const { account, caller, claims, key } = localPerson(session, folder, index);
  const say = (sentence: string): void => options.say(`referee ${account.address.slice(0, 8)}: ${sentence}`);
  const bench = new Bench({
    session,
    network: HERE,
    reach: reachOver(async () => transport, PATIENCE_MILLIS),
    claims,
    forfeitSilent: false,
    timeout: PATIENCE_MILLIS,
  });
  await judge({ session, account, send: (call) => caller.call(call), open: async () => transport, key, bench, everyMillis, signal, say }); // prettier-ignore
}
