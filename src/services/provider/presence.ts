/**
 * A provider on a network: it says that it is there, offers for wanted tasks, takes only what it was drawn
 * for, and answers for its finished runs. The chain does not depend on it: without the network a provider
 * still commits, reveals, delivers and defends.
 */
import { type Hex, isAddressEqual } from "viem";
import type { ClaimStore } from "../../claims/store.ts";
import { messageOf } from "../../errors/index.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { taskIdOf } from "../../settlement/commitment.ts";
import { ABIS } from "../../settlement/contracts.ts";
import type { Statement } from "../../settlement/identity.ts";
import { parsePosted } from "../../settlement/posted.ts";
import type { Session } from "../../settlement/session.ts";
import type { TaskView } from "../../settlement/task.ts";
import { HostedParty } from "../hosted-party.ts";
import { lookAgain } from "../look-again.ts";
import { drawn, drawProblem, type Offer } from "../network/draw.ts";
import { KeptNotes } from "../network/kept-notes.ts";
import type { NetworkKey } from "../network/key.ts";
import type { Body } from "../network/messages.ts";
import { type Note, Notes } from "../network/notes.ts";
import { answerFor } from "../network/party.ts";
import { Trusted } from "../network/trusted.ts";
import type { Ending, Transport } from "../transport/transport.ts";

/** Seconds that a sign of life holds, and that it is known who answers for a claim. */
const ALIVE_SECONDS = 90;
const PROVER_SECONDS = 3_600;
/** Seconds after the end of the offers until a provider that hears nothing offers elsewhere. */
const FORGET_SECONDS = 600;
const LONGEST_PAUSE = 30_000;

export interface PresenceOptions {
  /** Opens the network. It is tried again until it works. */
  open(): Promise<Transport>;
  key: NetworkKey;
  /** Whose the key is: the provider's account. */
  statement: Statement;
  session: Session;
  /** The keys with which answers about runs are signed. */
  claims: ClaimStore;
  backend?: string;
  everyMillis: number;
  /** Whether only tasks are taken for which the provider was drawn. */
  drawnOnly: boolean;
  say(sentence: string): void;
}

/** What the provider can do, for a sign of life and for offers. */
export interface Capacity {
  tasks: number;
  most: number;
  /** Why it would not take a task with these terms; `undefined` if it would. */
  objection(view: TaskView): Promise<string | undefined>;
}

interface Answering {
  readonly party: HostedParty;
  readonly end: Ending;
  readonly root: Hex;
}

export class Presence {
  private readonly options: PresenceOptions;
  private network: { readonly transport: Transport; readonly notes: Notes } | undefined;
  private readonly trusted: Trusted;
  private readonly answering = new Map<Hex, Answering>();
  /**
   * Tasks that it has offered for and has not taken yet: until when it waits for them, in seconds since 1970.
   */
  private readonly offered = new Map<
    Hex,
    { readonly until: number; readonly seats: number; readonly author: string }
  >();
  private readonly kept = new KeptNotes();
  /** Why it does not offer for tasks, as it was said. */
  private readonly refused = new Map<Hex, string>();

  constructor(options: PresenceOptions) {
    this.options = options;
    this.trusted = new Trusted(options.session);
  }

  /** Says that it is there, and offers, until the signal. Whatever fails is told once. */
  async run(signal: AbortSignal, capacity: () => Capacity): Promise<void> {
    const restored = "the network can be reached again";
    await lookAgain({ ...this.options, longestMillis: LONGEST_PAUSE, signal, restored }, async () => {
      await this.beat(capacity());
      return false;
    });
    await this.close();
  }

  /** Why a task on the chain is not for this provider; `undefined` if it is. */
  async objection(view: TaskView): Promise<string | undefined> {
    try {
      return await this.objectionTo(view);
    } catch (error) {
      return `it can't be read who was drawn for it: ${messageOf(error)}`;
    }
  }

  private async objectionTo({ id, terms }: TaskView): Promise<string | undefined> {
    const wanted = await this.wantedBy(id, terms.client);
    if (!wanted) return this.options.drawnOnly ? "its client has not drawn its providers" : undefined;
    const draw = (await (await this.board()).read("draws")).find(
      ({ author, body }) => author === wanted.author && body.task === id,
    );
    if (!draw) return "its client has not drawn its providers yet";
    const { client } = this.options.session;
    const problem = await drawProblem(client, draw.body, { salt: terms.salt, closes: wanted.body.closes });
    if (problem !== undefined) return `the draw of its providers does not hold: ${problem}`;
    const chosen = drawn(draw.body.offers, terms.providers, draw.body, draw.body.together);
    return this.isAmong(chosen) ? undefined : "others were drawn for it";
  }

  /** The provider carries a task: it no longer waits for the draw. */
  taken(task: Hex): void {
    this.offered.delete(task);
  }

  /** Answers for a finished run, as long as its task is not over. */
  async answerFor(task: Hex, trace: string, root: Hex): Promise<void> {
    if (this.answering.has(task)) return;
    const { key, claims, backend } = this.options;
    const { transport } = await this.reach();
    const party = new HostedParty({ trace, claims, ...(backend !== undefined && { backend }) });
    const end = await answerFor(transport, key, party, task);
    this.answering.set(task, { party, end, root });
    await this.tell(task, root);
  }

