/** The tasks of a sweep: how they are drawn and posted, and when each came to its states, by this machine's clock. */
import { bytesToHex, type Hex } from "viem";
import { TransportError } from "../../src/errors/index.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { drawProviders } from "../../src/services/client/draw-providers.ts";
import { drawSaltOf } from "../../src/settlement/secrets.ts";
import { NetworkKey } from "../../src/services/network/key.ts";
import { Notes } from "../../src/services/network/notes.ts";
import { Networks } from "../../src/services/network/open.ts";
import { statementBy } from "../../src/services/network/statement.ts";
import { taskIdOf } from "../../src/settlement/commitment.ts";
import type { Statement } from "../../src/settlement/identity.ts";
import { jobTermsOf } from "../../src/settlement/job-terms.ts";
import { localAccount } from "../../src/settlement/local/settlement.ts";
import { STATES, taskEvents, type State } from "../../src/settlement/task.ts";
import { termsOf } from "../../src/settlement/terms.ts";
import { Caller } from "../../src/settlement/transactions/caller.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { type Arena, CLIENT } from "./arena.ts";
import { COMMIT_EVERY } from "./job.ts";

/** Seconds that are waited for offers, longer where too few come. */
const OFFERS = [4, 12, 40, 120];
/** Seconds in which a claim may be challenged: the shortest that the contracts take. */
export const TO_CHALLENGE = 60;
/** The states in which a task waits for nothing but the end of its challenge window. */
const QUIET: ReadonlySet<State> = new Set(["Challengeable", "Settled", "Final", "Refunded"]);
const OVER: ReadonlySet<State> = new Set(["Final", "Refunded"]);

/** A posted task. Times are in milliseconds, by the clock of the process. */
export interface Followed {
  readonly id: Hex;
  readonly began: number;
  state: State;
  /** When it was first seen in each state. */
  readonly seen: Map<State, number>;
  /** When the last dispute was over. */
  decided?: number;
}

export class TaskBoard {
  readonly tasks: Followed[] = [];
  private readonly arena: Arena;
  private readonly job: ClosedJob;
  private readonly seats: number;
  private readonly reward: bigint;
  private readonly networks = new Networks();
  private readonly key = NetworkKey.make();
  private statement: Promise<Statement> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(arena: Arena, job: ClosedJob, seats: number) {
    this.arena = arena;
    this.job = job;
    this.seats = seats;
    this.reward = 10n * 10n ** BigInt(arena.session.token.decimals);
  }

  /** Draws providers and posts a task, which the client pays for. */
  async submit(random: (limit: number) => number): Promise<void> {
    const { session } = this.arena;
    const client = localAccount(CLIENT);
    this.statement ??= statementBy(client, session, this.key);
    const statement = await this.statement;
    const began = performance.now();
    for (const [tries, seconds] of OFFERS.entries()) {
      const secret = bytesToHex(Uint8Array.from({ length: 32 }, () => random(256)));
      const terms = termsOf(jobTermsOf(outlineOf(this.job), COMMIT_EVERY), {
        client: client.address,
        reward: this.reward,
        providers: this.seats,
        committee: session.deployment.committee,
        salt: drawSaltOf(secret),
        periods: { toChallenge: TO_CHALLENGE },
      });
      const task = taskIdOf(session.deployment, terms);
      const notes = new Notes(await this.networks.at(this.arena.network), this.key);
      try {
        const nudge = (): Promise<void> => this.arena.mine();
        await drawProviders({ session, notes, statement, task, terms, secret, seconds, together: false, nudge });
      } catch (error) {
        if (!(error instanceof TransportError) || tries === OFFERS.length - 1) throw error;
        continue;
      }
      await this.inTurn(() =>
        Caller.shortLived(session, client).call({ contract: "manager", functionName: "post", args: [terms] }),
      );
      this.tasks.push({ id: task, began, state: "Open", seen: new Map() });
      return;
    }
  }

  /** Looks where all tasks are. */
  async look(): Promise<void> {
    const known = new Map(this.tasks.map((task) => [task.id, task]));
    const states = new Map<Hex, State[]>();
    for (const event of await taskEvents(this.arena.session.source, null))
      if (event.eventName === "TaskMoved")
        states.set(event.args.task, [...(states.get(event.args.task) ?? []), STATES[event.args.state]]);
    const now = performance.now();
    for (const [id, passed] of states) {
      const task = known.get(id);
      if (!task) continue;
      for (const state of passed) if (!task.seen.has(state)) task.seen.set(state, now);
      task.state = passed.at(-1)!;
      if (passed.includes("Disputed") && QUIET.has(task.state)) task.decided ??= now;
    }
  }

  get isQuiet(): boolean {
    return this.tasks.every(({ state }) => QUIET.has(state));
  }

  get isOver(): boolean {
    return this.tasks.every(({ state }) => OVER.has(state));
  }

  close(): Promise<void> {
    return this.networks.close();
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.turn.then(action);
    this.turn = done.catch(() => undefined);
    return done;
  }
}
