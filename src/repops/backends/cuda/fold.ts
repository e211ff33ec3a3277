/** Folds as PTX: one chain of scalar steps in one thread, in the order of the definition. */
import { elementCount } from "../../../encoding/tensor.ts";
import type { Arg, FoldKernel } from "../../kernels/kernel.ts";
import { outputType } from "../../programs/program.ts";
import { analyzeFold } from "../../ranges/analysis.ts";
import type { Noting } from "../../ranges/telling.ts";
import { type Range, rangedFloat } from "../../ranges/values.ts";
import type { Draft } from "./launch.ts";
import { type Coordinates, coordinatesOf, load, locate, type Place, Seen } from "./places.ts";
import { bankOf, compute, type Known } from "./programs.ts";
import type { RowTile } from "./row-tile.ts";

/** One element of a fold. */
export interface FoldSite {
  /** The kernel's number, whose counter is told. */
  readonly index: number;
  /** Of the kernel's program. */
  readonly noting: Noting | undefined;
  /** The register of the element's number. */
  readonly element: string;
  /** What some operands are read from; then threads without a chain end within. */
  readonly tile: RowTile | undefined;
}

const operandRanges = (args: readonly Arg[]): (Range | undefined)[] =>
  args.map((arg) => (arg.kind === "operand" && arg.clampRange !== "none" ? rangedFloat(arg.clampRange) : undefined));

/** @param kernel its reduced axes are joined */
export function foldValue(draft: Draft, kernel: FoldKernel, { index, noting, element, tile }: FoldSite): Known {
  const { body } = draft;
  const { args, program, reduce } = kernel;
  const { shape } = kernel.type;
  const isFloat = outputType(program) === "f";
  const accumulator = body.variable(isFloat ? "f" : "r");
  body.emit(`mov.b32 ${accumulator}, ${isFloat ? body.float(kernel.start) : body.int(kernel.start)};`);
  const count = elementCount(reduce);
  if (count === 0) return { values: [accumulator], range: undefined };
  const counter = draft.counter(index);
  const space = [...shape, ...reduce];
  const outer = coordinatesOf(body, element, shape);
  const axes = [...space.keys()];
  // What does not depend on k is computed before the loop.
  const before = args.map((arg) =>
    arg.kind === "operand"
      ? { base: draft.tensor(arg.tensor), place: locate(body, arg.view, space, axes.slice(0, shape.length), outer) }
      : arg.kind === "coordinate"
        ? { value: outer(arg.axis) }
        : {},
  );
  const seen = new Seen(
    body,
    args.map((arg) => (arg.kind === "operand" ? arg.clampRange : "none")),
  );
  const inputRanges = [undefined, ...operandRanges(args)];
  const analysis = analyzeFold(program, kernel.start, inputRanges, noting?.program ?? program);
  const noted = body.variable("r");
  if (noting) body.emit(`mov.b32 ${noted}, 0;`);

  /** The scalar step of a fold index. */
  const turn = (k: string, word?: (bank: "f" | "r", i: number) => string | undefined): void => {
    const inner = coordinatesOf(body, k, reduce);
    const at: Coordinates = (axis) => (axis < shape.length ? outer(axis) : inner(axis - shape.length));
    const inputs = args.map((arg, i) => {
      if (arg.kind === "index") return k;
      if (arg.kind === "coordinate") return before[i].value!;
      const { base, place } = before[i] as { base: string; place: Place };
      const bank = arg.clampRange === "none" ? bankOf(program.inputs[i + 1]) : "r";
      const found = (): Place => locate(body, arg.view, space, axes.slice(shape.length), at, place);
      const value = word?.(bank, i) ?? load(body, bank, base, found(), arg.view.fill);
      return arg.clampRange === "none" ? value : seen.ranged(value, arg.clampRange);
    });
    const { output, flags } = compute(body, program, noting, analysis, [accumulator, ...inputs]);
    for (const { predicate, bit } of flags) body.emit(`@${predicate} or.b32 ${noted}, ${noted}, ${bit};`);
    body.emit(`mov.b32 ${accumulator}, ${output};`);
  };

  const next = body.variable("r");
  if (tile) {
    const tiled = tile.form.args.map((i) => before[i] as { base: string; place: Place });
    const starts = tiled.map(({ place }) => place.index ?? body.int(0));
    const tensors = tiled.map(({ base }) => base);
    tile.parts(count, { starts, tensors }, (first, end) => {
      const address = body.variable("r");
      body.emit(`mov.b32 ${address}, ${tile.row()};`);
      body.emit(`mov.b32 ${next}, ${first};`);
      const word = (bank: "f" | "r", i: number): string | undefined => {
        const operand = tile.form.args.indexOf(i);
        return operand < 0 ? undefined : tile.word(bank, address, operand);
      };
      again(draft, next, end, (k) => {
        turn(k, word);
        body.emit(`add.s32 ${address}, ${address}, 4;`);
      });
    });
  } else {
    body.emit(`mov.b32 ${next}, 0;`);
    again(draft, next, String(count), (k) => turn(k));
  }
  if (counter !== undefined) {
    seen.tell(counter);
    if (noting) {
      const any = body.fresh("p", "setp.ne.s32", noted, "0");
      body.emit(`@${any} red.global.or.b32 [${counter}], ${noted};`);
    }
  }
  return { values: [accumulator], range: undefined };
}

/** A loop from the present value of `next` up to, not including, `end`, which is beyond it. */
function again({ body }: Draft, next: string, end: string, write: (k: string) => void): void {
  const label = body.label();
  body.emit(`${label}:`);
  body.scope(() => {
    write(body.fresh("r", "mov.b32", next));
    body.emit(`add.s32 ${next}, ${next}, 1;`);
    body.emit(`@${body.fresh("p", "setp.lt.u32", next, end)} bra ${label};`);
  });
}
