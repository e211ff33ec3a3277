/** The compiled modules, which sessions share, and the place of their constants in every memory. */
import { ConstantPool } from "./constants.ts";
import { buildCoreModule } from "./core.ts";
import { ModuleBuilder } from "./emitter.ts";
import type { LoopCall } from "./loop-plan.ts";
import { addLoops } from "./loops.ts";

/** The first kilobyte stays empty: hashing reads a byte before a tensor, and no tensor has the address 0. */
const CORE_CONSTANTS = 1024;
const CORE_CAPACITY = 256;
const LOOP_CONSTANTS = CORE_CONSTANTS + 4 * CORE_CAPACITY;
const LOOP_CAPACITY = 16_384;
/** The address at which the blocks of parameters begin. */
export const PARAMETERS = LOOP_CONSTANTS + 4 * LOOP_CAPACITY;

export const corePool = new ConstantPool(CORE_CONSTANTS, CORE_CAPACITY);
let coreModule: Promise<WebAssembly.Module> | undefined;
export const compileCore = (): Promise<WebAssembly.Module> =>
  (coreModule ??= WebAssembly.compile(buildCoreModule(corePool)));

/** The largest number of modules that are kept; above it the oldest is dropped. */
const MAX_MODULES = 64;
/** Modules by the shapes of their functions, because a prover prepares the same list many times. */
const loopModules = new Map<string, Promise<{ module: WebAssembly.Module; pool: ConstantPool }>>();

export function compileLoops(
  calls: ReadonlyMap<string, LoopCall>,
): Promise<{ module: WebAssembly.Module; pool: ConstantPool }> {
  const key = [...calls.keys()].join("\n");
  let compiled = loopModules.get(key);
  if (!compiled) {
    const pool = new ConstantPool(LOOP_CONSTANTS, LOOP_CAPACITY);
    const builder = new ModuleBuilder();
    [...calls.values()].forEach(({ shape }, i) => addLoops(builder, `loop${i}`, shape, (bits) => pool.address(bits)));
    compiled = WebAssembly.compile(builder.encode()).then((module) => ({ module, pool }));
    if (loopModules.size === MAX_MODULES) loopModules.delete(loopModules.keys().next().value!);
    loopModules.set(key, compiled);
  }
  return compiled;
}
