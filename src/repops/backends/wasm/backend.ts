/** The default backend: WebAssembly SIMD128, generated from the same scalar programs as everything else. */
import type { Backend } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { probeWasm } from "./probes.ts";
import { prepareWasm, type WasmOptions } from "./session.ts";

/** The default backend: SIMD code is generated for each kernel. */
export const wasm: Backend = { ...wasmWith("wasm", {}), probe: probeWasm };

/**
 * The same backend without its shortcuts: `canon` after every instruction, no matrix products. Tests check
 * that both give equal bits.
 */
export const wasmAlways: Backend = wasmWith("wasm-always", { always: true });

/** The backend with other options, which change no bit. */
export function wasmWith(name: string, options: WasmOptions): Backend {
  return {
    name,
    prepare: (list, prepared) => checkedSession(list, prepared, (keep) => prepareWasm(list, keep, options)),
  };
}
