/**
 * The audit of a run by itself. In some training steps one element of every kernel is computed again by the
 * definition, before anything commits to the step. So broken hardware, or a fault of an engine, ends a run
 * before it signs a wrong state. It takes a stated share of the time.
 */
import { machine } from "../certify/machine.ts";
import { Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { elementCount } from "../encoding/tensor.ts";
import { RunError } from "../errors/index.ts";
import type { ClosedJob, JobId } from "../job/closed.ts";
import type { ExecuteReport } from "../repops/backends/backend.ts";
import type { AuditedElement, ElementOf } from "../repops/backends/audit.ts";

/** Of the time since the run began, at most this goes into audits. */
const SHARE = 0.01;
/** A first guess of what an audit takes, in seconds: for each kernel, and for each scalar step of a fold. */
const [PER_KERNEL, PER_SCALAR_STEP] = [2e-5, 5e-8];

/** What was audited in a run. */
export interface AuditSummary {
  /** Training steps; 0 where the run was too short, or the backend can't be audited. */
  steps: number;
  /** Elements that were computed again, all with the same bits. */
  elements: number;
}

export class SelfAudit {
  readonly summary: AuditSummary = { steps: 0, elements: 0 };
  private readonly job: ClosedJob;
  private readonly jobId: JobId;
  private readonly backend: string;
  private readonly now: () => number;
  private began: number | undefined;
  private spent = 0;
  /** What the next audit will take, in seconds. */
  private expected: number;
  /** When the present training step began, and what the last one without an audit took, in seconds. */
  private stepBegan = 0;
  private plain: number | undefined;

  /** @param now a clock in milliseconds */
  constructor(job: ClosedJob, jobId: JobId, backend: string, now: () => number = () => performance.now()) {
    this.job = job;
    this.jobId = jobId;
    this.backend = backend;
    this.now = now;
    this.expected = job.step.kernels.reduce((sum, kernel) => {
      const scalarSteps = kernel.kind === "fold" ? elementCount(kernel.reduce) : 1;
      return sum + PER_KERNEL + PER_SCALAR_STEP * scalarSteps;
    }, 0);
  }

  /** The elements to compute again in a training step: none, or one of each kernel. */
  elementsIn(step: number): ElementOf[] {
    this.began ??= this.now();
    this.stepBegan = this.now();
    if (this.spent + this.expected > (SHARE * (this.stepBegan - this.began)) / 1000) return [];
    return this.job.step.kernels.flatMap(({ type }, kernel) => {
      const count = elementCount(type.shape);
      return count === 0 ? [] : [{ kernel, element: this.choose(step, kernel, count) }];
    });
  }

  /** Nobody can know it before the run has its job and step, and everybody can afterwards. */
  private choose(step: number, kernel: number, count: number): number {
    const hash = sha256(new Writer().bytes(this.jobId).u32(step).u32(kernel).finish());
    const number = new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true);
    return Number(number % BigInt(count));
  }

  /**
   * Compares what was computed twice; called after each training step.
   * @throws {RunError} for the first element with other bits
   */
  check(step: number, { audited }: ExecuteReport): void {
    const took = (this.now() - this.stepBegan) / 1000;
    if (!audited) {
      this.plain = took;
      return;
    }
    const wrong = audited.elements.find(({ expected, found }) => expected !== found);
    if (wrong) throw this.failure(step, wrong);
    this.summary.steps++;
    this.summary.elements += audited.elements.length;
    this.expected = this.costOf(took, audited.seconds);
    this.spent += this.expected;
  }

  /**
   * What an audit took: with the time by which the step was slower than others, as its kernels were executed
   * one by one. That is no more than another step; otherwise something else held up the machine.
   */
  private costOf(took: number, seconds: number): number {
    const { plain = 0 } = this;
    return seconds + Math.min(Math.max(took - plain - seconds, 0), plain);
  }

  private failure(step: number, { kernel, element, expected, found }: AuditedElement): RunError {
    const { backend } = this;
    const label = this.job.step.labels[kernel];
    const here = machine();
    const [right, wrong] = [expected, found].map((bits) => `0x${bits.toString(16).padStart(8, "0")}`);
    return new RunError(
      "AUDIT",
      `training step ${step}, operator ${kernel} (${label}): element ${element} is ${wrong} by ${backend} on this machine (${here.cpu}, ` +
        `${here.engine}), and ${right} by the definition; the run is stopped before it commits to wrong bits: test memory and processor, ` +
        "and continue with --resume once they are right, or on another machine",
      { step, kernel, label, element, expected: right, found: wrong, backend, machine: here },
    );
  }
}
