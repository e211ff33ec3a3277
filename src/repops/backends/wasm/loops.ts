/**
 * Functions for map and fold kernels: loops around a scalar program. Kernels with the same program and the
 * same loops share a function; it reads addresses, extents and strides from a block of parameters in memory
 * (parameters.ts).
 */
import { NOTED } from "../../kernels/kernel.ts";
import { rangedFloat } from "../../ranges/values.ts";
import type { ArgShape, LoopShape } from "../../schedule/loop-shape.ts";
import { Clamping, firstLanes } from "./clamping.ts";
import type { FunctionBuilder, Local, ModuleBuilder } from "./emitter.ts";
import type { Constants } from "./instructions.ts";
import { lower, type Lowered, type Vectors } from "./lower.ts";
import { type Code, i32, i32x4, v128, ValueType } from "./opcodes.ts";

/**
 * Programs with more instructions process fewer vectors at once, because the number of registers is limited.
 */
const LONG_PROGRAM = 60;

/**
 * Adds the function of a shape to a module. The function takes the address of its parameters, and returns the
 * `NOTED` bits.
 */
export function addLoops(
  module: ModuleBuilder,
  name: string,
  shape: LoopShape,
  address: (bits: number) => number,
): void {
  const lowered = loweredOf(shape);
  // A first pass, whose code is discarded, finds the constants, because they have to be loaded before the
  // loops.
  const used = new Set<number>();
  new LoopWriter(module.scratch(), shape, lowered, (bits) => (used.add(bits), i32x4.splat(i32.const(0)))).write();
  module.function(name, [ValueType.i32], [ValueType.i32], (f) => {
    const constants = new Map<number, Local>();
    for (const bits of used)
      constants.set(bits, f.local(ValueType.v128, v128.splatLoad32(i32.const(0), address(bits))));
    new LoopWriter(f, shape, lowered, (bits) => constants.get(bits)!).write();
  });
}

function loweredOf({ program, fold, args, always }: LoopShape): Lowered {
  const ranges = args.map((arg) =>
    arg.kind === "operand" && arg.clampRange !== "none" ? rangedFloat(arg.clampRange) : undefined,
  );
  if (!fold) return lower(program, ranges, undefined, always);
  return lower(program, [undefined, ...ranges], fold.startsAtZero ? 0 : 1, always);
}

/** An operand while the code is written: its parameters, and the pointer of each loop. */
interface Pointers {
  strides: Local[];
  reduceStrides: Local[];
  /** `at[l]` is the pointer of loop l; the last one moves along the vectorized axis. */
  at: Local[];
  /** For lanes apart: the distance of each lane from the first. */
  lanes: Local[];
  /** For lanes apart: the distance of one, two, three and four vectors. */
  vectors: Local[];
}

class LoopWriter {
  private readonly f: FunctionBuilder;
  private readonly shape: LoopShape;
  private readonly lowered: Lowered;
  private readonly constants: Constants;

  private out: Local[] = [];
  private start!: Local;
  private extents: Local[] = [];
  private outStrides: Local[] = [];
  private reduceExtents: Local[] = [];
  private args: Pointers[] = [];
  /** 0, 1, 2, 3 where a coordinate needs it. */
  private lanes: Local | undefined;
  /** Elements left on the vectorized axis. */
  private left!: Local;
  private readonly clampings = new Map<string, Clamping>();
  /** The masks that collect what the steps note, in the order of its bits. */
  private notes: Local[] = [];
  /** Of a map that may note saturated results: the greatest magnitude of all results, in each lane. */
  private greatest: Local | undefined;
  /**
   * Whether a second pass is written, which computes all again, tells of saturated results, and stores none.
   */
  private telling = false;

  constructor(f: FunctionBuilder, shape: LoopShape, lowered: Lowered, constants: Constants) {
    this.f = f;
    this.shape = shape;
    this.lowered = lowered;
    this.constants = constants;
  }

