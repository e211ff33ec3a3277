/** Native code: C is generated for each kernel, and compiled by the machine's own compiler. Only in Node. */
import { isNode, os } from "../../../encoding/node.ts";
import { BackendError } from "../../../errors/index.ts";
import { GRAIN, type Grain } from "../../schedule/grain.ts";
import type { Backend, DeviceDescription } from "../backend.ts";
import { checkedSession } from "../checked.ts";
import { type CompilerOptions, findCompiler } from "./compiler.ts";
import { openLibrary } from "./library.ts";
import { probeNative } from "./probes.ts";
import { planNative, prepareNative, shapesOf } from "./session.ts";

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

/** A native backend with a compiler of its own. */
export function nativeWith({
  name = "native",
  always = false,
  beside = false,
  grain = GRAIN,
  ...options
}: NativeOptions): Backend {
  return {
    name,
    describe: () => describeNative(options),
    probe: async () => probeNative(await openLibrary(options)),
    warmUp: async (lists) => {
      const library = await openLibrary(options);
      const shapes = lists
        .map((list) => planNative(list, [], always, grain))
        .map(({ plans, groups }) => shapesOf(plans, groups));
      await library.functions(new Map(shapes.flatMap((own) => [...own])));
    },
    prepare: (list, prepared) =>
      checkedSession(list, prepared, async (keep) => {
        checkNode();
        return prepareNative(await openLibrary(options), list, keep, { always, beside, grain });
      }),
  };
}

/** A certificate is bound to the processor and to the compiler with its flags. */
async function describeNative(options: CompilerOptions): Promise<DeviceDescription> {
  checkNode();
  const { command, version, flags, target } = await findCompiler(options);
  const { core } = await openLibrary(options);
  const driver = { compiler: command, version, flags: flags.join(" "), target };
  const model = os.cpus()[0]?.model.trim() ?? "unknown processor";
  return { name: `${model} by ${version}`, software: false, driver, limits: { lanes: core.verde_lanes() } };
}

/** @throws {BackendError} in a browser */
function checkNode(): void {
  if (isNode) return;
  throw new BackendError("UNSUPPORTED", "the native backend needs Node and a C compiler; wasm runs in browsers");
}

/** The machine's own code, with the bits of the specification. */
export const native: Backend = nativeWith({});
