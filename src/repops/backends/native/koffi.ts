/** The optional package `koffi`, which calls compiled functions. */
import { BackendError } from "../../../errors/index.ts";
import { importPackage } from "../package.ts";

/** What is used of koffi. Addresses are numbers: a process has no memory above 2^53. */
export interface Koffi {
  load(path: string): {
    func(name: string, result: string, parameters: readonly string[]): (...values: never[]) => unknown;
  };
  /** Throws where it would change what an object was loaded with. */
  config(changed?: { async_stack_size: number }): { async_stack_size: number };
  view(pointer: unknown, bytes: number): ArrayBuffer;
  address(pointer: unknown): bigint;
}

/** The stack of a call on another thread, in bytes. */
const STACK = 2 ** 20;

/** A function of an object. */
export type Native = ((...values: number[]) => unknown) & {
  /** The same call on a thread of libuv's pool. The last argument is called at its end. */
  async(...values: [...number[], (error: unknown) => void]): void;
};

/** @throws {BackendError} when it is missing, or is another version */
export async function loadKoffi(): Promise<Koffi> {
  const module = await importPackage("koffi", "koffi@3.3.4", "the native backend");
  const koffi = ((module as { default?: Koffi }).default ?? module) as Koffi;
  if (typeof koffi.load !== "function" || typeof koffi.view !== "function")
    throw new BackendError(
      "PACKAGE_BROKEN",
      "the native backend needs koffi 3, and another version is there: `npm install koffi@3.3.4`",
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
