/** Native code: C is generated for each kernel, and compiled by the machine's own compiler. Only in Node. */
import { isNode } from "../../../encoding/node.ts";
import { BackendError } from "../../../errors/index.ts";
import type { Grain } from "../../schedule/grain.ts";
import type { Backend } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import type { CompilerOptions } from "./compiler.ts";
import type { ChosenTile } from "./tile.ts";

/** A choice of the compiler and of how loops are generated, for tests. */
export interface NativeOptions extends CompilerOptions {
  name?: string;
  /** No shortcuts: neither products nor scatter-adds, and `canon` after every instruction. */
  always?: boolean;
  /** Leave all calls to other threads, however short they are. */
  beside?: boolean;
  /** Into which blocks work is cut. */
  grain?: Grain;
}

/**
 * What the backend does. Processes that run on another backend do not load it.
 * @throws {BackendError} in a browser
 */
async function load(): Promise<typeof import("./implementation.ts")> {
  if (isNode) return import("./implementation.ts");
  throw new BackendError("UNSUPPORTED", "the native backend needs Node and a C compiler; wasm runs in browsers");
}

/** A native backend with a compiler of its own. */
export function nativeWith({ name = "native", ...options }: NativeOptions): Backend {
  return {
    name,
    describe: async () => (await load()).describeNative(options),
    probe: async () => (await load()).probeNative(options),
    warmUp: async (lists) => (await load()).warmUpNative(options, lists),
    prepare: (list, prepared) =>
      checkedSession(list, prepared, async (keep, lent) =>
        (await load()).prepareWith({ ...options, lent }, list, keep),
      ),
  };
}

/** The register tile of products on this machine, and why it is used. */
export const tileHere = async (): Promise<ChosenTile> => (await load()).tileOf({});

/** The machine's own code, with the bits of the specification. */
export const native: Backend = nativeWith({});
