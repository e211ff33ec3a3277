/** What the native backend does, for a compiler and ways to generate code. */
import { os } from "../../../encoding/node.ts";
import type { KernelList } from "../../kernels/kernel.ts";
import type { DeviceDescription, Preparation, Probe, Session } from "../backend.ts";
import type { NativeOptions } from "./backend.ts";
import { findCompiler } from "./compiler.ts";
import { isCompiled, openLibrary } from "./library.ts";
import { probeProcessor } from "./probes.ts";
import { planAhead, prepareNative, type PrepareNative, shapesOf } from "./session.ts";
import { compileLoops } from "./units.ts";
import { type ChosenTile, chosenTile } from "./tile.ts";

/** A certificate is bound to the processor and to the compiler with its flags. */
export async function describeNative(options: NativeOptions): Promise<DeviceDescription> {
  const compiler = await findCompiler(options);
  const { command, version, flags, target, lanes } = compiler;
  // What is compiled has to work, too. Else it is compiled together with what runs first.
  if (await isCompiled(compiler)) await openLibrary(options);
  const { tile } = await chosenTile(compiler);
  const driver = { compiler: command, version, flags: flags.join(" "), target, tile };
  const model = os.cpus()[0]?.model.trim() ?? "unknown processor";
  return { name: `${model} by ${version}`, software: false, driver, limits: { lanes } };
}

export async function probeNative(options: NativeOptions): Promise<Probe[]> {
  const library = await openLibrary(options);
  const tile = { name: "tile of products", finding: Object.values(library.tile).join(", ") };
  return [...(await probeProcessor(library)), tile];
}

export async function tileOf(options: NativeOptions): Promise<ChosenTile> {
  return (await openLibrary(options)).tile;
}

export async function warmUpNative(
  { always, grain, ...options }: NativeOptions,
  lists: readonly Preparation[],
): Promise<void> {
  const planned = lists.map(({ list, keep }) => planAhead(list, keep, always, grain));
  const shapes = new Map(planned.flatMap(({ plans, groups }) => [...shapesOf(plans, groups)]));
  const compiler = await findCompiler(options);
  const [library] = await Promise.all([openLibrary(options), compileLoops(compiler, shapes)]);
  await library.functions(shapes);
}

export async function prepareWith(
  options: NativeOptions & PrepareNative,
  list: KernelList,
  keep: readonly number[],
): Promise<Session> {
  return prepareNative(await openLibrary(options), list, keep, options);
}
