/**
 * Functions in C for map and fold kernels: loops around a scalar program. Kernels of the same shape share a
 * function, which reads addresses, extents and strides from a block of 64-bit words (parameterWords).
 */
import type { ClampRange } from "../../kernels/kernel.ts";
import { valueTypes } from "../../programs/program.ts";
import type { ArgShape, LoopShape } from "../../schedule/loop-shape.ts";
import { lower, type Lowered, type Names } from "./lower.ts";

/**
 * Programs with more instructions process fewer vectors at once, because the number of registers is limited.
 */
const LONG_PROGRAM = 60;

/** The definition of a function. */
export function loopSource(name: string, shape: LoopShape): string {
  return new LoopWriter(shape).write(name);
}

type Operand = ArgShape & { kind: "operand" };

const CLAMPS = {
  none: (x) => x,
  dot: (x) => `dot_range(${x})`,
  sum: (x) => `sum_range(${x})`,
} as const satisfies Record<ClampRange, (x: string) => string>;

/**
 * Names: `o0` is the output's address in loop 0, `e0` an extent, `w0` the output's stride, `r0` an extent of
 * the fold; of argument 2: `a2_0` is its address in loop 0, `s2_0` a stride, `q2_0` a stride of the fold,
 * `c2` a coordinate.
 */
class LoopWriter {
  private readonly shape: LoopShape;
  private readonly lowered: Lowered;
  private readonly types: readonly string[];
  private readonly lines: string[] = [];

  constructor(shape: LoopShape) {
    this.shape = shape;
    this.lowered = lower(shape);
    this.types = valueTypes(shape.program).map((type) => (type === "f" ? "vf" : "vi"));
  }

  write(name: string): string {
    const { shape } = this;
    let word = 0;
    const next = (declared: string): void => void this.lines.push(`${declared} = p[${word++}];`);
    const addresses = (first: string): void => void this.lines.push(`char *${first} = (char *)p[${word++}];`);
    addresses("o0");
    next("const int32_t start");
    const list = (letter: string, count: number): void => {
      for (let i = 0; i < count; i++) next(`const int64_t ${letter}${i}`);
    };
    list("e", shape.outer + 1);
    list("w", shape.outer);
    list("r", shape.fold?.loops ?? 0);
    shape.args.forEach((arg, i) => {
      if (arg.kind !== "operand") return next(`int32_t c${i}`);
      addresses(`a${i}_0`);
      list(`s${i}_`, shape.outer + 1);
      list(`q${i}_`, shape.fold?.loops ?? 0);
    });
    this.outerLoop(0);
    return `static void ${name}(const int64_t *p) {\n${this.lines.join("\n")}\n}\n`;
  }

  private outerLoop(loop: number): void {
    const { shape, lines } = this;
    if (loop === shape.outer) return this.row();
    const operands = this.numbersOf((arg) => arg.kind === "operand");
    const coordinates = this.numbersOf((arg) => arg.kind === "coordinate" && arg.loop === loop);
    lines.push(`for (int64_t i${loop} = 0; i${loop} < e${loop}; i${loop}++) {`);
    lines.push(`char *o${loop + 1} = o${loop} + i${loop} * w${loop};`);
    for (const i of operands) lines.push(`char *a${i}_${loop + 1} = a${i}_${loop} + i${loop} * s${i}_${loop};`);
    this.outerLoop(loop + 1);
    for (const i of coordinates) lines.push(`c${i}++;`);
    lines.push("}");
    // An inner loop starts its coordinates again in each iteration of the loop around it.
    for (const i of coordinates) lines.push(`c${i} -= (int32_t)e${loop};`);
  }

  private numbersOf(wanted: (arg: ArgShape) => boolean): number[] {
    return this.shape.args.flatMap((arg, i) => (wanted(arg) ? [i] : []));
  }

  /** The number of the program's input that argument i is. */
  private input(i: number): number {
    return this.shape.fold ? i + 1 : i;
  }

  /** The number of vectors that are processed at once. */
  private vectors(): number {
    const { shape, lowered } = this;
    const rows = this.numbersOf((arg) => arg.kind === "operand" && arg.access === "strided" && !arg.fixed).length;
    // Each lane reads a row of its own, and rows that are apart by a power of two share few places in a
    // cache.
    if (shape.fold && rows > 0) return rows === 1 ? 2 : 1;
    return lowered.program.steps.length > LONG_PROGRAM ? 2 : 4;
  }

