/**
 * Matrix products in tiles, as PTX. A block loads tiles of both operands into shared memory, brings them into
 * the dot range, and computes the next sums while the loads of the tile after it are under way. Each sum is
 * one chain in the order of k: tiles decide which outputs are computed together. Elements outside of the
 * matrix are 0: adding a product of 0 changes no sum, because no sum is ever -0 (spec 4.3).
 */
import type { KernelList } from "../../kernels/kernel.ts";
import type { ProductForm } from "../../schedule/product-form.ts";
import { Draft, type Launch } from "./launch.ts";
import { addressOf, Seen } from "./places.ts";
import { type Operand, operandsOf, Panel } from "./product-panel.ts";
import type { Body } from "./ptx.ts";
import { threadsOf, type Tile } from "./tile.ts";

/** Blocks that give all processors of a large device something to do. */
const ENOUGH = 256;
/** Blocks of a launch. */
const MOST_BLOCKS = 2 ** 31 - 1;

interface Blocks {
  readonly rows: number;
  readonly columns: number;
  readonly all: number;
}

function blocksOf({ row, column, batch }: ProductForm, tile: Tile): Blocks {
  const rows = Math.ceil(row.extent / tile.rows);
  const columns = Math.ceil(column.extent / tile.columns);
  return { rows, columns, all: batch.reduce((count, { extent }) => count * extent, rows * columns) };
}

/** The largest tile that leaves work for all processors, and is not half empty. */
function chooseTile(form: ProductForm, tiles: readonly Tile[]): Tile {
  const fits = (tile: Tile): boolean =>
    tile.rows < 2 * form.row.extent && tile.columns < 2 * form.column.extent && blocksOf(form, tile).all >= ENOUGH;
  return tiles.find(fits) ?? tiles[tiles.length - 1];
}

/**
 * A product as a launch, or `undefined` when it has more blocks than one launch. Extents and strides of plain
 * matrices are arguments, so products share their code, and so one compilation.
 */
export function productLaunch(
  list: KernelList,
  form: ProductForm,
  index: number,
  tiles: readonly Tile[],
): Launch | undefined {
  const tile = chooseTile(form, tiles);
  const blocks = blocksOf(form, tile);
  if (blocks.all > MOST_BLOCKS) return undefined;
  const draft = new Draft(list);
  const { body } = draft;
  const output = draft.tensor(draft.outputOf(index));
  const counter = draft.counter(index)!;
  const seen = new Seen(body, ["dot"]);
  const local = body.fresh("r", "mov.u32", "%tid.x");
  const block = blockOf(draft, form, blocks);
  const operands = operandsOf(draft, form, {
    tile,
    firstRow: body.value("r", "mul.lo.s32", block.row, String(tile.rows)),
    firstColumn: body.value("r", "mul.lo.s32", block.column, String(tile.columns)),
    bases: block.bases,
  });
  const panels = operands.map((operand) => new Panel(body, operand, tile, local));
  const sums = new Sums(body, tile, local);
  const [depth, zero] = [operands[0].depth, body.int(0)];
  const [k, buffer] = [body.variable("r"), body.variable("r")];
  body.emit(`mov.b32 ${k}, ${zero};`);
  body.emit(`mov.b32 ${buffer}, ${zero};`);
  body.scope(() => {
    for (const panel of panels) panel.load(body.fresh("r", "mov.b32", k));
    for (const panel of panels) panel.store(zero, seen);
  });
  body.emit("bar.sync 0;");
  const [again, end, last] = [body.label(), body.label(), body.label()];
  body.emit(`${again}:`);
  body.emit(`add.s32 ${k}, ${k}, ${tile.depth};`);
  const isLast = body.fresh("p", "setp.ge.s32", k, depth);
  body.emit(`@${isLast} bra ${last};`);
  body.scope(() => {
    for (const panel of panels) panel.load(body.fresh("r", "mov.b32", k));
  });
  body.emit(`${last}:`);
  body.scope(() => sums.add(panels, body.fresh("r", "mov.b32", buffer)));
  body.emit(`@${isLast} bra ${end};`);
  body.scope(() => {
    body.emit(`xor.b32 ${buffer}, ${buffer}, 1;`);
    const other = body.fresh("r", "mov.b32", buffer);
    for (const panel of panels) panel.store(other, seen);
    // All have computed with the tile that the next turn overwrites, and have stored the one that it needs.
    body.emit("bar.sync 0;");
    body.emit(`bra ${again};`);
  });
  body.emit(`${end}:`);
  sums.store(output, form, operands, block.bases.c);
  seen.tell(counter);
  // The places of batches and of views take registers, so fewer of these blocks are to fit.
  const isPlain = !form.views && form.batch.length === 0;
  return draft.blocks(threadsOf(tile), blocks.all, tile.blocks - (isPlain ? 0 : 1));
}

