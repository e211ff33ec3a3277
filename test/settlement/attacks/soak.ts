/**
 * A dispute over simulated time on a chain with a block every twelve seconds, with nodes that fail. The liars talk to the
 * chain itself, move as late as they can, and also front-run what anyone may send.
 */
import { createPublicClient, custom, numberToHex, type PublicClient } from "viem";
import type { Prover } from "../../../src/game/prover.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { defendClaim } from "../../../src/settlement/game/defence.ts";
import type { Defended } from "../../../src/settlement/game/defence-options.ts";
import type { Pace } from "../../../src/settlement/game/match.ts";
import { LogReader } from "../../../src/settlement/logs/reader.ts";
import { clientOf } from "../../../src/settlement/nodes/quorum.ts";
import { Caller } from "../../../src/settlement/transactions/caller.ts";
import type { Clock } from "../../../src/settlement/transactions/clock.ts";
import { shortLivedLog } from "../../../src/settlement/transactions/journal.ts";
import { Node } from "../../../src/settlement/transactions/node.ts";
import { Transactor } from "../../../src/settlement/transactions/transactor.ts";
import type { Witness } from "../../../src/referee/witness.ts";
import type { RpcRequest } from "../../../src/settlement/nodes/endpoint.ts";
import type { Fault, RememberedRun } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";
import { FaultyNode, type Interval, scheduleOf, seeded } from "./faulty-node.ts";
import { GameWorld } from "./game-world.ts";
import { SimulatedTime } from "./simulated-time.ts";

const SLOT_SECONDS = 12;
const JOB = tinyJob(3);

export interface SoakOptions {
  readonly seed: number;
  readonly liars: number;
  readonly nodes: number;
  readonly pace: Pace;
  /** The longest pause of a liar, in seconds. */
  readonly reluctance: number;
  /** What part of the time a node has a fault, about. */
  readonly share: number;
  /** Seconds of the longest fault of a node. */
  readonly longest: number;
  /** Seconds between two reorganizations, about. 0 for none. */
  readonly reorganizeEvery: number;
  /** Seconds for which faults are scheduled. */
  readonly seconds: number;
  /** The faults of each node, instead of a random schedule. */
  readonly schedule?: readonly Interval[];
  /** Seats that a committee has ruled against: all but one liar. Default: there is no committee. */
  readonly ruled?: boolean;
  /** Whether a liar escalates in the block before the honest side does. */
  readonly frontRun?: boolean;
  /**
   * Whether all liars claim the same. The last of them opens the claim into the true operators, with the lie in the new
   * state alone, so that its dispute leads elsewhere.
   */
  readonly equalLies?: boolean;
  /** Stands between the honest seat and its prover. */
  readonly impede?: (prover: Prover<Witness>, seconds: () => number) => Prover<Witness>;
}

export interface Soaked {
  readonly ended: Defended;
  /** Simulated seconds. */
  readonly seconds: number;
  readonly blocks: number;
  readonly reorganizations: number;
  /** Requests that met a fault. */
  readonly faults: number;
  /** What was said about trouble. */
  readonly said: readonly string[];
  /** Transactions of the honest seat that took effect. */
  readonly calls: readonly string[];
  /** When each of them took effect, in simulated seconds. */
  readonly at: readonly number[];
  /** Bit i: seat i is out. */
  readonly out: readonly boolean[];
}

/** The chain: it mines a block every slot, and now and then it drops its last blocks. */
class Blocks {
  mined = 0;
  reorganizations = 0;
  private readonly world: GameWorld;
  private readonly time: SimulatedTime;
  private readonly start: number;

  constructor(world: GameWorld, time: SimulatedTime, start: number) {
    this.world = world;
    this.time = time;
    this.start = start;
  }

  async run(random: () => number, every: number, isOver: () => boolean): Promise<void> {
    let turnAt = every === 0 ? Infinity : every * (0.5 + random());
    let dropped: { snapshot: unknown; until: number } | undefined;
    while (!isOver()) {
      await this.time.sleep(1_000 * SLOT_SECONDS);
      if (dropped && this.mined >= dropped.until) {
        await this.ask("evm_revert", dropped.snapshot);
        dropped = undefined;
        this.reorganizations++;
      } else if (!dropped && this.time.seconds > turnAt) {
        turnAt = this.time.seconds + every * (0.5 + random());
        dropped = { snapshot: await this.ask("evm_snapshot"), until: this.mined + 1 + Math.floor(3 * random()) };
      }
      await this.ask("evm_setNextBlockTimestamp", numberToHex(this.start + Math.floor(this.time.seconds)));
      await this.ask("evm_mine");
      this.mined++;
    }
  }

  private ask(method: string, ...params: unknown[]): Promise<unknown> {
    return this.time.work(() => this.world.ask(method, ...params));
  }
}

export async function soak(options: SoakOptions): Promise<Soaked> {
  const { seed, liars, pace } = options;
  const random = seeded(seed);
  const flip = (i: number): Fault => ({ step: 1 + (i % 3), at: { kernel: 2 }, element: 3 + i, flip: 0x3f000001 });
  const honest = Math.floor(random() * (liars + 1));
  const { equalLies = false } = options;
  const faults = Array.from({ length: liars + 1 }, (_, i) => (i === honest ? [] : [flip(equalLies ? 0 : i)]));
  const spared = honest === 0 ? 1 : 0;
  const ruledAgainst = faults.map((_, seat) => seat).filter((seat) => seat !== spared);
  const world = await GameWorld.open({
    job: JOB,
    commitEvery: 1,
    faults,
    pace,
    ...(equalLies && { forge: (runs) => openedElsewhere(runs, honest, flip(0).step) }),
    ...(options.ruled && { ruledAgainst }),
  });
  try {
    return await soakIn(world, honest, options, random);
  } finally {
    await world.settlement.close();
  }
}

