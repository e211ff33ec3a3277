/** Loads compiled objects with the optional package `koffi`, and gives the addresses of their functions. */
import { fs, os, path } from "../../../encoding/node.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";
import type { LoopShape } from "../../schedule/loop-shape.ts";
import { type Compiler, type CompilerOptions, findCompiler } from "./compiler.ts";
import { hasStack, type Koffi, loadKoffi, type Native } from "./koffi.ts";
import { loopSource } from "./loops.ts";
import { objectOf } from "./objects.ts";

/** The exported functions of core/core.c. */
interface Core {
  verde_begin(): void;
  verde_kernel(number: number): number;
  verde_lanes(): number;
  verde_product_scratch(threads: number): number;
  verde_tree_scratch(bytes: number): number;
  /** @returns a pointer of koffi, or null */
  verde_take(bytes: number): unknown;
  verde_give(address: number): void;
  verde_run(table: number, from: number, to: number, threads: number): void;
  verde_roots(list: number, count: number, scratch: number, threads: number): void;
  verde_raw(operation: number, rows: number, results: number, count: number): void;
}

const SIGNATURES = {
  verde_begin: ["void", 0],
  verde_kernel: ["int64_t", 1],
  verde_lanes: ["int64_t", 0],
  verde_product_scratch: ["int64_t", 1],
  verde_tree_scratch: ["int64_t", 1],
  verde_take: ["void *", 1],
  verde_give: ["void", 1],
  verde_run: ["void", 4],
  verde_roots: ["void", 4],
  verde_raw: ["void", 4],
} as const satisfies Record<keyof Core, readonly [result: string, parameters: number]>;

/** The kernels of core/core.c, in their order there. */
const KERNELS = ["fill", "gather", "scatter", "product", "blocks"] as const;
export type CoreKernel = (typeof KERNELS)[number];

/** Functions of one object: it is compiled in one go, and several objects at once. */
const UNIT = 20;

/** Memory that no garbage collector moves. */
export interface Memory {
  address: number;
  buffer: ArrayBuffer;
}

const libraries = new Map<string, Promise<Library>>();
/** Everything that was loaded. koffi unloads an object when nothing refers to its handle any more. */
const loaded: unknown[] = [];

/**
 * The library of a compiler; a process has one for each.
 * @throws {BackendError} when there is no compiler, no koffi, or the core can't be compiled
 */
export async function openLibrary(options: CompilerOptions): Promise<Library> {
  const compiler = await findCompiler(options);
  let library = libraries.get(compiler.identity);
  if (!library) {
    library = load(compiler);
    libraries.set(compiler.identity, library);
    library.catch(() => libraries.delete(compiler.identity));
  }
  return library;
}

async function load(compiler: Compiler): Promise<Library> {
  const koffi = await loadKoffi();
  const [core, loops] = await Promise.all([sourceOf("core.c"), sourceOf("loops.h")]);
  return new Library(koffi, compiler, await objectOf(compiler, core), loops);
}

/** A file of core/ with the files that it includes, each once. */
async function sourceOf(file: string, seen = new Set<string>()): Promise<string> {
  seen.add(file);
  const text = await fs.readFile(path.join(import.meta.dirname, "core", file), "utf8");
  let source = "";
  for (const line of text.split("\n")) {
    const [, included] = /^#include "(\w+\.h)"$/.exec(line) ?? [];
    if (included === undefined) source += `${line}\n`;
    else if (!seen.has(included)) source += await sourceOf(included, seen);
  }
  return source;
}

export class Library {
  readonly core: Core;
  private readonly koffi: Koffi;
  private readonly functionsByName: ReadonlyMap<string, Native>;
  /** Whether `beside` has a stack that is large enough for any kernel. */
  readonly hasThreads: boolean;
  private readonly compiler: Compiler;
  private readonly header: string;
  /** The addresses of loops by their keys. Nothing is ever unloaded, so they stay valid. */
  private readonly loops = new Map<string, number>();
  private readonly units = new Map<string, Promise<void>>();
  /** Memory whose session nobody closed. */
  private readonly forgotten = new FinalizationRegistry<number>((address) => this.core.verde_give(address));

