/**
 * What a generated loop does with some vectors at once: it loads operands, computes its programs, or all
 * steps of a fold, and stores. loops.ts writes the loops around it.
 */
import type { ClampRange } from "../../kernels/kernel.ts";
import type { ArgShape, FusedMap, LoopShape } from "../../schedule/loop-shape.ts";
import { lower, type Lowered, type Names, typeName } from "./lower.ts";

type Operand = ArgShape & { kind: "operand" };

const CLAMPS = {
  none: (x) => x,
  dot: (x) => `dot_range(${x}, &seen_dot)`,
  sum: (x) => `sum_range(${x}, &seen_sum)`,
} as const satisfies Record<ClampRange, (x: string) => string>;

/** A program of the loop. */
export interface Part extends Pick<FusedMap, "inputs" | "output" | "streamed"> {
  lowered: Lowered;
}

/**
 * The vectors that are processed at once: `whole` ones of a row, one in which the row may end, or whole rows.
 */
type Extent = "whole" | "left" | "rows";

/** The parts of a loop, and the lines of its function. */
export class Vectors {
  readonly shape: LoopShape;
  readonly parts: readonly Part[];
  readonly lines: string[] = [];

  /** Whole vectors are only checked. */
  fast = false;

  constructor(shape: LoopShape) {
    this.shape = shape;
    const { args, maps } = shape;
    const inputs = args.map((_, arg) => ({ arg }));
    // The first input of a fold is its accumulator.
    const only: FusedMap = {
      program: shape.program,
      inputs: shape.fold ? [{ arg: -1 }, ...inputs] : inputs,
      output: "first",
      streamed: false,
    };
    this.parts = maps
      ? maps.map((map, i) => ({ ...map, lowered: lower({ ...shape, program: map.program, args: [] }, `${i}_`) }))
      : [{ ...only, lowered: lower(shape, "") }];
  }

  /** The clamp ranges of its operands, each once. */
  clampRanges(): ("dot" | "sum")[] {
    const { args, maps = [] } = this.shape;
    const operands = [...args, ...maps.flatMap(({ inputs }) => inputs)];
    const used = new Set(operands.map((operand) => ("clampRange" in operand ? operand.clampRange : "none")));
    return (["dot", "sum"] as const).filter((range) => used.has(range));
  }

  /** The masks in which vectors collect what parts note: their part, and the bit. */
  collected(): { name: string; part: number; bit: number }[] {
    return this.parts.flatMap(({ lowered }, part) =>
      (lowered.noting?.flags ?? []).map(({ bit }) => ({ name: `n${part}_${bit}`, part, bit })),
    );
  }

  /** What the vectors of a part note. What stands after the row's end notes nothing. */
  private note(part: number, names: Names, extent: Extent): void {
    for (const { bit, masks } of this.parts[part].lowered.notes(names))
      for (const mask of masks)
        this.lines.push(`n${part}_${bit} |= ${extent === "left" ? `(vi)first_of((vf)${mask}, left)` : mask};`);
  }

  numbersOf(wanted: (arg: ArgShape) => boolean): number[] {
    return this.shape.args.flatMap((arg, i) => (wanted(arg) ? [i] : []));
  }

  /** The names of the values of each part, with those of arguments that are known. */
  begin(args: Names): Names[] {
    const names = this.parts.map(({ lowered }) => lowered.begin());
    this.give(names, args);
    return names;
  }

  give(names: readonly Names[], args: Names): void {
    for (const [part, { inputs }] of this.parts.entries())
      for (const [i, input] of inputs.entries())
        if ("arg" in input && args[input.arg]) names[part][i] = args[input.arg];
  }

  ready(names: readonly Names[]): void {
    for (const [part, { lowered }] of this.parts.entries()) this.lines.push(...lowered.ready(names[part]));
  }

  /** Processes `count` vectors. */
  block(count: number, names: Names[], counted: readonly number[], extent: Extent): void {
    const { shape, lines } = this;
    const vectors = [...Array(count).keys()];
    const args: Names = [];
    for (const i of counted) args[i] = vectors.map((u) => `(k${i} + ${u} * LANES)`);
    shape.args.forEach((arg, i) => {
      if (arg.kind === "operand" && arg.fixed && (arg.access !== "splat" || extent === "rows"))
        args[i] = this.load(i, `a${i}`, count, extent);
    });
    this.give(names, args);
    if (shape.fold) this.store(this.parts[0], this.fold(names[0], count, extent), count, extent);
    else this.maps(names, count, extent);
    if (extent === "rows") return;
    lines.push(`o += ${count} * VECTOR_BYTES;`);
    shape.args.forEach((arg, i) => {
      if (arg.kind === "output" || (arg.kind === "operand" && arg.access === "unit"))
        lines.push(`a${i} += ${count} * VECTOR_BYTES;`);
      else if (arg.kind === "operand" && arg.access === "strided")
        lines.push(`a${i} += ${count} * LANES * s${i}_${shape.outer};`);
    });
    for (const i of counted) lines.push(`k${i} = k${i} + ${count} * LANES;`);
  }

