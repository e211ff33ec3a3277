/**
 * The tile of a fold along rows. If each thread read a row of its own from memory, neighbouring threads would
 * read words that are far apart. So the threads of a block load a part of all its rows together, in the order
 * of memory, into shared memory, and then each chain reads its own row there. Chains keep their order.
 */
import { type Arg, type FoldKernel } from "../../kernels/kernel.ts";
import type { Draft } from "./launch.ts";
import { addressOf, innermost } from "./places.ts";
import type { Body } from "./ptx.ts";

/** Threads of a block. All of them load; the first ones have a chain each. */
export const ROWS_BLOCK = 128;
/** Chains of a block, and words of an operand's tile. */
const [MOST_ROWS, WORDS] = [32, 2048];
/** Shorter rows are read by the caches in a piece. */
const LEAST_DEPTH = 16;
/** Operands in tiles: together they fit into the shared memory that every block has. */
const MOST_OPERANDS = 4;

/** How a fold's rows are cut. Both numbers are powers of two. */
export interface RowForm {
  readonly rows: number;
  readonly depth: number;
  /** The places of the arguments that are read in tiles. */
  readonly args: readonly number[];
}

/** The least power of two that is not below a number. */
const powerFrom = (least: number): number => 2 ** (32 - Math.clz32(least - 1));

/** Whether neighbouring elements read far apart, and each of them one word after the other. */
function isAlongRows({ type: { shape } }: FoldKernel, arg: Arg): boolean {
  if (arg.kind !== "operand" || arg.view.bounds) return false;
  const { strides } = arg.view;
  const inner = innermost(shape);
  return strides[shape.length] === 1 && (inner < 0 || (strides[inner] !== 0 && strides[inner] !== 1));
}

/**
 * How a fold is cut into tiles; `undefined` where no operand is read along rows.
 * @param kernel its reduced axes are joined
 * @param elements of its output
 */
export function rowFormOf(kernel: FoldKernel, elements: number): RowForm | undefined {
  const [count, ...others] = kernel.reduce;
  if (others.length > 0 || count === undefined || count < LEAST_DEPTH) return undefined;
  const rows = Math.min(MOST_ROWS, powerFrom(elements));
  const depth = Math.min(WORDS / rows, powerFrom(count));
  const args = [...kernel.args.keys()].filter((i) => isAlongRows(kernel, kernel.args[i])).slice(0, MOST_OPERANDS);
  return args.length > 0 && rows * depth >= ROWS_BLOCK ? { rows, depth, args } : undefined;
}

/** What a thread of a fold's block has. Registers, but for the numbers. */
export class RowTile {
  /** The thread's element of the output; the last one where it has none. */
  readonly element: string;
  /** Whether the thread has a chain. */
  readonly isOwn: string;
  readonly form: RowForm;
  private readonly body: Body;
  /** Words of an operand's tile: each row has one more, so that threads use different banks. */
  private readonly words: number;
  /** Where rows begin in memory, and their parts that were loaded: addresses in shared memory. */
  private readonly starts: string;
  private readonly loaded: string;
  private readonly local: string;
  /** Addresses of the thread's first load: of its row's start, and of its word; and its place in the row. */
  private readonly from: string;
  private readonly to: string;
  private readonly k: string;

  constructor({ body }: Draft, form: RowForm, elements: number) {
    const { rows, depth, args } = form;
    this.body = body;
    this.form = form;
    this.words = rows * (depth + 1);
    this.starts = body.sharedWords(rows * args.length);
    this.loaded = body.sharedWords(this.words * args.length);
    this.local = body.fresh("r", "mov.u32", "%tid.x");
    const block = body.fresh("r", "mul.lo.s32", body.fresh("r", "mov.u32", "%ctaid.x"), String(rows));
    const number = body.value("r", "add.s32", block, this.local);
    this.element = body.value("r", "min.u32", number, String(elements - 1));
    this.isOwn = body.value("p", "and.pred", this.hasRow(), body.value("p", "setp.lt.u32", number, String(elements)));
    const row = body.value("r", "shr.u32", this.local, String(31 - Math.clz32(depth)));
    this.k = body.value("r", "and.b32", this.local, String(depth - 1));
    const word = body.value("r", "add.s32", body.value("r", "mul.lo.s32", row, String(depth + 1)), this.k);
    this.from = this.at(this.starts, row);
    this.to = this.at(this.loaded, word);
  }

