/** Whose the keys on a network are: statements of wallets, verified once and remembered for a minute. */
import { type Address, isAddressEqual } from "viem";
import { identityProblem, type Statement } from "../../settlement/identity.ts";
import type { Session } from "../../settlement/session.ts";

/** How long the word of a wallet contract counts, which may change its mind, in milliseconds. */
const REMEMBER_MILLIS = 60_000;
/** The most statements that are remembered. */
const MOST = 4_096;

export class Trusted {
  private readonly session: Session;
  private readonly now: () => number;
  private readonly known = new Map<string, { readonly until: number; readonly problem: string | undefined }>();
  /** The highest number that each wallet has used, and for which key. */
  private readonly highest = new Map<string, { readonly nonce: number; readonly nkey: string }>();

  /** @param now seconds since 1970; only tests give another clock */
  constructor(session: Session, now: () => number = () => Date.now() / 1000) {
    this.session = session;
    this.now = now;
  }

  /**
   * Why a note's author does not speak for the wallet that its statement names; `undefined` if it does.
   * @param owner the wallet that it has to speak for. Default: any
   */
  async problem(author: string, statement: Statement, owner?: Address): Promise<string | undefined> {
    if (statement.nkey !== author) return "its statement is about another key";
    if (owner !== undefined && !isAddressEqual(owner, statement.owner)) return `its statement is not by ${owner}`;
    const now = this.now();
    if (statement.expiry <= now) return "it has expired";
    const name = JSON.stringify([statement.owner.toLowerCase(), statement]);
    const known = this.known.get(name);
    const problem = known && known.until > now ? known.problem : await this.verify(statement, now);
    if (this.known.size >= MOST) this.known.clear();
    if (!known || known.until <= now) this.known.set(name, { until: now + REMEMBER_MILLIS / 1000, problem });
    if (problem !== undefined) return problem;
    const wallet = statement.owner.toLowerCase();
    const highest = this.highest.get(wallet);
    if (!highest || highest.nonce <= statement.nonce)
      this.highest.set(wallet, { nonce: statement.nonce, nkey: statement.nkey });
    // The number is a time. A clock that was set back gives the same key a lower one.
    else if (highest.nkey !== statement.nkey) return "a later statement of the wallet has replaced it";
    return undefined;
  }

  private verify(statement: Statement, now: number): Promise<string | undefined> {
    const { client, deployment } = this.session;
    return identityProblem(client, deployment, statement, now);
  }
}
