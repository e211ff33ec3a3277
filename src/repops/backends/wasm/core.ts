/** The hand-built kernels in one module, compiled once for all sessions. */
import type { ConstantPool } from "./constants.ts";
import { ModuleBuilder } from "./emitter.ts";
import { defineMultiply, type MultiplyExports } from "./multiply.ts";
import { defineRows, type RowsExports } from "./rows.ts";
import { defineSha256, type Sha256Exports } from "./sha256.ts";

export interface CoreExports extends MultiplyExports, Sha256Exports, RowsExports {}

/**
 * The module's bytes. Its constants are in `pool`, which is written to the memory of each instance.
 * @param shared whether its memory is one that several threads share
 */
export function buildCoreModule(pool: ConstantPool, shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  defineMultiply(module, pool);
  defineSha256(module, pool);
  defineRows(module, pool);
  return module.encode(shared);
}