interface BlockPlace {
  readonly row: string;
  readonly column: string;
  /** Where the block's matrices begin, in elements. */
  readonly bases: { readonly a: string; readonly b: string; readonly c: string };
}

/** Which block of which matrices this is. */
function blockOf(draft: Draft, { a, b, batch }: ProductForm, blocks: Blocks): BlockPlace {
  const { body } = draft;
  const number = body.fresh("r", "mov.u32", "%ctaid.x");
  const columns = draft.word(blocks.columns);
  const rows = draft.word(blocks.rows);
  const column = body.value("r", "rem.u32", number, columns);
  const rest = body.value("r", "div.u32", number, columns);
  const row = body.value("r", "rem.u32", rest, rows);
  let matrix = body.value("r", "div.u32", rest, rows);
  let bases = { a: draft.word(a.view.offset), b: draft.word(b.view.offset), c: body.int(0) };
  for (const axis of batch.toReversed()) {
    const extent = draft.word(axis.extent);
    const i = body.value("r", "rem.u32", matrix, extent);
    matrix = body.value("r", "div.u32", matrix, extent);
    const further = (base: string, stride: number): string =>
      body.value("r", "add.s32", base, body.value("r", "mul.lo.s32", i, draft.word(stride)));
    bases = { a: further(bases.a, axis.a), b: further(bases.b, axis.b), c: further(bases.c, axis.out) };
  }
  return { row, column, bases };
}

/** The sums of a thread: `own` by `own`, in groups of four rows and four columns that stand far apart. */
class Sums {
  private readonly body: Body;
  private readonly tile: Tile;
  /** The first row and column of a thread within the tile, divided by 4. */
  private readonly y: string;
  private readonly x: string;
  private readonly sums: readonly (readonly string[])[];

  constructor(body: Body, tile: Tile, local: string) {
    const across = tile.columns / tile.own;
    this.body = body;
    this.tile = tile;
    this.x = body.value("r", "rem.u32", local, String(across));
    this.y = body.value("r", "div.u32", local, String(across));
    const own = [...Array(tile.own).keys()];
    this.sums = own.map(() => own.map(() => body.variable("f")));
    for (const sum of this.sums.flat()) body.emit(`mov.b32 ${sum}, ${body.float(0)};`);
  }

  /** The place within the tile of a thread's row or column `i`, without its first one. */
  private offset(i: number, lanes: number): number {
    return (i >> 2) * 4 * (lanes / this.tile.own) + (i & 3);
  }

  /** Adds the products of a tile, in the order of k. */
  add([left, right]: readonly Panel[], buffer: string): void {
    const { body, tile, sums } = this;
    const [fromA, fromB] = [left.place(buffer, this.y), right.place(buffer, this.x)];
    for (let k = 0; k < tile.depth; k++) {
      const a = left.fours(fromA, k, tile.own);
      const b = right.fours(fromB, k, tile.own);
      for (const [r, row] of sums.entries())
        for (const [c, sum] of row.entries())
          body.emit(`add.rn.f32 ${sum}, ${sum}, ${body.fresh("f", "mul.rn.f32", a[r], b[c])};`);
    }
  }

  /** Writes the sums that are inside of the matrix. */
  store(output: string, form: ProductForm, operands: readonly Operand[], base: string): void {
    const { body, tile } = this;
    const [{ lanes: rows, first: firstRow, stride }, { lanes: columns, first: firstColumn }] = operands;
    const row = body.value("r", "add.s32", firstRow, body.value("r", "shl.b32", this.y, "2"));
    const column = body.value("r", "add.s32", firstColumn, body.value("r", "shl.b32", this.x, "2"));
    const inFours = [form.column.extent, form.row.out, ...form.batch.map(({ out }) => out)].every((x) => x % 4 === 0);
    for (const [r, line] of this.sums.entries()) {
      const at = body.value("r", "add.s32", row, String(this.offset(r, tile.rows)));
      const isRow = body.value("p", "setp.lt.s32", at, rows);
      const start = body.value("r", "add.s32", base, body.value("r", "mul.lo.s32", at, stride));
      for (let c = 0; c < tile.own; c += inFours ? 4 : 1) {
        const to = body.value("r", "add.s32", column, String(this.offset(c, tile.columns)));
        const isIn = body.value("p", "and.pred", isRow, body.value("p", "setp.lt.s32", to, columns));
        const address = addressOf(body, output, body.value("r", "add.s32", start, to));
        const four = line.slice(c, c + 4).join(", ");
        body.emit(
          inFours
            ? `@${isIn} st.global.v4.b32 [${address}], {${four}};`
            : `@${isIn} st.global.b32 [${address}], ${line[c]};`,
        );
      }
    }
  }
}