  private hasRow(): string {
    return this.body.value("p", "setp.lt.u32", this.local, String(this.form.rows));
  }

  private at(base: string, words: string): string {
    return this.body.value("r", "add.s32", base, this.body.value("r", "shl.b32", words, "2"));
  }

  /**
   * Writes what is done for the rows, part by part. Threads that have no row end after the last one.
   * @param count of a row's words
   * @param from where the rows of this thread begin in the operands, in elements, and the operands' addresses
   * @param write what a thread does with a part, from a fold index up to, not including, another one
   */
  parts(
    count: number,
    { starts, tensors }: { starts: readonly string[]; tensors: readonly string[] },
    write: (first: string, end: string) => void,
  ): void {
    const { body } = this;
    const { rows, depth } = this.form;
    const own = this.at(this.starts, this.local);
    for (const [i, start] of starts.entries())
      body.emit(`@${this.hasRow()} st.shared.b32 [${own}+${4 * i * rows}], ${start};`);
    body.emit("bar.sync 0;");
    const from = body.variable("r");
    body.emit(`mov.b32 ${from}, 0;`);
    const [part, skipped, end] = [body.label(), body.label(), body.label()];
    body.emit(`${part}:`);
    body.scope(() => {
      const first = body.fresh("r", "mov.b32", from);
      this.load(first, count, tensors);
      body.emit("bar.sync 0;");
      body.emit(`@!${this.isOwn} bra ${skipped};`);
      body.scope(() => {
        const beyond = body.value("r", "add.s32", first, String(depth));
        write(first, count % depth === 0 ? beyond : body.value("r", "min.u32", beyond, String(count)));
      });
      body.emit(`${skipped}:`);
      body.emit(`add.s32 ${from}, ${from}, ${depth};`);
      body.emit(`@${body.fresh("p", "setp.ge.u32", from, String(count))} bra ${end};`);
      // All have read the part that the next turn overwrites.
      body.emit("bar.sync 0;");
      body.emit(`bra ${part};`);
    });
    body.emit(`${end}:`);
    body.emit(`@!${this.isOwn} ret;`);
  }

  /** Loads the rows' words from `first` on, as far as they go. */
  private load(first: string, count: number, tensors: readonly string[]): void {
    const { body, form } = this;
    const { rows, depth } = form;
    const places = Array.from({ length: (rows * depth) / ROWS_BLOCK }, (_, i) => {
      // Rows that are longer than a block are loaded in pieces, shorter ones several at once.
      const [row, k] = [Math.floor((ROWS_BLOCK * i) / depth), (ROWS_BLOCK * i) % depth];
      return { row, k, at: body.value("r", "add.s32", first, k === 0 ? this.k : body.value("r", "add.s32", this.k, String(k))) }; // prettier-ignore
    });
    const words = tensors.map((tensor, operand) =>
      places.map(({ row, at }) => {
        const start = body.fresh("r", "ld.shared.b32", `[${this.from}+${4 * (operand * rows + row)}]`);
        const address = addressOf(body, tensor, body.value("r", "add.s32", start, at));
        if (count % depth === 0) return body.fresh("r", "ld.global.nc.b32", `[${address}]`);
        const word = body.fresh("r", "mov.b32", "0");
        body.emit(`@${body.value("p", "setp.lt.u32", at, String(count))} ld.global.nc.b32 ${word}, [${address}];`);
        return word;
      }),
    );
    for (const [operand, own] of words.entries())
      for (const [i, word] of own.entries()) {
        const { row, k } = places[i];
        body.emit(`st.shared.b32 [${this.to}+${4 * (operand * this.words + row * (depth + 1) + k)}], ${word};`);
      }
  }

  /** The address of the first word of this thread's row. */
  row(): string {
    const { body, form } = this;
    return this.at(this.loaded, body.value("r", "mul.lo.s32", this.local, String(form.depth + 1)));
  }

  /** The word of an operand. @param address in the first operand's tile */
  word(bank: "f" | "r", address: string, operand: number): string {
    return this.body.fresh(bank, "ld.shared.b32", `[${address}+${4 * operand * this.words}]`);
  }
}
