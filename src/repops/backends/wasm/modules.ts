/** The compiled modules, which sessions share, and the place of their constants in every memory. */
import type { LoopCall } from "../../schedule/loop-plan.ts";
import { ConstantPool } from "./constants.ts";
import { buildCoreModule } from "./core.ts";
import { ModuleBuilder } from "./emitter.ts";
import { addLoops } from "./loops.ts";

/** The first kilobyte stays empty: hashing reads a byte before a tensor, and no tensor has the address 0. */
const CORE_CONSTANTS = 1024;
/** The constants of the core module number some dozens; those of loops follow, as many as there are. */
const LOOP_CONSTANTS = 2048;

export const corePool = new ConstantPool(CORE_CONSTANTS);
const coreModules = new Map<boolean, Promise<WebAssembly.Module>>();

/** @param shared whether its memory is one that several threads share */
export function compileCore(shared: boolean): Promise<WebAssembly.Module> {
  let compiled = coreModules.get(shared);
  if (!compiled) coreModules.set(shared, (compiled = compileCoreOnce(shared)));
  return compiled;
}

async function compileCoreOnce(shared: boolean): Promise<WebAssembly.Module> {
  const code = buildCoreModule(corePool, shared);
  if (corePool.end > LOOP_CONSTANTS) throw new RangeError("the constants of the core module overlap those of loops");
  return WebAssembly.compile(code);
}

/** The largest number of modules that are kept; above it the oldest is dropped. */
const MAX_MODULES = 64;
/** Modules by the shapes of their functions, because a prover prepares the same list many times. */
const loopModules = new Map<string, Promise<{ module: WebAssembly.Module; pool: ConstantPool }>>();

/** The name of the function of call `i` in the module of loops. */
export const loopName = (i: number): string => `loop${i}`;

export function compileLoops(
  calls: ReadonlyMap<string, LoopCall>,
  shared: boolean,
): Promise<{ module: WebAssembly.Module; pool: ConstantPool }> {
  const key = [shared, ...calls.keys()].join("\n");
  let compiled = loopModules.get(key);
  if (!compiled) {
    const pool = new ConstantPool(LOOP_CONSTANTS);
    const builder = new ModuleBuilder();
    [...calls.values()].forEach(({ shape }, i) => addLoops(builder, loopName(i), shape, (bits) => pool.address(bits)));
    compiled = WebAssembly.compile(builder.encode(shared)).then((module) => ({ module, pool }));
    if (loopModules.size === MAX_MODULES) loopModules.delete(loopModules.keys().next().value!);
    loopModules.set(key, compiled);
  }
  return compiled;
}
