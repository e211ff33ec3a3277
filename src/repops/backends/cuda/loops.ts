/** Steps of maps, and of a fold and maps after it, as PTX: a thread for an element, or for four in a row. */
import type { Shape } from "../../../encoding/tensor.ts";
import type { Arg, FoldKernel, KernelList, MapKernel } from "../../kernels/kernel.ts";
import type { View } from "../../kernels/view.ts";
import { analyze } from "../../ranges/analysis.ts";
import { notingOfKernel } from "../../ranges/telling.ts";
import { isIdentity } from "../../schedule/fuse.ts";
import type { Step } from "../../schedule/schedule.ts";
import { foldValue } from "./fold.ts";
import { Draft, elementsOf, type Launch } from "./launch.ts";
import { addressOf, type Coordinates, coordinatesOf, innermost, load, loadFour, locate, tell } from "./places.ts";
import { bankOf, compute, type Flag, type Known } from "./programs.ts";
import { joinReduced } from "./reduced.ts";
import { rowFormOf, ROWS_BLOCK, RowTile } from "./row-tile.ts";

/** Threads of a block. A fold has fewer, so that few outputs keep many processors busy. */
const MAP_BLOCK = 256;
const FOLD_BLOCK = 64;
/** Longer programs leave no registers for four elements. */
const MOST_FOR_FOUR = 100;

/** The elements of a thread: their numbers, one or four in a row. */
export type Elements = readonly string[];

/** A step of maps, or of a fold and maps after it. */
export function stepLaunch(list: KernelList, step: Step): Launch {
  const kernels = step.kernels.map((index) => list.kernels[index]);
  const [first] = kernels;
  const elements = elementsOf(list, step.kernels[0]);
  if (first.kind === "fold") return foldLaunch(list, step, first, elements);
  const draft = new Draft(list);
  const { body } = draft;
  const steps = kernels.reduce((sum, kernel) => sum + (kernel.kind === "gather" ? 0 : kernel.program.steps.length), 0);
  const width = elements % 4 === 0 && steps <= MOST_FOR_FOUR ? 4 : 1;
  const thread = draft.thread(MAP_BLOCK, elements / width);
  const start = width === 1 ? thread : body.value("r", "shl.b32", thread, "2");
  const own = Array.from({ length: width }, (_, i) => (i === 0 ? start : body.value("r", "add.s32", start, String(i))));
  mapsAfter(draft, list, step, own, new Map());
  return draft.launch(MAP_BLOCK, elements / width);
}

/** A fold and the maps after it. */
function foldLaunch(list: KernelList, step: Step, kernel: FoldKernel, elements: number): Launch {
  const draft = new Draft(list);
  const [index] = step.kernels;
  const joined = joinReduced(kernel);
  const form = rowFormOf(joined, elements);
  const tile = form && new RowTile(draft, form, elements);
  const element = tile?.element ?? draft.thread(FOLD_BLOCK, elements);
  const known = new Map([[draft.outputOf(index), foldValue(draft, joined, { index, noting: notingOfKernel(kernel), element, tile })]]); // prettier-ignore
  store(draft, step, index, [element], known);
  mapsAfter(draft, list, step, [element], known);
  return form ? draft.blocks(ROWS_BLOCK, Math.ceil(elements / form.rows)) : draft.launch(FOLD_BLOCK, elements);
}

/** The maps of a step, over what is known of its outputs; each output that has to be in memory is stored. */
export function mapsAfter(draft: Draft, list: KernelList, step: Step, own: Elements, known: Map<number, Known>): void {
  for (const index of step.kernels) {
    const kernel = list.kernels[index];
    if (kernel.kind !== "map" || known.has(list.inputs.length + index)) continue;
    known.set(list.inputs.length + index, mapValues(draft, kernel, index, own, known));
    store(draft, step, index, own, known);
  }
}

