/** Loads compiled objects with the optional package `koffi`, and gives the addresses of their functions. */
import type { ElementArray } from "../../../encoding/dtypes.ts";
import { BackendError } from "../../../errors/index.ts";
import type { LoopShape } from "../../schedule/loop-shape.ts";
import {
  type Core,
  type CoreKernel,
  KERNELS,
  PRODUCT_SIGNATURES,
  type Products,
  SIGNATURES,
  sourceOf,
} from "./core.ts";
import { type Compiler, type CompilerOptions, findCompiler } from "./compiler.ts";
import { functionsOf, hasStack, type Koffi, loadKoffi, loadObject, type Native } from "./koffi.ts";
import { unitSource } from "./loops.ts";
import { expectUnchanged, isMapped } from "./mapped.ts";
import { isKept, objectOf } from "./objects.ts";
import { eachCore, type Unit, unitsOf } from "./units.ts";
import { type ChosenTile, chosenTile, productsIn } from "./tile.ts";

/** Vectors may read so many bytes past the end of a tensor. */
export const SLACK = 512;
/** The smallest page of any processor: memory that can be read at one byte of it can be read at all. */
export const PAGE = 4096;

/** Memory that no garbage collector moves. */
export interface Memory {
  address: number;
  buffer: ArrayBuffer;
}

type Loaded = ReturnType<Koffi["load"]>;

const libraries = new Map<string, Promise<Library>>();

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

/**
 * Whether a library opens without a compilation; where it does not, the first one begins.
 * @throws {BackendError} when there is no koffi
 */
export async function isCompiled(compiler: Compiler): Promise<boolean> {
  await loadKoffi();
  const core = await sourceOf("core.c");
  if (!(await isKept(compiler, core))) {
    // It is needed soon, and is compiled while the tile is chosen. The first use throws its error.
    objectOf(compiler, core).catch(() => undefined);
    return false;
  }
  return isKept(compiler, await productsIn((await chosenTile(compiler)).tile));
}

async function load(compiler: Compiler): Promise<Library> {
  const koffi = await loadKoffi();
  const compiled = async (source: Promise<string>): Promise<Loaded> =>
    loadObject(koffi, await objectOf(compiler, await source), compiler);
  const choice = chosenTile(compiler);
  const [core, products, loops, tile] = await Promise.all([
    compiled(sourceOf("core.c")),
    compiled(choice.then(({ tile: chosen }) => productsIn(chosen))),
    sourceOf("loops.h"),
    choice,
  ]);
  return new Library(koffi, compiler, { core, products }, loops, tile);
}

export class Library {
  readonly core: Core;
  readonly products: Products;
  private readonly product: number;
  private readonly koffi: Koffi;
  private readonly functionsByName: ReadonlyMap<string, Native>;
  /** The register tile of products, and why it is used. */
  readonly tile: ChosenTile;
  /** Whether `beside` has a stack that is large enough for any kernel. */
  readonly hasThreads: boolean;
  private readonly compiler: Compiler;
  private readonly header: string;
  /** The addresses of loops by their keys. Nothing is ever unloaded, so they stay valid. */
  private readonly loops = new Map<string, number>();
  private readonly units = new Map<string, Promise<void>>();
  /** The numbers of the guards of mapped files that sessions read. */
  private readonly guarded = new WeakMap<ArrayBufferLike, number>();
  private readonly unguarded = new FinalizationRegistry<number>((guard) => this.core.verde_unguard(guard));
  /** Memory whose session nobody closed. */
  private readonly forgotten = new FinalizationRegistry<number>((address) => this.core.verde_give(address));

  /**
   * @param objects what is written in C, compiled
   * @param header what generated loops include
   * @param tile the register tile of products
   */
  constructor(
    koffi: Koffi,
    compiler: Compiler,
    objects: { core: Loaded; products: Loaded },
    header: string,
    tile: ChosenTile,
  ) {
    this.koffi = koffi;
    this.compiler = compiler;
    this.header = header;
    this.tile = tile;
    this.hasThreads = hasStack(koffi);
    const { functions, byName } = functionsOf<Core>(objects.core, SIGNATURES);
    this.functionsByName = byName;
    this.core = functions;
    this.core.verde_begin();
    this.products = functionsOf<Products>(objects.products, PRODUCT_SIGNATURES).functions;
    this.product = this.products.verde_product(this.core.verde_deal(), this.core.verde_threads());
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

  kernel(name: CoreKernel): number {
    return name === "product" ? this.product : this.core.verde_kernel(KERNELS.indexOf(name));
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

  /**
   * The address of elements in a buffer of JavaScript. It stays valid as long as something refers to them.
   * @returns `undefined` where vectors can't be read past their end
   */
  lendable({ buffer, byteOffset, byteLength }: ElementArray): number | undefined {
    if (byteLength === 0 || (buffer as ArrayBuffer).resizable) return undefined;
    const start = Number(this.koffi.address(buffer));
    const address = start + byteOffset;
    if (isMapped(buffer)) return this.guard(buffer, start) ? address : undefined;
    const pageOf = (at: number): number => Math.floor(at / PAGE);
    const end = address + byteLength;
    return pageOf(end - 1) === pageOf(end + SLACK - 1) ? address : undefined;
  }

  /** Keeps the process alive where a mapped file can't be read any more (core/guard.h). */
  private guard(buffer: ArrayBufferLike, start: number): boolean {
    if (this.guarded.has(buffer)) return true;
    const guard = this.core.verde_guard(start, buffer.byteLength);
    if (guard === 0) return false;
    this.guarded.set(buffer, guard);
    this.unguarded.register(buffer, guard);
    return true;
  }

  /**
   * Has to be asked before what was computed with lent memory is used.
   * @throws {FormatError} when it is a file that was changed, or could not be read
   */
  expectUnchanged(buffer: ArrayBufferLike): void {
    const guard = this.guarded.get(buffer);
    if (guard !== undefined) expectUnchanged(buffer, this.core.verde_lost(guard));
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
    const waiting = unitsOf(shapes).filter((unit) => unit.some(([key]) => !this.loops.has(key)));
    await eachCore(async () => {
      for (let unit = waiting.pop(); unit; unit = waiting.pop()) await this.addUnit(unit);
    });
    return this.loops;
  }

  private addUnit(unit: Unit): Promise<void> {
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

  private async compileUnit(source: string, unit: Unit): Promise<void> {
    const handle = loadObject(this.koffi, await objectOf(this.compiler, source), this.compiler);
    const addressOf = handle.func("verde_loop", "int64_t", ["int64_t"]) as (number: number) => number;
    unit.forEach(([key], i) => this.loops.set(key, addressOf(i)));
  }
}
