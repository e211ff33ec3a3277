/** The definition of the operators as a backend: plain loops, in the order of the specification. */
import { type Tensor, tensorRoot, zeros } from "../../encoding/tensor.ts";
import type { Backend, ExecuteOptions, ExecuteReport, Session } from "./backend.ts";
import { checkedSession } from "./checked.ts";
import { copyOf } from "./host.ts";
import { javascriptArithmetic, probeArithmetic } from "./probe.ts";
import { rowsOutside, runDefinition } from "./definition.ts";
import { type KernelList, typeOf } from "../kernels/kernel.ts";
import { addCount, emptyReport, wantedOf } from "./wanted.ts";

/** The definition (spec 4): plain loops, one element after another. Slow. */
export const reference: Backend = {
  name: "reference",
  probe: () => probeArithmetic(javascriptArithmetic),
  prepare: (list, options) => checkedSession(list, options, async () => new ReferenceSession(list)),
};

class ReferenceSession implements Session {
  private readonly list: KernelList;
  private readonly tensors: Tensor[];

  constructor(list: KernelList) {
    this.list = list;
    this.tensors = Array.from({ length: list.inputs.length + list.kernels.length }, (_, i) => zeros(typeOf(list, i)));
  }

  async write(input: number, tensor: Tensor): Promise<void> {
    this.tensors[input].data.set(tensor.data);
  }

  async read(tensor: number): Promise<Tensor> {
    return copyOf(this.tensors[tensor]);
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const copies = pairs.map(({ from }) => this.tensors[from].data.slice());
    pairs.forEach(({ to }, i) => this.tensors[to].data.set(copies[i]));
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const wanted = wantedOf(options, this.list);
    const report = emptyReport();
    for (const [i, kernel] of this.list.kernels.entries()) {
      const out = this.tensors[this.list.inputs.length + i];
      const noted = runDefinition(kernel, this.tensors, out);
      addCount(report, this.list, i, kernel.kind === "gather" ? rowsOutside(kernel, this.tensors) : noted);
      wanted.audit.check(i, this.list, this.tensors);
      if (wanted.roots.has(i)) report.roots.set(i, tensorRoot(out));
      if (wanted.captured.has(i)) report.captured.set(i, copyOf(out));
    }
    return { ...report, ...wanted.audit.result() };
  }

  async roots(tensors: readonly number[]) {
    return tensors.map((tensor) => tensorRoot(this.tensors[tensor]));
  }

  async close(): Promise<void> {
    this.tensors.length = 0;
  }
}