/** The last liar says of the step in which the lie begins that all its operators are right. */
function openedElsewhere(runs: readonly RememberedRun[], honest: number, step: number): RememberedRun[] {
  const last = runs.findLastIndex((_, seat) => seat !== honest);
  const { detail } = runs[honest];
  return runs.map((run, seat) =>
    seat !== last
      ? run
      : {
          ...run,
          detail: async (at) => {
            const own = await run.detail(at);
            return at === step ? { ...own!, kernelRoots: (await detail(at))!.kernelRoots } : own;
          },
        },
  );
}

async function soakIn(world: GameWorld, honest: number, options: SoakOptions, random: () => number): Promise<Soaked> {
  const time = new SimulatedTime();
  const { timestamp } = (await world.ask("eth_getBlockByNumber", "latest", false)) as { timestamp: string };
  await world.ask("evm_setAutomine", false);
  const ask = ({ method, params = [] }: RpcRequest) => world.ask(method, ...(params as unknown[]));
  const nodes = Array.from({ length: options.nodes }, (_, i) => {
    const drawn = scheduleOf(seeded(options.seed * 31 + i), options.seconds, options.share, options.longest);
    return new FaultyNode(`node-${i + 1}`, ask, time, options.schedule ?? drawn, seeded(options.seed * 37 + i));
  });
  let over = false;
  const isOver = (): boolean => over;
  const blocks = new Blocks(world, time, Number(timestamp) + 1);
  const said: string[] = [];
  const calls: string[] = [];
  const at: number[] = [];
  const note = (what: string): void => {
    calls.push(what);
    at.push(time.seconds);
  };
  const defended = defend(world, honest, nodes, time, random, said, note, options).finally(() => (over = true));
  const others = world.runs.flatMap((_, seat) =>
    seat === honest ? [] : lie(world, seat, time, () => options.reluctance * random(), isOver),
  );
  const all = Promise.all([defended, blocks.run(random, options.reorganizeEvery, isOver), ...others]);
  const [ended] = await time.until(all);
  await world.ask("evm_setAutomine", true);
  const { seats } = await world.view();
  return {
    ended,
    seconds: time.seconds,
    blocks: blocks.mined,
    reorganizations: blocks.reorganizations,
    faults: nodes.reduce((sum, { met }) => sum + [...met.values()].reduce((a, b) => a + b, 0), 0),
    said,
    calls,
    at,
    out: seats.map(({ out }) => out),
  };
}

/** The client of the honest seat: all that it asks goes through the faulty nodes. */
function faultyClient(nodes: readonly FaultyNode[], clock: Clock): PublicClient {
  const client = clientOf(nodes, { agreement: "majority", clock });
  const request = (asked: RpcRequest) => client.request(asked as never) as Promise<unknown>;
  return createPublicClient({ transport: custom({ request }, { retryCount: 0 }), cacheTime: 0 });
}

async function defend(
  world: GameWorld,
  honest: number,
  nodes: readonly FaultyNode[],
  clock: SimulatedTime,
  random: () => number,
  said: string[],
  note: (what: string) => void,
  { impede = (prover) => prover, frontRun = false }: SoakOptions,
): Promise<Defended> {
  const { session: plain } = world.settlement;
  const client = faultyClient(nodes, clock);
  const session = { ...plain, client, source: { ...plain.source, client, logs: new LogReader(client, { clock }) } };
  const account = world.accounts[honest];
  const node = new Node(client, plain.deployment.chainId, { pollMillis: 4_000, awayMillis: 10_000, clock });
  const transactor = new Transactor(node, account, plain.deployment.chainId, shortLivedLog(), {
    confirmations: 1,
    stuckMillis: 90_000,
  });
  const caller = new Caller(session, account, transactor);
  const prover = impede(trainingProver(world.runs[honest]), () => clock.seconds);
  const own = { address: account.address, prover };
  const ended = await defendClaim(session, world.task, world.facts, own, {
    everyMillis: 6_000,
    escalate: true,
    untilDecided: true,
    confirmations: 5,
    clock,
    random,
    send: async (call) => {
      if (frontRun && call.functionName === "escalate") await clock.work(() => overtake(world, honest));
      return caller.call(call);
    },
    onCall: ({ what }) => note(what),
    onTrouble: (sentence) => void said.push(sentence),
  });
  return ended!;
}

/** A loser escalates, and its transaction is in a block at once. */
async function overtake(world: GameWorld, honest: number): Promise<void> {
  const { ruling, seats, claims } = await world.view();
  const rival = seats.find(
    ({ seat, root }) => seat !== honest && ruling!.losers & (1n << BigInt(claims.indexOf(root!))),
  );
  await world.escalate(rival!.seat);
  await world.ask("evm_mine");
}

/** A liar with a perfect connection: it sends what is due as late as it likes, and twice what anyone may send. */
async function lie(
  world: GameWorld,
  seat: number,
  time: SimulatedTime,
  pause: () => number,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    await time.sleep(1_000 * (SLOT_SECONDS / 2 + pause()));
    if (isOver()) return;
    const calls = await time.work(() => world.due(seat).catch(() => []));
    for (const call of calls) await time.work(() => world.send(seat, call));
  }
}
