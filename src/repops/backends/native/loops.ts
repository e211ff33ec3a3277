/**
 * Functions in C for map and fold kernels: loops around scalar programs. Kernels of the same shape share a
 * function, which reads addresses, extents and strides from a block of 64-bit words (parameterWords).
 */
import type { LoopShape } from "../../schedule/loop-shape.ts";
import type { Names } from "./lower.ts";
import { addressOf, Vectors } from "./vectors.ts";

/**
 * Programs with more instructions process fewer vectors at once, because the number of registers is limited.
 */
const LONG_PROGRAM = 60;
/** Folds of fewer instructions have so many chains at once; longer ones need the registers. */
const SHORT_FOLD = 4;
/** Programs with fewer results that may need `canon` have no fast form. */
const LEAST_ROUNDED = 3;
/** As many chains keep a core busy that needs 4 cycles for an addition and can begin two in each. */
const CHAINS = 8;

/** The definition of a function. */
export function loopSource(name: string, shape: LoopShape): string {
  const writer = new LoopWriter(shape);
  return writer.fast ? `${writer.write(`${name}_0`)}CHECKED(${name}, ${name}_0)\n` : writer.write(name);
}

/**
 * Names: `o0` is the output's address in loop 0, `e0` an extent, `w0` the output's stride, `r0` an extent of
 * the fold; of argument 2: `a2_0` is its address in loop 0, `s2_0` a stride, `q2_0` a stride of the fold,
 * `c2` a coordinate, `l2_0` the first vector. `y1_0` is the first vector of map 1.
 */
class LoopWriter {
  private readonly vectors: Vectors;
  private readonly shape: LoopShape;
  private readonly lines: string[];
  /** Whether it is worth a fast form, of which the function checks afterwards whether it was right. */
  readonly fast: boolean;

  constructor(shape: LoopShape) {
    this.vectors = new Vectors(shape);
    this.shape = shape;
    this.lines = this.vectors.lines;
    this.fast = this.isWorthChecking();
    this.vectors.fast = this.fast;
  }

