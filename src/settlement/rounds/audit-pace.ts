/** Judges the leaves of a posted record one after the other, a while at a time. */
import { messageOf, RoundsError } from "../../errors/index.ts";
import type { LeafRunner } from "../../rounds/leaf.ts";
import { seatName } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { Statement } from "../../rounds/statement.ts";
import type { Clock } from "../transactions/clock.ts";
import type { Finding, Findings } from "./findings.ts";

/** Milliseconds of work between two looks at the chain. */
const A_WHILE = 2_000;

/** An audit that goes on while the chain is watched. */
export class PacedAudit {
  /** What was found so far, in the order of rounds and seats; what needs no execution comes first. */
  readonly found: Finding[] = [];
  /** Leaves that were judged. */
  judged = 0;
  readonly leaves: number;
  private readonly findings: Findings;
  private readonly record: RoundsRecord;
  private readonly left: Statement[];
  private hasForm = false;

  /** @param skips whether a leaf need not be executed again */
  constructor(record: RoundsRecord, findings: Findings, skips: (statement: Statement) => boolean) {
    this.record = record;
    this.findings = findings;
    const inOrder = [...record.all].sort((a, b) => a.round - b.round || a.seat - b.seat);
    this.left = inOrder.filter((statement) => !record.isAbsent(statement) && !skips(statement));
    this.leaves = this.left.length;
  }

  get isDone(): boolean {
    return this.hasForm && this.left.length === 0;
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