  private store(part: Part, results: readonly string[], count: number, extent: Extent): void {
    const to = addressOf(part);
    for (let u = 0; u < count; u++) {
      const result = `(vi)${results.length === 1 ? results[0] : results[u]}`;
      const place = extent === "rows" ? `ROW_OF(${u}, w${this.shape.outer - 1})` : `${u} * VECTOR_BYTES`;
      if (extent === "left") this.lines.push(`store_left(${to}, ${result}, left);`);
      else if (part.streamed) this.lines.push(`store_past(${to} + ${place}, ${result}, aligned);`);
      else this.lines.push(`store(${to} + ${place}, ${result});`);
    }
  }

  /** Each map in turn; what later ones read of it stays in registers. */
  private maps(names: readonly Names[], count: number, extent: Extent): void {
    const { lines, parts } = this;
    const results: string[][] = [];
    for (const [number, part] of parts.entries()) {
      part.lowered.checks = this.fast && extent === "whole";
      for (const [i, input] of part.inputs.entries())
        if ("map" in input) names[number][i] = results[input.map].map((name) => CLAMPS[input.clampRange](name));
      lines.push(...part.lowered.ready(names[number]));
      results.push(
        part.lowered.output(names[number]).map((value, u) => {
          lines.push(`${part.lowered.type} y${number}_${u} = ${value};`);
          return `y${number}_${u}`;
        }),
      );
      this.note(number, names[number], extent);
      if (part.output !== undefined) this.store(part, results[number], count, extent);
    }
  }

  /** Vectors of operand i at an address, clamped to its range. @returns their names */
  load(i: number, address: string, count: number, extent: Extent): string[] {
    const { access, clampRange } = this.shape.args[i] as Operand;
    const type = this.typeOf(i);
    const { outer } = this.shape;
    const stride = `s${i}_${outer}`;
    return Array.from({ length: access === "splat" && extent !== "rows" ? 1 : count }, (_, u) => {
      const place = extent === "rows" ? `ROW_OF(${u}, s${i}_${outer - 1})` : `${u} * VECTOR_BYTES`;
      const code = {
        unit: `load_unit(${address} + ${place})`,
        splat: `load_splat(${address}${extent === "rows" ? ` + ${u} / ROW_VECTORS * s${i}_${outer - 1}` : ""})`,
        strided:
          extent === "whole"
            ? `load_strided(${address} + ${u} * LANES * ${stride}, ${stride})`
            : `load_strided_left(${address}, ${stride}, left)`,
      }[access];
      const name = `l${i}_${u}`;
      // What stands after the row's end has no range.
      const isCut = access === "unit" && extent === "left" && clampRange !== "none";
      const loaded = isCut ? `first_of((vf)${code}, left)` : `(${type})${code}`;
      this.lines.push(`${type} ${name} = ${CLAMPS[clampRange](loaded)};`);
      return name;
    });
  }

  /** The type of argument i, by the first program that reads it. */
  private typeOf(i: number): string {
    for (const { lowered, inputs } of this.parts) {
      const input = inputs.findIndex((source) => "arg" in source && source.arg === i);
      if (input >= 0) return typeName(lowered.program.inputs[input]);
    }
    return "vi";
  }

  /** The accumulators of `count` vectors, after all k. */
  private fold(names: Names, count: number, extent: Extent): readonly string[] {
    const { shape, lines } = this;
    const [{ lowered }] = this.parts;
    const type = typeName(lowered.program.inputs[0]);
    const loops = shape.fold!.loops;
    const accumulators = Array.from({ length: count }, (_, u) => `f${u}`);
    const moving = this.numbersOf((arg) => arg.kind === "operand" && !arg.fixed);
    const indices = this.numbersOf((arg) => arg.kind === "index");
    for (const name of accumulators) lines.push(`${type} ${name} = (${type})IBITS(start);`);
    if (indices.length > 0) lines.push("vi x = IBITS(0);");
    lines.push(...lowered.ready(names));
    for (let loop = 0; loop < loops; loop++) {
      for (const i of moving) lines.push(`char *m${i}_${loop} = ${loop === 0 ? `a${i}` : `m${i}_${loop - 1}`};`);
      lines.push(`for (int64_t t${loop} = r${loop}; t${loop} > 0; t${loop}--) {`);
    }
    const inside = names.slice();
    const args: Names = [];
    for (const i of indices) args[i] = ["x"];
    for (const i of moving) args[i] = this.load(i, `m${i}_${loops - 1}`, count, extent);
    this.give([inside], args);
    inside[0] = accumulators;
    lines.push(...lowered.ready(inside));
    this.note(0, inside, extent);
    const results = lowered.output(inside);
    accumulators.forEach((name, u) => lines.push(`${name} = ${results.length === 1 ? results[0] : results[u]};`));
    if (indices.length > 0) lines.push("x = x + 1;");
    for (let loop = loops - 1; loop >= 0; loop--) {
      for (const i of moving) lines.push(`m${i}_${loop} += q${i}_${loop};`);
      lines.push("}");
    }
    return accumulators;
  }
}

export const addressOf = ({ output }: Part): string => (output === "first" ? "o" : `a${output}`);
