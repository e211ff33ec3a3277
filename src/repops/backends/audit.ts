/** Elements of outputs that the definition computes again, directly after their kernels have run. */
import { elementBits, type Tensor } from "../../encoding/tensor.ts";
import type { KernelList } from "../kernels/kernel.ts";
import { patternOf } from "../numbers/elements.ts";
import { definitionOf } from "./definition.ts";

/** An element of a kernel's output, by its row-major number. */
export interface ElementOf {
  kernel: number;
  element: number;
}

/** An element that was computed twice, as bit patterns. */
export interface AuditedElement extends ElementOf {
  /** By the definition. */
  expected: number;
  /** By the backend. */
  found: number;
}

/** The audited elements in the list's order, and what it took to compute them again. */
export interface Audited {
  elements: readonly AuditedElement[];
  seconds: number;
}

/** Collects what the definition says about the elements that an execution was asked to audit. */
export class Audit {
  private readonly places = new Map<number, number>();
  private readonly elements: AuditedElement[] = [];
  private seconds = 0;

  constructor(places: readonly ElementOf[]) {
    for (const { kernel, element } of places) this.places.set(kernel, element);
  }

  get isWanted(): boolean {
    return this.places.size > 0;
  }

  wants(kernel: number): boolean {
    return this.places.has(kernel);
  }

  /**
   * Computes the kernel's element again, if it is to be audited.
   * @param tensors as they are directly after the kernel has run: later kernels may overwrite its operands
   */
  check(kernel: number, list: KernelList, tensors: readonly Tensor[]): void {
    const element = this.places.get(kernel);
    if (element === undefined) return;
    const began = performance.now();
    const defined = list.kernels[kernel];
    const value = definitionOf(defined, tensors)(element);
    const found = elementBits(tensors[list.inputs.length + kernel], element);
    this.elements.push({ kernel, element, expected: patternOf(defined.type.dtype, value), found });
    this.seconds += (performance.now() - began) / 1000;
  }

  /** For the report; absent where nothing was to be audited. */
  result(): { audited?: Audited } {
    const { elements, seconds } = this;
    return this.isWanted ? { audited: { elements, seconds } } : {};
  }
}
