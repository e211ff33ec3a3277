/**
 * A backend that changes the output of one kernel of one list. The list runs as two lists: the kernels up to
 * the struck one, then the kernels after it, which read the changed output. From outside it is one list with
 * its own numbers.
 */
import { type Tensor, tensorRoot, type TensorRoot, zeros } from "../../encoding/tensor.ts";
import type { Fallback, Backend, ExecuteOptions, ExecuteReport, Session } from "../../repops/backends/backend.ts";
import { inOrder } from "../../repops/backends/in-order.ts";
import { emptyReport, wantedOf } from "../../repops/backends/wanted.ts";
import { type KernelList, operandsOf, renumberOperands, typeOf } from "../../repops/kernels/kernel.ts";

/** One kernel of one list, and the change to its output. */
export interface Strike {
  /** The list, compared by identity. Any other list runs unchanged. */
  list: KernelList;
  kernel: number;
  /** Alters the output in place; any bit pattern may be there afterwards. */
  change(output: Tensor): void;
}

/**
 * The backend with one kernel struck. Every later kernel, and all roots and captures, see the changed output.
 * @throws {BackendError} from `prepare`, when one of the halves can't run
 */
export function struckBackend(backend: Backend, strike: Strike): Backend {
  return {
    name: backend.name,
    prepare: (list, options) =>
      list === strike.list
        ? StruckSession.prepare(backend, strike, options.keep).then(inOrder)
        : backend.prepare(list, options),
  };
}

/** Consecutive kernels as a list of their own. */
interface Half {
  first: number;
  count: number;
  /** The tensors of the whole list that this half reads and does not make. */
  reads: readonly number[];
  /** The tensors of the whole list that this half makes and that are read after it or kept. */
  gives: readonly number[];
  /** The number in this half of a tensor of the whole list. */
  own(tensor: number): number;
  session: Session;
}

class StruckSession implements Session {
  private readonly strike: Strike;
  private readonly halves: readonly Half[];
  /** Inputs and the results of the last execution, by number. */
  private readonly values = new Map<number, Tensor>();

  private constructor(strike: Strike, halves: readonly Half[]) {
    this.strike = strike;
    this.halves = halves;
    for (const [input, type] of strike.list.inputs.entries()) this.values.set(input, zeros(type));
  }

  static async prepare(backend: Backend, strike: Strike, keep: readonly number[]): Promise<StruckSession> {
    const { list, kernel } = strike;
    // What can't run as a whole is refused with the numbers of the whole.
    await (await backend.prepare(list, { keep })).close();
    const halves: Half[] = [];
    try {
      const bounds = [0, kernel + 1, list.kernels.length];
      for (const [i, first] of bounds.slice(0, -1).entries())
        if (first < bounds[i + 1]) halves.push(await prepareHalf(backend, list, first, bounds[i + 1], keep));
    } catch (error) {
      for (const { session } of halves) await session.close();
      throw error;
    }
    return new StruckSession(strike, halves);
  }

  async write(input: number, { dtype, shape, data }: Tensor): Promise<void> {
    this.values.set(input, { dtype, shape, data: data.slice() });
  }

  async read(tensor: number): Promise<Tensor> {
    const value = this.values.get(tensor) ?? zeros(typeOf(this.strike.list, tensor));
    return { ...value, data: value.data.slice() };
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const copies = await Promise.all(pairs.map(({ from }) => this.read(from)));
    pairs.forEach(({ to }, i) => this.values.set(to, copies[i]));
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const { list, kernel: struck, change } = this.strike;
    const wanted = wantedOf(options, list);
    const report = emptyReport();
    for (const { first, count, reads, gives, own, session } of this.halves) {
      const inside = (kernels: ReadonlySet<number>): number[] =>
        [...kernels].filter((kernel) => kernel >= first && kernel < first + count).map((kernel) => kernel - first);
      for (const tensor of reads) await session.write(own(tensor), this.values.get(tensor)!);
      const ran = await session.execute({ rootsOf: inside(wanted.roots), capture: inside(wanted.captured) });
      for (const tensor of gives) this.values.set(tensor, await session.read(own(tensor)));
      for (const { kernel, count: times } of ran.outOfRange)
        report.outOfRange.push({ kernel: first + kernel, count: times });
      for (const found of ran.noted ?? []) report.noted.push({ ...found, kernel: first + found.kernel });
      for (const [kernel, root] of ran.roots) report.roots.set(first + kernel, root);
      for (const [kernel, tensor] of ran.captured) report.captured.set(first + kernel, tensor);
      if (ran.fallback) report.fallback = joined(report.fallback, ran.fallback, first);
      if (first !== 0) continue;
      const output = list.inputs.length + struck;
      change(this.values.get(output)!);
      // The struck kernel is the last of its half, so the maps keep the order of the list.
      if (wanted.roots.has(struck)) report.roots.set(struck, tensorRoot(this.values.get(output)!));
      if (wanted.captured.has(struck)) report.captured.set(struck, await this.read(output));
    }
    return report;
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return Promise.all(tensors.map(async (tensor) => tensorRoot(await this.read(tensor))));
  }

  async close(): Promise<void> {
    for (const { session } of this.halves) await session.close();
    this.values.clear();
  }
}

/** Kernels `first` to `end - 1` of a list. */
async function prepareHalf(
  backend: Backend,
  list: KernelList,
  first: number,
  end: number,
  keep: readonly number[],
): Promise<Half> {
  const [from, to] = [list.inputs.length + first, list.inputs.length + end];
  const kernels = list.kernels.slice(first, end);
  const reads = [...new Set(kernels.flatMap(operandsOf))].filter((tensor) => tensor < from);
  const after = new Set([...list.kernels.slice(end).flatMap(operandsOf), ...keep, to - 1]);
  const gives = [...after].filter((tensor) => tensor >= from && tensor < to);
  const places = new Map(reads.map((tensor, i) => [tensor, i]));
  const own = (tensor: number): number => (tensor < from ? places.get(tensor)! : tensor - from + reads.length);
  const half: KernelList = {
    inputs: reads.map((tensor) => typeOf(list, tensor)),
    kernels: kernels.map((kernel) => renumberOperands(kernel, own)),
  };
  const session = await backend.prepare(half, { keep: gives.map(own) });
  return { first, count: kernels.length, reads, gives, own, session };
}

/** Both halves may leave kernels to a fallback backend. */
function joined(before: Fallback | undefined, { backend, kernels, seconds }: Fallback, first: number): Fallback {
  const numbers = kernels.map((kernel) => first + kernel);
  return { backend, kernels: [...(before?.kernels ?? []), ...numbers], seconds: (before?.seconds ?? 0) + seconds };
}
