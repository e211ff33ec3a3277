/** The parts of the library that are written in C: their sources, and what they export. */
import { fs, path } from "../../../encoding/node.ts";

/** The exported functions of core/core.c. */
export interface Core {
  verde_begin(): void;
  verde_kernel(number: number): number;
  verde_lanes(): number;
  /** The addresses of functions that products need. */
  verde_deal(): number;
  verde_threads(): number;
  verde_tree_scratch(bytes: number): number;
  /** @returns a pointer of koffi, or null */
  verde_take(bytes: number): unknown;
  verde_give(address: number): void;
  /** @returns the guard's number; 0 where memory can't be guarded */
  verde_guard(address: number, bytes: number): number;
  /** @returns the pages that could not be read */
  verde_lost(guard: number): number;
  verde_unguard(guard: number): void;
  verde_run(table: number, from: number, to: number, threads: number): void;
  verde_roots(list: number, count: number, scratch: number, threads: number): void;
  verde_raw(operation: number, rows: number, results: number, count: number): void;
}

type Signature = readonly [result: string, parameters: number];

export const SIGNATURES = {
  verde_begin: ["void", 0],
  verde_kernel: ["int64_t", 1],
  verde_lanes: ["int64_t", 0],
  verde_deal: ["int64_t", 0],
  verde_threads: ["int64_t", 0],
  verde_tree_scratch: ["int64_t", 1],
  verde_take: ["void *", 1],
  verde_give: ["void", 1],
  verde_guard: ["int64_t", 2],
  verde_lost: ["int64_t", 1],
  verde_unguard: ["void", 1],
  verde_run: ["void", 4],
  verde_roots: ["void", 4],
  verde_raw: ["void", 4],
} as const satisfies Record<keyof Core, Signature>;

/** The exported functions of core/product.c. */
export interface Products {
  /** @returns the address of the kernel */
  verde_product(deal: number, threads: number): number;
  verde_product_scratch(threads: number): number;
}

export const PRODUCT_SIGNATURES = {
  verde_product: ["int64_t", 2],
  verde_product_scratch: ["int64_t", 1],
} as const satisfies Record<keyof Products, Signature>;

/** The kernels of core/core.c, in their order there. */
export const KERNELS = ["fill", "gather", "scatter", "blocks"] as const;
/** The kernels that are written in C. */
export type CoreKernel = (typeof KERNELS)[number] | "product";

/** What was read in this process: the files do not change while it runs. */
const sources = new Map<string, Promise<string>>();

/** A file of core/ with the files that it includes, each once. */
export function sourceOf(file: string): Promise<string> {
  let source = sources.get(file);
  if (!source) {
    source = gathered(file, new Set());
    sources.set(file, source);
    source.catch(() => sources.delete(file));
  }
  return source;
}

async function gathered(file: string, seen: Set<string>): Promise<string> {
  seen.add(file);
  const text = await fs.readFile(path.join(import.meta.dirname, "core", file), "utf8");
  let source = "";
  for (const line of text.split("\n")) {
    const [, included] = /^#include "(\w+\.h)"$/.exec(line) ?? [];
    if (included === undefined) source += `${line}\n`;
    else if (!seen.has(included)) source += await gathered(included, seen);
  }
  return source;
}
