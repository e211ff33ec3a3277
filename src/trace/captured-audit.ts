/**
 * An audit of backends whose memory the definition can't read, such as GPUs: what some kernels read and write
 * is copied, and their elements are computed again here.
 */
import { byteLength, type Tensor } from "../encoding/tensor.ts";
import { Audit, type ElementOf } from "../repops/backends/audit.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../repops/backends/backend.ts";
import { type KernelList, operandsOf, typeOf } from "../repops/kernels/kernel.ts";

/** The most that is copied for one audit, unless one kernel alone needs more. In bytes. */
const MOST_COPIED = 2 ** 26;

export class CapturedAudit {
  private readonly list: KernelList;
  /** The place at which the next audit begins, so that every kernel has its turn. */
  private next = 0;

  constructor(list: KernelList) {
    this.list = list;
  }

  /**
   * Executes a list, and computes some of the elements again.
   * @param usual seconds of an execution without an audit
   */
  async execute(
    session: Session,
    places: readonly ElementOf[],
    options: ExecuteOptions,
    usual: number,
  ): Promise<ExecuteReport> {
    const { list } = this;
    const first = list.inputs.length;
    const { chosen, tensors } = this.choose(places);
    const outputs = [...tensors].filter((tensor) => tensor >= first).map((tensor) => tensor - first);
    const began = performance.now();
    const report = await session.execute({
      ...options,
      capture: [...new Set([...(options.capture ?? []), ...outputs])],
    });
    const known: Tensor[] = [];
    for (const kernel of outputs) known[first + kernel] = report.captured.get(kernel)!;
    for (const tensor of tensors) known[tensor] ??= await session.read(tensor);
    const audit = new Audit(chosen);
    for (const { kernel } of chosen) audit.check(kernel, list, known);
    const { elements, seconds } = audit.result().audited!;
    const taken = (performance.now() - began) / 1000 - usual;
    return { ...report, audited: { elements, seconds: Math.max(seconds, taken) } };
  }

  /** The next kernels whose tensors are little enough together, and the tensors that they need. */
  private choose(places: readonly ElementOf[]): { chosen: ElementOf[]; tensors: Set<number> } {
    const { list } = this;
    const chosen: ElementOf[] = [];
    const tensors = new Set<number>();
    let bytes = 0;
    for (let i = 0; i < places.length; i++) {
      const place = places[(this.next + i) % places.length];
      const needed = [...operandsOf(list.kernels[place.kernel]), list.inputs.length + place.kernel];
      const more = [...new Set(needed)].filter((tensor) => !tensors.has(tensor));
      bytes += more.reduce((sum, tensor) => sum + byteLength(typeOf(list, tensor)), 0);
      if (bytes > MOST_COPIED && chosen.length > 0) break;
      for (const tensor of more) tensors.add(tensor);
      chosen.push(place);
    }
    this.next = (this.next + chosen.length) % places.length;
    chosen.sort((a, b) => a.kernel - b.kernel);
    return { chosen, tensors };
  }
}