  /** One run along the vectorized axis. */
  private row(): void {
    const { shape, lines, lowered } = this;
    const names = lowered.begin();
    const counted: number[] = [];
    lines.push("{", `int64_t left = e${shape.outer};`, `char *o = o${shape.outer};`);
    shape.args.forEach((arg, i) => {
      if (arg.kind === "coordinate") {
        const isCounted = arg.loop === shape.outer;
        if (isCounted) counted.push(i);
        lines.push(`vi k${i} = ${isCounted ? "COUNT + " : "(vi){} + "}c${i};`);
        if (!isCounted) names[this.input(i)] = [`k${i}`];
      } else if (arg.kind === "operand") {
        lines.push(`char *a${i} = a${i}_${shape.outer};`);
        if (arg.access === "splat" && arg.fixed) names[this.input(i)] = this.load(i, `a${i}`, 1, true);
      }
    });
    lines.push(...lowered.ready(names));
    const many = this.vectors();
    lines.push(`for (; left >= ${many} * LANES; left -= ${many} * LANES) {`);
    this.block(many, names.slice(), counted, true);
    lines.push("}", "for (; left > 0; left -= LANES) {");
    this.block(1, names.slice(), counted, false);
    lines.push("}", "}");
  }

  /** Processes `count` vectors; unless they are whole, the row may end inside of the one vector. */
  private block(count: number, names: Names, counted: readonly number[], whole: boolean): void {
    const { shape, lines } = this;
    const vectors = [...Array(count).keys()];
    for (const i of counted) names[this.input(i)] = vectors.map((u) => `(k${i} + ${u} * LANES)`);
    shape.args.forEach((arg, i) => {
      if (arg.kind === "operand" && arg.fixed && arg.access !== "splat")
        names[this.input(i)] = this.load(i, `a${i}`, count, whole);
    });
    const results = shape.fold ? this.fold(names, count, whole) : this.map(names);
    for (const u of vectors) {
      const result = results.length === 1 ? results[0] : results[u];
      lines.push(whole ? `store(o + ${u} * VECTOR_BYTES, (vi)${result});` : `store_left(o, (vi)${result}, left);`);
    }
    lines.push(`o += ${count} * VECTOR_BYTES;`);
    shape.args.forEach((arg, i) => {
      if (arg.kind !== "operand" || arg.access === "splat") return;
      const step = arg.access === "unit" ? `${count} * VECTOR_BYTES` : `${count} * LANES * s${i}_${shape.outer}`;
      lines.push(`a${i} += ${step};`);
    });
    for (const i of counted) lines.push(`k${i} = k${i} + ${count} * LANES;`);
  }

  private map(names: Names): readonly string[] {
    this.lines.push(...this.lowered.ready(names));
    return this.lowered.output(names);
  }

  /** Vectors of operand i at an address, clamped to its range. @returns their names */
  private load(i: number, address: string, count: number, whole: boolean): string[] {
    const { access, clampRange } = this.shape.args[i] as Operand;
    const input = this.input(i);
    const type = this.types[input];
    const stride = `s${i}_${this.shape.outer}`;
    return Array.from({ length: access === "splat" ? 1 : count }, (_, u) => {
      const code = {
        unit: `load_unit(${address} + ${u} * VECTOR_BYTES)`,
        splat: `load_splat(${address})`,
        strided: whole
          ? `load_strided(${address} + ${u} * LANES * ${stride}, ${stride})`
          : `load_strided_left(${address}, ${stride}, left)`,
      }[access];
      const name = `v${input}_${u}`;
      this.lines.push(`${type} ${name} = ${CLAMPS[clampRange](`(${type})${code}`)};`);
      return name;
    });
  }

  /** The accumulators of `count` vectors, after all k. */
  private fold(names: Names, count: number, whole: boolean): readonly string[] {
    const { shape, lines, lowered } = this;
    const loops = shape.fold!.loops;
    const accumulators = Array.from({ length: count }, (_, u) => `f${u}`);
    const moving = this.numbersOf((arg) => arg.kind === "operand" && !arg.fixed);
    const indices = this.numbersOf((arg) => arg.kind === "index");
    for (const name of accumulators) lines.push(`${this.types[0]} ${name} = (${this.types[0]})IBITS(start);`);
    if (indices.length > 0) lines.push("vi x = IBITS(0);");
    lines.push(...lowered.ready(names));
    for (let loop = 0; loop < loops; loop++) {
      for (const i of moving) lines.push(`char *m${i}_${loop} = ${loop === 0 ? `a${i}` : `m${i}_${loop - 1}`};`);
      lines.push(`for (int64_t t${loop} = r${loop}; t${loop} > 0; t${loop}--) {`);
    }
    const inside = names.slice();
    inside[0] = accumulators;
    for (const i of indices) inside[this.input(i)] = ["x"];
    for (const i of moving) inside[this.input(i)] = this.load(i, `m${i}_${loops - 1}`, count, whole);
    lines.push(...lowered.ready(inside));
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
