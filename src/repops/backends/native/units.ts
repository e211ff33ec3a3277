/** How the loops of a list are distributed to objects, which are compiled in one go. */
import { os } from "../../../encoding/node.ts";
import type { LoopShape } from "../../schedule/loop-shape.ts";
import type { Compiler } from "./compiler.ts";
import { sourceOf } from "./core.ts";
import { unitSource } from "./loops.ts";
import { objectOf } from "./objects.ts";

/** Functions of one object: it is compiled in one go, and several objects at once. */
const UNIT = 20;

/** Compiles the objects of loops. It needs no library, so that the core can be compiled beside it. */
export async function compileLoops(compiler: Compiler, shapes: ReadonlyMap<string, LoopShape>): Promise<void> {
  const header = await sourceOf("loops.h");
  const next = unitsOf(shapes);
  await eachCore(async () => {
    for (let unit = next.pop(); unit; unit = next.pop())
      await objectOf(
        compiler,
        unitSource(
          header,
          unit.map(([, shape]) => shape),
        ),
      );
  });
}

/** Loops by their keys. */
export type Unit = [string, LoopShape][];

/** The units of a list do not depend on what ran before it, so that the next process finds their objects. */
export function unitsOf(shapes: ReadonlyMap<string, LoopShape>): Unit[] {
  const sorted = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1));
  const units: Unit[] = [];
  for (let from = 0; from < sorted.length; from += UNIT) units.push(sorted.slice(from, from + UNIT));
  return units;
}

/** Does some work on each core at once. */
export const eachCore = (work: () => Promise<void>): Promise<unknown> =>
  Promise.all(Array.from({ length: os.availableParallelism() }, work));
