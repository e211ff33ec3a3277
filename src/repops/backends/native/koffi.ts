/** The optional package `koffi`, which calls compiled functions. */
import { BackendError, messageOf } from "../../../errors/index.ts";
import { importPackage } from "../package.ts";
import type { Compiler } from "./compiler.ts";

/** What is used of koffi. Addresses are numbers: a process has no memory above 2^53. */
export interface Koffi {
  /** @param path `null`: what the process itself is made of */
  load(path: string | null): {
    func(name: string, result: string, parameters: readonly string[]): (...values: never[]) => unknown;
  };
  /** Throws where it would change what an object was loaded with. */
  config(changed?: { async_stack_size: number }): { async_stack_size: number };
  view(pointer: unknown, bytes: number): ArrayBuffer;
  /** Of a pointer of koffi, or of a buffer's or array's first byte. */
  address(pointer: unknown): bigint;
}

/** The stack of a call on another thread, in bytes. */
const STACK = 2 ** 20;

/** A function of an object. */
export type Native = ((...values: number[]) => unknown) & {
  /** The same call on a thread of libuv's pool. The last argument is called at its end. */
  async(...values: [...number[], (error: unknown) => void]): void;
};

/**
 * @param purpose what needs it, as the beginning of a sentence; default: the native backend
 * @throws {BackendError} when it is missing, or is another version
 */
export async function loadKoffi(purpose = "the native backend"): Promise<Koffi> {
  const module = await importPackage("koffi", "koffi@3.3.4", purpose);
  const koffi = ((module as { default?: Koffi }).default ?? module) as Koffi;
  if (typeof koffi.load !== "function" || typeof koffi.view !== "function")
    throw new BackendError(
      "PACKAGE_BROKEN",
      `${purpose} needs koffi 3, and another version is there: \`npm install koffi@3.3.4\``,
    );
  return koffi;
}

/**
 * Asks for stacks that are large enough for any kernel, unless the program has loaded objects with koffi
 * before.
 */
export function hasStack(koffi: Koffi): boolean {
  try {
    koffi.config({ async_stack_size: STACK });
  } catch {
    // What is set now says whether it is enough.
  }
  return koffi.config().async_stack_size >= STACK;
}

/** Everything that was loaded. koffi unloads an object when nothing refers to its handle any more. */
const loaded: unknown[] = [];

/**
 * Loads an object for as long as the process runs.
 * @throws {BackendError} when the system refuses it, as it does in a folder that is mounted with noexec
 */
export function loadObject(koffi: Koffi, object: string, { command, version }: Compiler): ReturnType<Koffi["load"]> {
  try {
    const handle = koffi.load(object);
    loaded.push(handle);
    return handle;
  } catch (cause) {
    throw new BackendError(
      "COMPILE",
      `what ${command} (${version}) compiled can't be loaded from ${object} (${messageOf(cause)}); ` +
        "name another compiler with VERDE_CC, or another folder with VERDE_CACHE, or use wasm",
      { object },
    );
  }
}

/** Functions of an object whose parameters are all integers. */
export function functionsOf<Functions>(
  object: ReturnType<Koffi["load"]>,
  signatures: Record<keyof Functions, readonly [result: string, parameters: number]>,
): { functions: Functions; byName: ReadonlyMap<string, Native> } {
  const all = Object.entries<readonly [string, number]>(signatures);
  const byName = new Map(
    all.map(([name, [result, count]]) => [
      name,
      object.func(name, result, Array<string>(count).fill("int64_t")) as Native,
    ]),
  );
  return { functions: Object.fromEntries(byName) as Functions, byName };
}
