/**
 * Sessions of the backends here are used through this one, which refuses what a session can't do: a tensor of
 * another type, a number that no tensor has, any use after it was closed.
 */
import { formatType, sameShape, type Tensor, type TensorRoot } from "../../encoding/tensor.ts";
import { describe } from "../../errors/arguments.ts";
import { BackendError } from "../../errors/index.ts";
import { type KernelList, typeOf } from "../kernels/kernel.ts";
import { checkTensorType } from "../numbers/tensors.ts";
import { type ExecuteOptions, type ExecuteReport, lend, type PrepareOptions, type Session } from "./backend.ts";
import { wantedOf } from "./wanted.ts";

/**
 * A session of `list` whose calls are checked. Its checks take no time that depends on the tensors' sizes.
 * @param prepare makes the session itself
 * @throws {BackendError} for a list that is none, and for kept tensors that the list does not have
 */
export async function checkedSession(
  list: KernelList,
  options: PrepareOptions,
  prepare: (keep: readonly number[], lent: readonly number[]) => Promise<Session>,
): Promise<Session> {
  if (!Array.isArray(list?.inputs) || !Array.isArray(list.kernels))
    throw new BackendError("INPUT", `a backend prepares a list of kernels, not ${describe(list)}; pass a graph`);
  if (!Array.isArray(options?.keep))
    throw new BackendError("INPUT", `a backend is told what to keep: pass { keep: [] }, not ${describe(options)}`);
  const kept = new Set(options.keep as readonly number[]);
  for (const tensor of kept) checkTensorNumber(list, tensor);
  const lent = options.lent ?? [];
  for (const input of lent) checkInput(list, input);
  return new CheckedSession(list, kept, await prepare(options.keep as readonly number[], lent));
}

function checkTensorNumber(list: KernelList, tensor: number): void {
  const count = list.inputs.length + list.kernels.length;
  if (!Number.isInteger(tensor) || tensor < 0 || tensor >= count)
    throw new BackendError(
      "KERNEL_UNKNOWN",
      `there is no tensor ${describe(tensor)}; the list has ${count}, numbered from 0`,
      { tensor, count },
    );
}

function checkInput({ inputs: { length } }: KernelList, input: number): void {
  if (Number.isInteger(input) && input >= 0 && input < length) return;
  throw new BackendError("INPUT", `there is no input ${describe(input)}; the list has ${length}, numbered from 0`, {
    input,
  });
}

class CheckedSession implements Session {
  private readonly list: KernelList;
  private readonly kept: ReadonlySet<number>;
  private session: Session | undefined;
  /** Outputs whose contents were moved into inputs since the last execution. */
  private readonly moved = new Set<number>();

  constructor(list: KernelList, kept: ReadonlySet<number>, session: Session) {
    this.list = list;
    this.kept = kept;
    this.session = session;
  }

  private get open(): Session {
    if (this.session) return this.session;
    throw new BackendError("CLOSED", "the session is closed, so it has no tensors any more; prepare a new one");
  }

  async write(input: number, tensor: Tensor): Promise<void> {
    const { open } = this;
    this.expectFits(input, tensor);
    await open.write(input, tensor);
  }

  async lend(input: number, tensor: Tensor): Promise<void> {
    const { open } = this;
    this.expectFits(input, tensor);
    await lend(open, input, tensor);
  }

  private expectFits(input: number, tensor: Tensor): void {
    checkInput(this.list, input);
    checkTensorType(tensor, `input ${input}`);
    const type = this.list.inputs[input];
    if (tensor.dtype !== type.dtype || !sameShape(tensor.shape, type.shape))
      throw new BackendError(
        "INPUT",
        `input ${input} is ${formatType(type)}, and can't be written with ${formatType(tensor)}; convert it first`,
        { input, expected: formatType(type), found: formatType(tensor) },
      );
  }

  async read(tensor: number): Promise<Tensor> {
    const { open } = this;
    this.expectThere(tensor);
    return open.read(tensor);
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const { open } = this;
    for (const { from, to } of pairs) {
      this.expectThere(from);
      checkInput(this.list, to);
      const [source, target] = [typeOf(this.list, from), this.list.inputs[to]];
      if (source.dtype !== target.dtype || !sameShape(source.shape, target.shape))
        throw new BackendError("INPUT", `tensor ${from} and input ${to} differ in type; move between equal types`);
    }
    for (const { from } of pairs) if (from >= this.list.inputs.length) this.moved.add(from);
    await open.move(pairs);
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const { open } = this;
    wantedOf(options, this.list);
    this.moved.clear();
    return open.execute(options);
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    const { open } = this;
    for (const tensor of tensors) this.expectThere(tensor);
    return open.roots(tensors);
  }

  /** Further calls have no effect. */
  async close(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await session?.close();
  }

  /** The memory of any other tensor may hold another one's elements. */
  private expectThere(tensor: number): void {
    checkTensorNumber(this.list, tensor);
    if (this.moved.has(tensor))
      throw new BackendError(
        "MOVED",
        `tensor ${tensor} was moved into an input, so it has no contents; read the input, or execute first`,
        { tensor },
      );
    if (tensor < this.list.inputs.length || this.kept.has(tensor)) return;
    throw new BackendError("KERNEL_UNKNOWN", `tensor ${tensor} is not kept, so it can't be read; name it in keep`, {
      tensor,
    });
  }
}
