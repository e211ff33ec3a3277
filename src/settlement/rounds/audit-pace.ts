/** Judges the leaves of a posted record one after the other, a while at a time. */
import { bytesToHex } from "viem";
import { messageOf, RoundsError } from "../../errors/index.ts";
import type { LeafRunner } from "../../rounds/leaf.ts";
import { seatName } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isOwners, runOf, type Statement } from "../../rounds/statement.ts";
import type { Clock } from "../transactions/clock.ts";
import type { Finding, Findings } from "./findings.ts";
import type { SignedLeaves } from "./signed-leaves.ts";

/** Milliseconds of work between two looks at the chain. */
const A_WHILE = 2_000;

/** An audit that goes on while the chain is watched. */
export class PacedAudit {
  /** What was found so far, in the order of rounds and seats; what needs no execution comes first. */
  readonly found: Finding[] = [];
  /** Leaves that were judged. */
  judged = 0;
  leaves: number;
  private readonly findings: Findings;
  private readonly record: RoundsRecord;
  private readonly left: Statement[];
  private readonly skips: (statement: Statement) => boolean;
  private hasForm = false;

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

  /** Goes on for a while. @param say is told of each leaf that can't be judged */
  async goOn(runner: LeafRunner, clock: Clock, say: (sentence: string) => void): Promise<void> {
    if (!this.hasForm) this.found.push(...(await this.findings.ofForm()));
    this.hasForm = true;
    for (const until = clock.now() + A_WHILE; this.left.length > 0 && clock.now() < until; ) {
      const [statement] = this.left;
      try {
        const found = await this.findings.ofComputation(statement, runner);
        if (found) this.found.push(found);
      } catch (error) {
        if (!(error instanceof RoundsError)) throw error;
        const name = seatName(this.record.plan, statement.seat);
        say(`${name} of round ${statement.round} is not judged: ${messageOf(error)}`);
      }
      this.left.shift();
      this.judged++;
    }
  }
}