  write(): void {
    const { f, shape } = this;
    let word = 0;
    const words = new Map<Local, number>();
    const next = (): Local => {
      const local = f.local(ValueType.i32, i32.load(f.parameter(0), 4 * word));
      words.set(local, word++);
      return local;
    };
    const list = (count: number): Local[] => Array.from({ length: count }, next);
    const copies = (first: Local): Local[] => [
      first,
      ...Array.from({ length: shape.outer }, () => f.local(ValueType.i32)),
    ];
    this.out = copies(next());
    this.start = f.local(ValueType.v128, i32x4.splat(next()));
    this.extents = list(shape.outer + 1);
    this.outStrides = list(shape.outer);
    this.reduceExtents = list(shape.fold?.loops ?? 0);
    this.args = shape.args.map((arg) => {
      const base = next();
      if (arg.kind !== "operand") return { strides: [], reduceStrides: [], at: [base], lanes: [], vectors: [] };
      const strides = list(shape.outer + 1);
      const reduceStrides = list(shape.fold?.loops ?? 0);
      const strided = arg.access === "strided" ? [1, 2, 3, 4] : [];
      const lanes = strided.slice(1).map(() => f.local(ValueType.i32));
      const vectors = strided.map((u) => f.local(ValueType.i32, i32.mul(strides[shape.outer], i32.const(4 * u))));
      return { strides, reduceStrides, at: copies(base), lanes, vectors };
    });
    this.left = f.local(ValueType.i32);
    if (shape.args.some((arg) => arg.kind === "coordinate" && arg.loop === shape.outer))
      this.lanes = f.local(ValueType.v128, v128.const32([0, 1, 2, 3]));
    for (const range of ["dot", "sum"] as const)
      if (shape.args.some((arg) => arg.kind === "operand" && arg.clampRange === range))
        this.clampings.set(range, new Clamping(f, this.constants, range));
    this.notes = this.lowered.notes.map(() => f.local(ValueType.v128));
    if (!shape.fold && this.lowered.tellsOfSaturation) this.greatest = f.local(ValueType.v128);
    this.outerLoop(0);
    if (this.greatest)
      f.if(this.lowered.mayBeSaturated(this.greatest, this.constants), () => {
        // No operand of a map lies where its results do.
        for (const { at } of this.operands()) f.set(at[0], i32.load(f.parameter(0), 4 * words.get(at[0])!));
        this.telling = true;
        this.outerLoop(0);
      });
    const clamped = [...this.clampings.values()].reduce((all, { found }) => i32.or(all, found), i32.const(0));
    const told = this.lowered.notes.map(({ bit }, i) => i32.mul(v128.anyTrue(this.notes[i]), i32.const(bit)));
    f.emit(told.reduce((all, more) => i32.or(all, more), clamped));
  }

  /**
   * Collects what the steps of these vectors note.
   * @param isTail the row may end inside of the one vector, and what stands after it notes nothing
   */
  private note(vectors: Vectors, isTail: boolean): void {
    const { f, lowered, constants } = this;
    const own = (value: Code): Code => (isTail ? firstLanes(value, this.left) : value);
    for (const [i, { bit, value }] of lowered.notes.entries()) {
      const collect = (): void => {
        for (const mask of vectors[value]!) f.set(this.notes[i], v128.or(this.notes[i], own(mask)));
      };
      const collectLate = (): void => {
        lowered.emitReady(f, constants, vectors, true);
        collect();
      };
      if (bit !== NOTED.saturated) collect();
      else if (this.telling) collectLate();
      else if (this.greatest) f.set(this.greatest, i32x4.maxS(this.greatest, own(lowered.greatest(vectors))));
      else f.if(lowered.mayBeSaturated(f.local(ValueType.v128, lowered.greatest(vectors)), constants), collectLate);
    }
  }

  private outerLoop(loop: number): void {
    const { f, shape } = this;
    if (loop === shape.outer) return this.row();
    const turns = f.local(ValueType.i32, this.extents[loop]);
    f.doWhile(() => {
      f.set(this.out[loop + 1], this.out[loop]);
      for (const { at } of this.operands()) f.set(at[loop + 1], at[loop]);
      this.outerLoop(loop + 1);
      f.increment(this.out[loop], this.outStrides[loop]);
      for (const { at, strides } of this.operands()) f.increment(at[loop], strides[loop]);
      shape.args.forEach((arg, i) => {
        if (arg.kind === "coordinate" && arg.loop === loop) f.increment(this.args[i].at[0], 1);
      });
      f.increment(turns, -1);
    }, turns);
    // An inner loop starts its coordinates again in each iteration of the loop around it.
    shape.args.forEach((arg, i) => {
      if (arg.kind === "coordinate" && arg.loop === loop)
        f.set(this.args[i].at[0], i32.sub(this.args[i].at[0], this.extents[loop]));
    });
  }

  private operands(): Pointers[] {
    return this.args.filter((_, i) => this.shape.args[i].kind === "operand");
  }

