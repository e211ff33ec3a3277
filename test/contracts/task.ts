/** A task on the chain of `chain.ts`, and the moves that its participants make. */
import type { Address, Hex, TransactionReceipt } from "viem";
import { challengeCommitment, type Challenged } from "../../src/settlement/commitment.ts";
import { type Chain, call, DAY, digest, NOBODY, pass, PHASES, read, STATES, UNIT } from "./chain.ts";

export interface Terms {
  client: Address;
  salt: Hex;
  job: Hex;
  stateLayout: Hex;
  steps: number;
  commitEvery: number;
  tensors: number;
  providers: number;
  maxDemands: number;
  reward: bigint;
  stake: bigint;
  bond: bigint;
  chunkPrice: bigint;
  committee: Address;
  game: Address;
  seatPolicy: Address;
  periods: Record<
    "toAccept" | "toCommit" | "toReveal" | "toChallenge" | "toJudge" | "toEscalate" | "toPlay" | "toAnswer",
    number
  >;
}

export interface Resolution {
  dispute: bigint;
  claims: readonly Hex[];
  losers: bigint;
  verdict: Hex;
}

export interface Demand {
  tensor: number;
  chunk: number;
  root: Hex;
  deadline: number;
  tensorType: Hex;
}

export const STAKE = 100n * UNIT;
export const BOND = 50n * UNIT;
export const REWARD = 10n * UNIT;
export const PRICE = 1n * UNIT;
export const TRUTH = digest("the run root of an honest run");
export const LIE = digest("another run root");

/** Two providers, two days or less in every state; the client is account 1. */
export function termsOf(chain: Chain, changes: Partial<Terms> = {}): Terms {
  return {
    client: chain.accounts[1],
    salt: digest("salt of the terms"),
    job: digest("job"),
    stateLayout: digest("layout"),
    steps: 5,
    commitEvery: 2,
    tensors: 3,
    providers: 2,
    maxDemands: 3,
    reward: REWARD,
    stake: STAKE,
    bond: BOND,
    chunkPrice: PRICE,
    committee: chain.committee,
    game: NOBODY,
    seatPolicy: NOBODY,
    periods: {
      toAccept: DAY,
      toCommit: 2 * DAY,
      toReveal: DAY,
      toChallenge: DAY,
      toJudge: DAY,
      toEscalate: DAY,
      toPlay: 2 * DAY,
      toAnswer: DAY,
    },
    ...changes,
  };
}

/** The first provider is account 2, the first challenger account 2 + providers. */
export class Play {
  readonly chain: Chain;
  readonly terms: Terms;
  readonly id: Hex;

  private constructor(chain: Chain, terms: Terms, id: Hex) {
    this.chain = chain;
    this.terms = terms;
    this.id = id;
  }

  static async of(chain: Chain, changes: Partial<Terms> = {}): Promise<Play> {
    const terms = termsOf(chain, changes);
    return new Play(chain, terms, await read<Hex>(chain, "manager", "taskId", [terms]));
  }

  owner(seat: number): Address {
    return this.chain.accounts[2 + seat];
  }

  private manager(account: Address, name: string, args: readonly unknown[], value = 0n): Promise<TransactionReceipt> {
    return call(this.chain, account, "manager", name, args, value);
  }

  post = () => this.manager(this.terms.client, "post", [this.terms]);
  accept = (seat: number) => this.manager(this.owner(seat), "accept", [this.id]);
  compare = () => this.manager(this.chain.accounts[7], "compare", [this.id]);
  expire = () => this.manager(this.chain.accounts[7], "expire", [this.terms]);
  finalize = () => this.manager(this.chain.accounts[7], "finalize", [this.terms]);
  enforce = (ruling: Resolution) => this.manager(this.chain.accounts[7], "enforce", [this.terms, ruling]);
  claim = (owner: Address) => call(this.chain, this.chain.accounts[7], "vault", "claim", [owner]);

  salt(seat: number): Hex {
    return digest(`salt of seat ${seat}`);
  }

  commitment(seat: number, root: Hex): Promise<Hex> {
    return read<Hex>(this.chain, "manager", "commitmentOf", [this.id, this.owner(seat), root, this.salt(seat)]);
  }

  async commit(seat: number, root: Hex): Promise<TransactionReceipt> {
    return this.manager(this.owner(seat), "commit", [this.id, seat, await this.commitment(seat, root)]);
  }