/** Stores an output where the step has to. */
export function store(draft: Draft, step: Step, index: number, own: Elements, known: ReadonlyMap<number, Known>): void {
  const tensor = draft.outputOf(index);
  if (!step.writes.includes(tensor)) return;
  const { body } = draft;
  const { values } = known.get(tensor)!;
  const address = addressOf(body, draft.tensor(tensor), own[0]);
  if (values.length === 1) body.emit(`st.global.b32 [${address}], ${values[0]};`);
  else body.emit(`st.global.v4.b32 [${address}], {${values.join(", ")}};`);
}

function mapValues(
  draft: Draft,
  kernel: MapKernel,
  index: number,
  own: Elements,
  known: ReadonlyMap<number, Known>,
): Known {
  const { args, program } = kernel;
  const { shape } = kernel.type;
  const given = args.map((arg) => (arg.kind === "operand" ? known.get(arg.tensor) : undefined));
  const at = coordinatesOfAll(draft, shape, own);
  const operands = args.map(
    (arg, i) => given[i]?.values ?? argValues(draft, arg, bankOf(program.inputs[i]), shape, own, at),
  );
  const noting = notingOfKernel(kernel);
  const analysis = analyze(
    noting?.program ?? program,
    given.map((value) => value?.range),
  );
  const computed = own.map((_, element) =>
    compute(
      draft.body,
      program,
      noting,
      analysis,
      operands.map((values) => values[element]),
    ),
  );
  tellAll(
    draft,
    index,
    computed.map(({ flags }) => flags),
  );
  const range = analysis.values[noting?.output ?? analysis.values.length - 1];
  const cleaned = "negativeZero" in range ? { ...range, negativeZero: false } : range;
  return { values: computed.map(({ output }) => output), range: cleaned };
}

/** The coordinates of each element. Those of four in one row differ on the innermost axis alone. */
function coordinatesOfAll({ body }: Draft, shape: Shape, own: Elements): Coordinates[] {
  const first = coordinatesOf(body, own[0], shape);
  const inner = innermost(shape);
  const inOneRow = inner >= 0 && shape[inner] % own.length === 0;
  return own.map((element, i) => {
    if (i === 0) return first;
    if (!inOneRow) return coordinatesOf(body, element, shape);
    return (axis) => (axis === inner ? body.value("r", "add.s32", first(axis), String(i)) : first(axis));
  });
}

/** An argument of a map for each element of the thread. */
function argValues(
  draft: Draft,
  arg: Arg,
  bank: "f" | "r",
  shape: Shape,
  own: Elements,
  at: readonly Coordinates[],
): readonly string[] {
  const { body } = draft;
  if (arg.kind === "coordinate") return at.map((coordinate) => coordinate(arg.axis));
  if (arg.kind === "index") throw new TypeError("a map has no fold index");
  const base = draft.tensor(arg.tensor);
  const axes = [...shape.keys()];
  if (isIdentity(arg.view, shape))
    return own.length === 1 ? [load(body, bank, base, { index: own[0] })] : loadFour(body, bank, base, own[0]);
  if (own.length === 4 && isInFours(arg.view, shape))
    return loadFour(body, bank, base, locate(body, arg.view, shape, axes, at[0]).index);
  return at.map((coordinate) => load(body, bank, base, locate(body, arg.view, shape, axes, coordinate), arg.view.fill));
}

/** Whether a view reads four elements in a row, from a multiple of four, for four elements of the output. */
function isInFours({ offset, strides, bounds }: View, shape: Shape): boolean {
  const inner = innermost(shape);
  if (bounds || inner < 0 || shape[inner] % 4 !== 0 || strides[inner] !== 1 || offset % 4 !== 0) return false;
  return shape.every((extent, axis) => axis === inner || extent === 1 || strides[axis] % 4 === 0);
}

/** Tells what a map notes: one instruction for all elements of the thread. */
function tellAll(draft: Draft, index: number, all: readonly (readonly Flag[])[]): void {
  const counter = draft.counter(index);
  if (counter === undefined) return;
  all[0].forEach(({ bit }, i) => {
    const predicates = all.map((flags) => flags[i].predicate);
    const any = predicates.reduce((a, b) => draft.body.value("p", "or.pred", a, b));
    tell(draft.body, counter, any, bit);
  });
}