  /** The number of the program's input that arg `i` is. */
  private input(i: number): number {
    return this.shape.fold ? i + 1 : i;
  }

  /** One run along the vectorized axis. */
  private row(): void {
    const { f, shape } = this;
    const vectors = this.lowered.begin(this.constants);
    const coordinates = new Map<number, Local>();
    shape.args.forEach((arg, i) => {
      const base = this.args[i].at[0];
      if (arg.kind === "coordinate" && arg.loop === shape.outer)
        coordinates.set(i, f.local(ValueType.v128, i32x4.add(i32x4.splat(base), this.lanes!)));
      else if (arg.kind === "coordinate") vectors[this.input(i)] = [f.local(ValueType.v128, i32x4.splat(base))];
      else if (arg.kind === "operand" && arg.access === "splat" && arg.fixed)
        vectors[this.input(i)] = [this.load(i, this.args[i].at[shape.outer], 0)];
    });
    this.lowered.emitReady(f, this.constants, vectors);
    f.set(this.left, this.extents[shape.outer]);
    const many = this.lowered.program.steps.length > LONG_PROGRAM ? 2 : 4;
    this.strideLanes(false);
    if (!this.telling) f.while(i32.geU(this.left, i32.const(4 * many)), () => this.block(many, vectors, coordinates));
    f.while(this.left, () => {
      this.strideLanes(true);
      this.block(1, vectors, coordinates);
    });
  }

  /** The addresses of lanes apart. Lanes after the row's end read its last element again. */
  private strideLanes(tail: boolean): void {
    const { f, shape } = this;
    for (const { strides, lanes } of this.operands()) {
      const stride = strides[shape.outer];
      lanes.forEach((lane, i) => {
        const last = i32.sub(this.left, i32.const(1));
        const inside = i32.gtU(this.left, i32.const(i + 1));
        const step = tail ? select(i32.const(i + 1), last, inside) : i32.const(i + 1);
        f.set(lane, i32.mul(stride, step));
      });
    }
  }

  /** Processes `count` vectors. If `count` is 1, the row may end inside the vector. */
  private block(count: number, row: Vectors, coordinates: ReadonlyMap<number, Local>): void {
    const { f, shape } = this;
    const vectors = row.slice();
    for (const [i, first] of coordinates)
      vectors[this.input(i)] = Array.from({ length: count }, (_, u) =>
        u === 0 ? first : f.local(ValueType.v128, i32x4.add(first, this.constants(4 * u))),
      );
    shape.args.forEach((arg, i) => {
      if (arg.kind === "operand" && arg.fixed && arg.access !== "splat")
        vectors[this.input(i)] = Array.from({ length: count }, (_, u) =>
          this.load(i, this.args[i].at[shape.outer], u, count === 1),
        );
    });
    const results = shape.fold ? this.fold(count, vectors) : this.map(vectors, count === 1);
    const out = this.out[shape.outer];
    if (this.telling) return this.advance(count, coordinates);
    if (count > 1) this.storeAll(out, results, count);
    else this.storeTail(out, results[0]);
    this.advance(count, coordinates);
  }

  private map(vectors: Vectors, isTail: boolean): readonly Code[] {
    this.lowered.emitReady(this.f, this.constants, vectors);
    this.note(vectors, isTail);
    return this.lowered.output(this.constants, vectors);
  }

  private storeAll(out: Local, results: readonly Code[], count: number): void {
    for (let u = 0; u < count; u++) this.f.emit(v128.store(out, results[results.length === 1 ? 0 : u], 16 * u));
  }

  private storeTail(out: Local, result: Code): void {
    const { f, left } = this;
    const value = f.local(ValueType.v128, result);
    f.if(
      i32.geU(left, i32.const(4)),
      () => f.emit(v128.store(out, value)),
      () => {
        f.emit(v128.storeLane32(out, value, 0));
        for (const lane of [1, 2])
          f.if(i32.gtU(left, i32.const(lane)), () => f.emit(v128.storeLane32(out, value, lane, 4 * lane)));
      },
    );
  }