  /** Ends what `answerFor` began. */
  async release(task: Hex): Promise<void> {
    const known = this.answering.get(task);
    this.answering.delete(task);
    this.offered.delete(task);
    this.kept.forget("provers", task);
    await known?.end();
    await known?.party.close();
  }

  private async close(): Promise<void> {
    for (const task of this.answering.keys()) await this.release(task);
  }

  private async reach(): Promise<{ readonly transport: Transport; readonly notes: Notes }> {
    if (this.network) return this.network;
    const transport = await this.options.open();
    return (this.network ??= { transport, notes: new Notes(transport, this.options.key) });
  }

  private async board(): Promise<Notes> {
    return (await this.reach()).notes;
  }

  private isAmong(chosen: readonly Offer[]): boolean {
    return chosen.some(({ owner }) => isAddressEqual(owner, this.owner));
  }

  private get owner() {
    return this.options.statement.owner;
  }

  private async beat(capacity: Capacity): Promise<void> {
    const { statement } = this.options;
    const { tasks, most } = capacity;
    await this.kept.post(await this.board(), "providers", undefined, { statement, tasks, most }, ALIVE_SECONDS);
    for (const [task, { root }] of this.answering) await this.tell(task, root);
    await this.settleOffers();
    const all = await (await this.board()).read("wanted");
    if (all.length === 0) return;
    const now = Number((await this.options.session.client.getBlock()).timestamp);
    for (const wanted of all) {
      if (tasks + this.offered.size >= most) return;
      if (now <= wanted.body.closes) await this.consider(wanted, capacity, wanted.body.closes - now);
    }
  }

  private async tell(task: Hex, root: Hex): Promise<void> {
    const { statement } = this.options;
    await this.kept.post(await this.board(), "provers", task, { statement, task, root }, PROVER_SECONDS);
  }

  /**
   * Offers for a task that takes offers, unless there is something against it, which is said once.
   * @param left seconds until it takes no more
   */
  private async consider({ author, body }: Note<"wanted">, { objection }: Capacity, left: number): Promise<void> {
    const { task, terms } = body;
    if (this.offered.has(task)) return;
    const { say, statement } = this.options;
    const why = (await this.forged(author, body)) ?? (await objection(viewOf(body))) ?? (await this.unpaid(body));
    if (why !== undefined) {
      if (this.refused.get(task) !== why) say(`task ${task} is not offered for: ${why}`);
      this.refused.set(task, why);
      return;
    }
    await (await this.board()).post("offers", task, { statement, task }, FORGET_SECONDS + left);
    this.offered.set(task, { until: Date.now() / 1000 + FORGET_SECONDS, seats: termsIn(terms).providers, author });
    say(`task ${task} is offered for`);
  }

  private async forged(author: string, { statement, task, terms }: Body<"wanted">): Promise<string | undefined> {
    const posted = termsIn(terms);
    if (taskIdOf(this.options.session.deployment, posted) !== task) return "its terms are those of another task";
    return this.trusted.problem(author, statement, posted.client);
  }

  /** An offer keeps a place free, so it is made to a client that could post the task. */
  private async unpaid({ terms }: Body<"wanted">): Promise<string | undefined> {
    const { client: owner, providers, reward } = termsIn(terms);
    const { client, deployment, token } = this.options.session;
    const call = { address: deployment.token, abi: ABIS.token, functionName: "balanceOf", args: [owner] } as const;
    const wanted = BigInt(providers) * reward;
    if ((await client.readContract(call)) >= wanted) return undefined;
    return `its client does not have the reward of ${formatAmount(wanted, token)}`;
  }

  private async wantedBy(task: Hex, client: Hex): Promise<Note<"wanted"> | undefined> {
    for (const note of await (await this.board()).read("wanted"))
      if (note.body.task === task && !(await this.trusted.problem(note.author, note.body.statement, client)))
        return note;
    return undefined;
  }

  /** Forgets offers for tasks that others were drawn for, or that nobody has drawn for. */
  private async settleOffers(): Promise<void> {
    if (this.offered.size === 0) return;
    const draws = await (await this.board()).read("draws");
    for (const [task, { until, seats, author }] of this.offered) {
      const isElsewhere = draws.some(
        (draw) =>
          draw.author === author &&
          draw.body.task === task &&
          !this.isAmong(drawn(draw.body.offers, seats, draw.body, draw.body.together)),
      );
      if (isElsewhere || Date.now() / 1000 > until) this.offered.delete(task);
    }
  }
}

const termsIn = (terms: unknown) => parsePosted(JSON.stringify({ terms }), "a wanted task").terms;

/** A wanted task as it will be on the chain. */
function viewOf({ task, terms }: Body<"wanted">): TaskView {
  return { id: task, terms: termsIn(terms), state: "Open", seats: [] as TaskView["seats"] } as TaskView;
}