  reveal(seat: number, root: Hex): Promise<TransactionReceipt> {
    return this.manager(this.owner(seat), "reveal", [this.id, seat, root, this.salt(seat)]);
  }

  /** What a challenge is against now. */
  async challenged(): Promise<Challenged> {
    const task = await read<{ seats: number; revealed: number; out: number }>(this.chain, "manager", "taskOf", [
      this.id,
    ]);
    const stands = (seat: number): boolean => (((task.revealed & ~task.out) >> seat) & 1) === 1;
    const lowest = Array.from({ length: task.seats }, (_, seat) => seat).find(stands)!;
    const [, standing] = await read<[Address, Hex]>(this.chain, "manager", "seatOf", [this.id, lowest]);
    return { task: this.id, standing };
  }

  /** A challenger's commitment. */
  async challengeHash(seat: number, root: Hex): Promise<Hex> {
    const { manager, client } = this.chain;
    const place = { manager, chainId: await client.getChainId() };
    return challengeCommitment(place, await this.challenged(), this.owner(seat), root, this.salt(seat));
  }

  /**
   * A challenge by the account that would have the next seats if all challengers revealed in this order.
   * @param value what it posts for the game, in wei
   */
  async challenge(seat: number, root: Hex, value = 0n): Promise<TransactionReceipt> {
    const { standing } = await this.challenged();
    const args = [this.terms, standing, await this.challengeHash(seat, root)];
    return this.manager(this.owner(seat), "challenge", args, value);
  }

  revealChallenge(seat: number, root: Hex): Promise<TransactionReceipt> {
    const args = [this.terms, this.owner(seat), root, this.salt(seat)];
    return this.manager(this.chain.accounts[7], "revealChallenge", args);
  }

  /** One account challenges, and reveals when the window is over. */
  async challengeAlone(seat: number, root: Hex, value = 0n): Promise<void> {
    await this.challenge(seat, root, value);
    await this.wait();
    await this.expire();
    await this.revealChallenge(seat, root);
  }

  /** @param value what it posts for the game, in wei */
  escalate(seat: number, ruling: Resolution, value = 0n): Promise<TransactionReceipt> {
    return this.manager(this.owner(seat), "escalate", [this.terms, ruling, seat], value);
  }

  /** As an authority that is a plain account. */
  resolve(account: Address, resolution: Resolution): Promise<TransactionReceipt> {
    return this.manager(account, "resolve", [this.terms, resolution]);
  }

  demand(tensor: number, chunk: number, tensorType: Hex, path: readonly Hex[]): Promise<TransactionReceipt> {
    return this.manager(this.terms.client, "demand", [this.terms, tensor, chunk, tensorType, path]);
  }

  deliver(index: number, what: Demand, proof: object): Promise<TransactionReceipt> {
    return this.manager(this.chain.accounts[7], "deliver", [this.terms, index, what, proof]);
  }

  expireDemand(index: number, what: Demand): Promise<TransactionReceipt> {
    return this.manager(this.chain.accounts[7], "expireDemand", [this.terms, index, what]);
  }

  /** From nothing to the comparison of these claims, one for each provider. */
  async claims(...roots: readonly Hex[]): Promise<void> {
    await this.post();
    for (const seat of roots.keys()) await this.accept(seat);
    for (const [seat, root] of roots.entries()) await this.commit(seat, root);
    for (const [seat, root] of roots.entries()) await this.reveal(seat, root);
    await this.compare();
  }

  /** `Disputed Judging`, or a state alone. */
  async state(): Promise<string> {
    const task = await read<{ state: number; phase: number }>(this.chain, "manager", "taskOf", [this.id]);
    return task.phase === 0 ? STATES[task.state] : `${STATES[task.state]} ${PHASES[task.phase]}`;
  }

  /** Waits until the deadline of the state has passed. */
  async wait(): Promise<void> {
    const { deadline } = await read<{ deadline: number }>(this.chain, "manager", "taskOf", [this.id]);
    const { timestamp } = await this.chain.client.getBlock();
    await pass(this.chain, Math.max(deadline - Number(timestamp), 0) + 1);
  }
}

export interface Account {
  active: bigint;
  exposed: bigint;
  unbonding: bigint;
  readyAt: number;
  credit: bigint;
}

export function accountOf(chain: Chain, owner: Address): Promise<Account> {
  return read<Account>(chain, "vault", "accountOf", [owner]);
}
