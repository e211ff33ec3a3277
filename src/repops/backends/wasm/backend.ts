/** The default backend: WebAssembly SIMD128, generated from the same scalar programs as everything else. */
import type { Backend } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { probeWasm } from "./probes.ts";
import { prepareWasm } from "./session.ts";

/** The default backend: SIMD code is generated for each kernel. */
export const wasm: Backend = {
  name: "wasm",
  probe: probeWasm,
  prepare: (list, options) => checkedSession(list, options, (keep) => prepareWasm(list, keep)),
};

/**
 * The same backend without its shortcuts: `canon` after every instruction, no matrix products. Tests check
 * that both give equal bits.
 */
export const wasmAlways: Backend = {
  name: "wasm-always",
  prepare: (list, options) => checkedSession(list, options, (keep) => prepareWasm(list, keep, true)),
};