  private advance(count: number, coordinates: ReadonlyMap<number, Local>): void {
    const { f, shape } = this;
    f.increment(this.out[shape.outer], 16 * count);
    this.args.forEach(({ at, vectors }, i) => {
      const arg = shape.args[i];
      if (arg.kind !== "operand" || arg.access === "splat") return;
      f.increment(at[shape.outer], arg.access === "unit" ? 16 * count : vectors[count - 1]);
    });
    for (const coordinate of coordinates.values()) f.set(coordinate, i32x4.add(coordinate, this.constants(4 * count)));
    const taken = i32.const(4 * count);
    f.set(
      this.left,
      count > 1
        ? i32.sub(this.left, taken)
        : select(i32.sub(this.left, taken), i32.const(0), i32.gtU(this.left, taken)),
    );
  }

  /**
   * Vector `u` of operand `i` at an address, clamped to its range.
   * @param isTail the row may end inside of it
   */
  private load(i: number, pointer: Code, u: number, isTail = false): Local {
    const { f, shape } = this;
    const arg = shape.args[i] as ArgShape & { kind: "operand" };
    const { lanes, vectors } = this.args[i];
    let value: Code;
    if (arg.access === "unit") value = v128.load(pointer, 16 * u);
    else if (arg.access === "splat") value = v128.splatLoad32(pointer);
    else {
      const first = f.local(ValueType.i32, u === 0 ? pointer : i32.add(pointer, vectors[u - 1]));
      value = v128.splatLoad32(first);
      lanes.forEach((lane, j) => (value = v128.loadLane32(i32.add(first, lane), value, j + 1)));
    }
    if (arg.clampRange === "none") return f.local(ValueType.v128, value);
    // What stands after the row's end has no range.
    const own = isTail && arg.access === "unit" ? firstLanes(value, this.left) : value;
    return f.local(ValueType.v128, this.clampings.get(arg.clampRange)!.ranged(own));
  }

  /** The accumulators of `count` vectors, after all k. */
  private fold(count: number, vectors: Vectors): readonly Code[] {
    const { f, shape } = this;
    const loops = shape.fold!.loops;
    const accumulators = Array.from({ length: count }, () => f.local(ValueType.v128, this.start));
    const moving = shape.args.flatMap((arg, i) => (arg.kind === "operand" && !arg.fixed ? [i] : []));
    const pointers = new Map(
      moving.map((i) => [
        i,
        Array.from({ length: loops }, (_, loop) =>
          loop === 0 ? f.local(ValueType.i32, this.args[i].at[shape.outer]) : f.local(ValueType.i32),
        ),
      ]),
    );
    const hasIndex = shape.args.some((arg) => arg.kind === "index");
    const index = hasIndex ? f.local(ValueType.v128, this.constants(0)) : undefined;
    this.lowered.emitReady(f, this.constants, vectors);
    const loop = (level: number): void => {
      if (level === loops) {
        this.foldStep(accumulators, vectors, (i) => pointers.get(i)![loops - 1], index);
        if (index) f.set(index, i32x4.add(index, this.constants(1)));
        return;
      }
      const turns = f.local(ValueType.i32, this.reduceExtents[level]);
      f.doWhile(() => {
        if (level + 1 < loops) for (const at of pointers.values()) f.set(at[level + 1], at[level]);
        loop(level + 1);
        for (const [i, at] of pointers) f.increment(at[level], this.args[i].reduceStrides[level]);
        f.increment(turns, -1);
      }, turns);
    };
    loop(0);
    return accumulators;
  }

  /** acc ← step(acc, …), never -0. */
  private foldStep(
    accumulators: readonly Local[],
    outside: Vectors,
    pointer: (i: number) => Local,
    index: Local | undefined,
  ): void {
    const { f, shape } = this;
    const vectors = outside.slice();
    vectors[0] = accumulators;
    shape.args.forEach((arg, i) => {
      if (arg.kind === "index") vectors[this.input(i)] = [index!];
      else if (arg.kind === "operand" && !arg.fixed) {
        const width = arg.access === "splat" ? 1 : accumulators.length;
        const isTail = accumulators.length === 1;
        vectors[this.input(i)] = Array.from({ length: width }, (_, u) => this.load(i, pointer(i), u, isTail));
      }
    });
    this.lowered.emitReady(f, this.constants, vectors);
    this.note(vectors, accumulators.length === 1);
    const results = this.lowered.output(this.constants, vectors);
    accumulators.forEach((accumulator, u) => f.set(accumulator, results[results.length === 1 ? 0 : u]));
  }
}

function select(ifTrue: Code, ifFalse: Code, condition: Code): Code {
  return [...ifTrue, ...ifFalse, ...condition, SELECT];
}

const SELECT = 0x1b;