  private isWorthChecking(): boolean {
    const {
      shape,
      vectors: { parts },
    } = this;
    const rounded = parts.reduce((sum, { lowered }) => sum + lowered.rounded, 0);
    // Exponentials are long to compile, and those of a softmax have a zero in each row, so that checks fail.
    const isExponential = parts.some(({ lowered }) => lowered.program.steps.some(({ name }) => name === "fldexp"));
    const isTold = parts.every(({ lowered: { noting } }) => noting?.checked ?? true);
    return !shape.fold && !shape.always && !isExponential && isTold && rounded >= LEAST_ROUNDED;
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
      if (arg.kind !== "operand" && arg.kind !== "output") return next(`int32_t c${i}`);
      addresses(`a${i}_0`);
      list(`s${i}_`, shape.outer + 1);
      list(`q${i}_`, shape.fold?.loops ?? 0);
    });
    const ranges = this.vectors.clampRanges();
    const collected = this.vectors.collected();
    const counter = (part: number): string => `(int64_t *)p[${word + part}]`;
    for (const range of ranges) this.lines.push(`Seen seen_${range} = {};`);
    for (const { name: mask } of collected) this.lines.push(`vi ${mask} = {};`);
    this.outerLoop(0);
    for (const range of ranges) this.lines.push(`tell(&seen_${range}, ${range.toUpperCase()}_MOST, ${counter(0)});`);
    for (const { name: mask, part, bit } of collected) this.lines.push(`tell_any(${mask}, ${bit}, ${counter(part)});`);
    if (this.vectors.parts.some(({ streamed }) => streamed)) this.lines.push("end_past();");
    const [head, first, last] = this.fast
      ? [`int ${name}(const int64_t *p, int exact)`, "START_CHECKS", "return ALL_RIGHT;"]
      : [`void ${name}(const int64_t *p)`, "", ""];
    return `static ${head} {\n${first}\n${this.lines.join("\n")}\n${last}}\n`;
  }

  private outerLoop(loop: number): void {
    const { shape, lines } = this;
    if (loop === shape.outer) return this.row();
    const coordinates = this.vectors.numbersOf((arg) => arg.kind === "coordinate" && arg.loop === loop);
    lines.push("{", `int64_t i${loop} = 0;`);
    if (loop === shape.outer - 1 && this.canTakeRows()) this.rows(loop);
    lines.push(`for (; i${loop} < e${loop}; i${loop}++) {`);
    lines.push(`char *o${loop + 1} = o${loop} + i${loop} * w${loop};`);
    for (const i of this.moved()) lines.push(`char *a${i}_${loop + 1} = a${i}_${loop} + i${loop} * s${i}_${loop};`);
    this.outerLoop(loop + 1);
    for (const i of coordinates) lines.push(`c${i}++;`);
    lines.push("}", "}");
    // An inner loop starts its coordinates again in each iteration of the loop around it.
    for (const i of coordinates) lines.push(`c${i} -= (int32_t)e${loop};`);
  }

  /** The arguments with an address. */
  private moved(): number[] {
    return this.vectors.numbersOf((arg) => arg.kind === "operand" || arg.kind === "output");
  }

  /** Whether rows of a fold can be processed together where each has only SHORT_ROW elements. */
  private canTakeRows(): boolean {
    const { fold, args } = this.shape;
    return (
      fold !== undefined &&
      args.every((arg) => arg.kind === "index" || (arg.kind === "operand" && arg.access !== "strided"))
    );
  }

  private rows(loop: number): void {
    const { lines } = this;
    lines.push(`if (e${loop + 1} == SHORT_ROW) for (; i${loop} + ROWS <= e${loop}; i${loop} += ROWS) {`);
    lines.push(`char *o = o${loop} + i${loop} * w${loop};`);
    for (const i of this.moved()) lines.push(`char *a${i} = a${i}_${loop} + i${loop} * s${i}_${loop};`);
    this.vectors.block(CHAINS, this.vectors.begin([]), [], "rows");
    lines.push("}");
  }

  /** How many vectors are processed at once, while there are so many. */
  private counts(): number[] {
    const {
      shape,
      vectors: { parts },
    } = this;
    const rows = this.vectors.numbersOf(
      (arg) => arg.kind === "operand" && arg.access === "strided" && !arg.fixed,
    ).length;
    // Each lane reads a row of its own, and rows that are apart by a power of two share few places in a
    // cache.
    if (shape.fold && rows > 0) return rows === 1 ? [2] : [1];
    const steps = parts.reduce((sum, { lowered }) => sum + lowered.program.steps.length, 0);
    if (steps > LONG_PROGRAM) return [2];
    return shape.fold && shape.outer === 0 && steps < SHORT_FOLD ? [CHAINS, 4] : [4];
  }

  /** One run along the vectorized axis. */
  private row(): void {
    const {
      shape,
      lines,
      vectors: { parts },
    } = this;
    const args: Names = [];
    const counted: number[] = [];
    lines.push("{", `int64_t left = e${shape.outer};`, `char *o = o${shape.outer};`);
    shape.args.forEach((arg, i) => {
      if (arg.kind === "coordinate") {
        const isCounted = arg.loop === shape.outer;
        if (isCounted) counted.push(i);
        lines.push(`vi k${i} = ${isCounted ? "COUNT + " : "(vi){} + "}c${i};`);
        if (!isCounted) args[i] = [`k${i}`];
      } else if (arg.kind !== "index") {
        lines.push(`char *a${i} = a${i}_${shape.outer};`);
        if (arg.kind === "operand" && arg.access === "splat" && arg.fixed)
          args[i] = this.vectors.load(i, `a${i}`, 1, "whole");
      }
    });
    const streamed = parts.flatMap((part) => (part.streamed ? [addressOf(part)] : []));
    if (streamed.length > 0)
      lines.push(`int aligned = !(((uintptr_t)${streamed.join(" | (uintptr_t)")}) % VECTOR_BYTES);`);
    const names = this.vectors.begin(args);
    this.vectors.ready(names);
    const copy = (): Names[] => names.map((own) => own.slice());
    // The exact form takes one vector after the other, because it runs seldom and takes long to compile.
    const condition = this.fast ? "!exact && " : "";
    for (const many of this.counts()) {
      lines.push(`for (; ${condition}left >= ${many} * LANES; left -= ${many} * LANES) {`);
      this.vectors.block(many, copy(), counted, "whole");
      lines.push("}");
    }
    lines.push("for (; left > 0; left -= LANES) {");
    this.vectors.block(1, copy(), counted, "left");
    lines.push("}", "}");
  }
}

/** The source of an object with these loops. */
export function unitSource(header: string, shapes: readonly LoopShape[]): string {
  const names = shapes.map((_, i) => `loop${i}`);
  return `${header}
${shapes.map((shape, i) => loopSource(names[i], shape)).join("\n")}
__attribute__((visibility("default"))) int64_t verde_loop(int64_t number) {
  static void (*const loops[])(const int64_t *) = { ${names.join(", ")} };
  return (int64_t)(intptr_t)loops[number];
}
`;
}
