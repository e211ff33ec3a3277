/** Judges the leaves of a posted record one after the other, a while at a time. */
import { bytesToHex } from "viem";
import { messageOf, RoundsError } from "../../errors/index.ts";
import type { LeafRunner } from "../../rounds/leaf.ts";
import { seatName } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isOwners, runOf, type Statement } from "../../rounds/statement.ts";
import { type Random, systemRandom } from "../transactions/backoff.ts";
import type { Clock } from "../transactions/clock.ts";
import type { Finding, Findings } from "./findings.ts";
import type { SignedLeaves } from "./signed-leaves.ts";

/** Milliseconds of work between two looks at the chain. */
const A_WHILE = 2_000;
/** While a game is played, leaves wait for its end if one has taken longer than this, in milliseconds. */
const MOST_MEANWHILE = 300_000;

/** An audit that goes on while the chain is watched. */
export class PacedAudit {
  /** What was found so far, in the order of rounds and seats; what needs no execution comes first. */
  readonly found: Finding[] = [];
  /** Leaves that were judged. */
  judged = 0;
  leaves: number;
  private findings: Findings;
  private record: RoundsRecord;
  private readonly left: Statement[];
  private readonly skips: (statement: Statement) => boolean;
  private hasForm = false;
  /** Milliseconds that the longest execution has taken. */
  private longest = 0;
  private isPaused = false;

  /** @param skips whether a leaf need not be executed again */
  constructor(record: RoundsRecord, findings: Findings, skips: (statement: Statement) => boolean) {
    this.record = record;
    this.findings = findings;
    this.skips = skips;
    const inOrder = [...record.all].sort((a, b) => a.round - b.round || a.seat - b.seat);
    this.left = inOrder.filter((statement) => !record.isAbsent(statement) && !skips(statement));
    this.leaves = this.left.length;
  }

  get isDone(): boolean {
    return this.hasForm && this.left.length === 0;
  }

  /** Whether it goes on at the next look. */
  get isMoving(): boolean {
    return !this.isDone && !this.isPaused;
  }

  /**
   * Judges leaves again whose signatures are spoiled in the record, and were shown on the chain.
   * @param seen the signatures that were seen
   */
  regain(seen: SignedLeaves): void {
    const { record } = this;
    for (const { kind, ...place } of this.found) {
      const listed = kind === "demand" ? record.at(place) : undefined;
      if (!listed || isOwners(record.plan, record.instance, listed)) continue;
      const signature = seen.signatureOf(place, bytesToHex(runOf(record.plan, listed)));
      if (!signature) continue;
      const statement = { ...listed, signature };
      record.replace(statement);
      this.hasForm = false;
      if (this.skips(statement)) continue;
      this.left.push(statement);
      this.leaves++;
    }
  }

  /** Continues with the same record after its folder was changed: what was missing may be there. */
  renew(record: RoundsRecord, findings: Findings): void {
    this.record = record;
    this.findings = findings;
    this.hasForm = false;
    this.found.splice(0, Infinity, ...this.found.filter(({ kind }) => kind !== "demand"));
  }

  /**
   * Goes on for a while, or for one leaf.
   * @param say is told of each leaf that can't be judged
   * @param isPlaying whether moves of a game may be due: nothing else is done while a leaf is executed, so
   *   long ones wait
   * @param random chooses which places are demanded first
   */
  async goOn(
    runner: LeafRunner,
    clock: Clock,
    say: (sentence: string) => void,
    isPlaying = false,
    random: Random = systemRandom,
  ): Promise<void> {
    if (!this.hasForm) this.found.push(...(await this.findings.ofForm(random)));
    this.hasForm = true;
    this.isPaused = isPlaying && this.longest > MOST_MEANWHILE;
    for (const until = clock.now() + A_WHILE; !this.isPaused && this.left.length > 0 && clock.now() < until; ) {
      const [statement] = this.left;
      const began = clock.now();
      try {
        const found = await this.findings.ofComputation(statement, runner);
        if (found) this.found.push(found);
      } catch (error) {
        if (!(error instanceof RoundsError)) throw error;
        const name = seatName(this.record.plan, statement.seat);
        say(`${name} of round ${statement.round} is not judged: ${messageOf(error)}`);
      }
      this.longest = Math.max(this.longest, clock.now() - began);
      this.left.shift();
      this.judged++;
    }
  }
}