  /**
   * @param object the path of the compiled core
   * @param header what generated loops include
   */
  constructor(koffi: Koffi, compiler: Compiler, object: string, header: string) {
    this.koffi = koffi;
    this.compiler = compiler;
    this.header = header;
    this.hasThreads = hasStack(koffi);
    const handle = this.load(object);
    this.functionsByName = new Map(
      Object.entries(SIGNATURES).map(([name, [result, parameters]]) => [
        name,
        handle.func(name, result, Array<string>(parameters).fill("int64_t")) as Native,
      ]),
    );
    this.core = Object.fromEntries(this.functionsByName) as unknown as Core;
    this.core.verde_begin();
  }

  /**
   * Calls a function of the core on another thread. The memory that it uses has to stay until the promise is
   * fulfilled, and no other call may write to it.
   */
  beside(name: "verde_run" | "verde_roots", ...values: number[]): Promise<void> {
    return new Promise((resolve, reject) =>
      this.functionsByName.get(name)!.async(...values, (error) => (error ? reject(error as Error) : resolve())),
    );
  }

  /**
   * Loads an object for as long as the process runs.
   * @throws {BackendError} when the system refuses it, as it does in a folder that is mounted with noexec
   */
  private load(object: string): ReturnType<Koffi["load"]> {
    try {
      const handle = this.koffi.load(object);
      loaded.push(handle);
      return handle;
    } catch (cause) {
      const { command, version } = this.compiler;
      throw new BackendError(
        "COMPILE",
        `what ${command} (${version}) compiled can't be loaded from ${object} (${messageOf(cause)}); ` +
          "name another compiler with VERDE_CC, or another folder with VERDE_CACHE, or use wasm",
        { object },
      );
    }
  }

  kernel(name: CoreKernel): number {
    return this.core.verde_kernel(KERNELS.indexOf(name));
  }

  /**
   * Takes memory, which is zeros.
   * @throws {BackendError} when there is not enough
   */
  take(bytes: number): Memory {
    const pointer = this.core.verde_take(bytes);
    if (pointer === null)
      throw new BackendError(
        "MEMORY",
        `the native backend could not get ${Math.ceil(bytes / 2 ** 20)} MiB of memory; take a smaller batch or model, or free memory`,
        { bytes },
      );
    const address = Number(this.koffi.address(pointer));
    const buffer = this.koffi.view(pointer, bytes);
    this.forgotten.register(buffer, address, buffer);
    return { address, buffer };
  }

  /** Frees memory. No view of its buffer may be used afterwards. */
  give({ address, buffer }: Memory): void {
    this.forgotten.unregister(buffer);
    this.core.verde_give(address);
  }

  /**
   * The addresses of loops, which are compiled where that has not been done.
   * @param shapes by their keys
   */
  async functions(shapes: ReadonlyMap<string, LoopShape>): Promise<ReadonlyMap<string, number>> {
    const sorted = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1));
    const units: [string, LoopShape][][] = [];
    for (let from = 0; from < sorted.length; from += UNIT) units.push(sorted.slice(from, from + UNIT));
    // The units of a list do not depend on what ran before it, so that the next process finds their objects.
    const waiting = units.filter((unit) => unit.some(([key]) => !this.loops.has(key)));
    const compileNext = async (): Promise<void> => {
      for (let unit = waiting.pop(); unit; unit = waiting.pop()) await this.addUnit(unit);
    };
    await Promise.all(Array.from({ length: os.availableParallelism() }, compileNext));
    return this.loops;
  }

  private addUnit(unit: readonly [string, LoopShape][]): Promise<void> {
    const source = unitSource(
      this.header,
      unit.map(([, shape]) => shape),
    );
    let added = this.units.get(source);
    if (!added) {
      added = this.compileUnit(source, unit);
      this.units.set(source, added);
      added.then(
        () => this.units.delete(source),
        () => this.units.delete(source),
      );
    }
    return added;
  }

  private async compileUnit(source: string, unit: readonly [string, LoopShape][]): Promise<void> {
    const handle = this.load(await objectOf(this.compiler, source));
    const addressOf = handle.func("verde_loop", "int64_t", ["int64_t"]) as (number: number) => number;
    unit.forEach(([key], i) => this.loops.set(key, addressOf(i)));
  }
}

/** The source of an object with these loops. */
export function unitSource(header: string, shapes: readonly LoopShape[]): string {
  const names = shapes.map((_, i) => `loop${i}`);
  return `${header}
${shapes.map((shape, i) => loopSource(names[i], shape)).join("\n")}
__attribute__((visibility("default"))) int64_t verde_loop(int64_t number) {
  static void (*const loops[])(const int64_t *) = { ${names.join(", ")} };
  return (int64_t)(intptr_t)loops[number];
}
`;
}
