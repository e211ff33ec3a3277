/** What a step of a kernel list is on the device: an entry, its blocks, and its arguments. */
import { elementCount } from "../../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { isCounted } from "../wanted.ts";
import { Body, type Entry } from "./ptx.ts";

/** The value of a parameter: the address of a tensor or of a kernel's counter, or a word. */
export type Argument = { readonly tensor: number } | { readonly counter: number } | { readonly word: number };

/** One execution of an entry. */
export interface Launch {
  readonly entry: Entry;
  /** Blocks, which are counted along one axis. */
  readonly blocks: number;
  /** In the order of the entry's parameters. */
  readonly arguments: readonly Argument[];
}

/** An entry under construction, and the arguments of its launch. */
export class Draft {
  readonly body = new Body();
  private readonly list: KernelList;
  private readonly given: Argument[] = [];
  private readonly addresses = new Map<number, string>();
  private readonly counters = new Map<number, string>();

  constructor(list: KernelList) {
    this.list = list;
  }

  /** The number of a kernel's output. */
  outputOf(kernel: number): number {
    return this.list.inputs.length + kernel;
  }

  /** The register of a tensor's address. */
  tensor(tensor: number): string {
    let address = this.addresses.get(tensor);
    if (address === undefined) {
      this.addresses.set(tensor, (address = this.body.parameter("d")));
      this.given.push({ tensor });
    }
    return address;
  }

  /** The register of the address of a kernel's counter; absent where it has nothing to count. */
  counter(kernel: number): string | undefined {
    if (!isCounted(this.list.kernels[kernel])) return undefined;
    let address = this.counters.get(kernel);
    if (address === undefined) {
      this.counters.set(kernel, (address = this.body.parameter("d")));
      this.given.push({ counter: kernel });
    }
    return address;
  }

  /** The register of a word that is not part of the code. */
  word(value: number): string {
    this.given.push({ word: value });
    return this.body.parameter("r");
  }

  /** The number of this thread among all. Further threads end here. */
  thread(block: number, count: number): string {
    const { body } = this;
    const number = body.fresh(
      "r",
      "add.s32",
      body.fresh("r", "mul.lo.s32", body.fresh("r", "mov.u32", "%ctaid.x"), String(block)),
      body.fresh("r", "mov.u32", "%tid.x"),
    );
    body.emit(`@${body.fresh("p", "setp.ge.u32", number, String(count))} ret;`);
    return number;
  }

  /** @param count of the threads that are needed */
  launch(block: number, count: number): Launch {
    return this.blocks(block, Math.ceil(count / block));
  }

  /** @param most see `Body.finish` */
  blocks(block: number, blocks: number, most?: number): Launch {
    return { entry: this.body.finish(block, most), blocks, arguments: this.given };
  }
}

/** The number of elements of a kernel's output. */
export const elementsOf = (list: KernelList, kernel: number): number =>
  elementCount(typeOf(list, list.inputs.length + kernel).shape);
