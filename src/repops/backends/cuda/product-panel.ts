/** The tiles of a product's operands: from memory through registers into shared memory, twice over. */
import type { OperandView, ViewAxis } from "../../schedule/view-product.ts";
import type { ProductForm } from "../../schedule/product-form.ts";
import type { Draft } from "./launch.ts";
import { addressOf, coordinatesOf, moved, type Place, Seen, within } from "./places.ts";
import type { Body } from "./ptx.ts";
import { threadsOf, type Tile } from "./tile.ts";

/** An operand of a product: A's lanes are its rows, B's its columns. Registers, but for the numbers. */
export interface Operand {
  /** Its address in memory. */
  readonly tensor: string;
  readonly lanes: string;
  readonly depth: string;
  /** The block's first lane. */
  readonly first: string;
  /** Where the block's matrix begins, in elements. */
  readonly base: string;
  readonly lane: string;
  readonly step: string;
  /** From one row of the output to the next; of A only. */
  readonly stride: string;
  /** Lanes of a tile. */
  readonly count: number;
  /** Whether neighbouring threads read along the depth. */
  readonly alongDepth: boolean;
  /** Absent: a plain matrix. */
  readonly view?: OperandView;
}

export function operandsOf(
  draft: Draft,
  { a, b, row, column, depth, views = {} }: ProductForm,
  {
    tile,
    firstRow,
    firstColumn,
    bases,
  }: { tile: Tile; firstRow: string; firstColumn: string; bases: { a: string; b: string } },
): readonly [Operand, Operand] {
  const extent = draft.word(depth.extent);
  const stride = draft.word(row.out);
  const left = {
    tensor: draft.tensor(a.tensor),
    lanes: draft.word(row.extent),
    depth: extent,
    first: firstRow,
    base: bases.a,
    lane: draft.word(row.a),
    step: draft.word(depth.a),
    stride,
    count: tile.rows,
    alongDepth: depth.a === 1,
    ...(views.a && { view: views.a }),
  };
  const right = {
    tensor: draft.tensor(b.tensor),
    lanes: draft.word(column.extent),
    depth: extent,
    first: firstColumn,
    base: bases.b,
    lane: draft.word(column.b),
    step: draft.word(depth.b),
    stride,
    count: tile.columns,
    alongDepth: depth.b === 1,
    ...(views.b && { view: views.b }),
  };
  return [left, right];
}

/** Words between two depths of a tile: the lanes, and four more, so that threads use different banks. */
const PADDING = 4;

/** One operand's tiles. A thread loads the same places of each. */
export class Panel {
  private readonly body: Body;
  private readonly operand: Operand;
  private readonly tile: Tile;
  private readonly shared: string;
  private readonly pitch: number;
  /** The first lane and depth of this thread within the tile; the others follow at equal distances. */
  private readonly lane: string;
  private readonly k: string;
  private readonly distance: number;
  private readonly words: readonly string[];
  /** The parts of a view's places that depend on lanes. */
  private readonly ofLanes: readonly Place[];

  constructor(body: Body, operand: Operand, tile: Tile, local: string) {
    const { count, alongDepth } = operand;
    const fast = alongDepth ? tile.depth : count;
    const [rem, div] = ["rem.u32", "div.u32"].map((name) => body.value("r", name, local, String(fast)));
    this.body = body;
    this.operand = operand;
    this.tile = tile;
    this.pitch = count + PADDING;
    this.shared = body.sharedWords(2 * tile.depth * this.pitch);
    [this.lane, this.k] = alongDepth ? [div, rem] : [rem, div];
    this.distance = threadsOf(tile) / fast;
    this.words = Array.from({ length: (count * tile.depth) / threadsOf(tile) }, () => body.variable("r"));
    this.ofLanes = operand.view
      ? this.words.slice(0, alongDepth ? undefined : 1).map((_, i) => this.laneOf(operand.view!, i))
      : [];
  }

  /** Lane and depth of the thread's place `i` within the tile. */
  private at(i: number): [lane: string, k: string] {
    const { body, operand, lane, k, distance } = this;
    const further = (from: string): string => (i === 0 ? from : body.value("r", "add.s32", from, String(i * distance)));
    return operand.alongDepth ? [further(lane), k] : [lane, further(k)];
  }

  private laneOf({ lanes }: OperandView, i: number): Place {
    const { body, operand } = this;
    const lane = body.value("r", "add.s32", operand.first, this.at(i)[0]);
    return along(body, lanes, lane, { index: operand.base });
  }

  /** Begins to load the tile from depth `from` on. Places outside of the matrix are 0. */
  load(from: string): void {
    const { body, operand } = this;
    let plain = "";
    this.words.forEach((word, i) => {
      const [laneInTile, kInTile] = this.at(i);
      const lane = body.value("r", "add.s32", operand.first, laneInTile);
      const k = body.value("r", "add.s32", from, kInTile);
      const isThere = body.value(
        "p",
        "and.pred",
        body.value("p", "setp.lt.s32", lane, operand.lanes),
        body.value("p", "setp.lt.s32", k, operand.depth),
      );
      body.emit(`mov.b32 ${word}, ${body.int(0)};`);
      // Equal distances cost an addition each, and no register.
      plain = i === 0 ? this.plain(lane, k) : body.value("r", "add.s32", plain, this.between());
      const { index, inside } = operand.view ? this.viewed(operand.view, i, k) : { index: plain };
      if (inside !== undefined) body.emit(`@${isThere} mov.b32 ${word}, ${body.int(operand.view!.fill)};`);
      const isRead = inside === undefined ? isThere : body.value("p", "and.pred", isThere, inside);
      body.emit(`@${isRead} ld.global.nc.b32 ${word}, [${addressOf(body, operand.tensor, index)}];`);
    });
  }

  private plain(lane: string, k: string): string {
    const { body, operand } = this;
    const start = body.value("r", "add.s32", operand.base, body.value("r", "mul.lo.s32", lane, operand.lane));
    return body.value("r", "add.s32", start, body.value("r", "mul.lo.s32", k, operand.step));
  }

  /** From one place of a thread to the next, in elements of a plain matrix. */
  private between(): string {
    const { alongDepth, lane, step } = this.operand;
    return this.body.value("r", "mul.lo.s32", alongDepth ? lane : step, String(this.distance));
  }

  private viewed({ depth }: OperandView, i: number, k: string): Place {
    return along(this.body, depth, k, this.ofLanes[this.operand.alongDepth ? i : 0]);
  }

  /** Puts what was loaded into a buffer, 0 or 1, in the dot range. */
  store(buffer: string, seen: Seen): void {
    const { body, pitch, tile, lane, k } = this;
    const start = body.value("r", "mul.lo.s32", buffer, String(4 * tile.depth * pitch));
    const place = body.value("r", "add.s32", body.value("r", "mul.lo.s32", k, String(pitch)), lane);
    const offset = body.value("r", "add.s32", start, body.value("r", "shl.b32", place, "2"));
    const address = body.value("r", "add.s32", this.shared, offset);
    const between = 4 * this.distance * (this.operand.alongDepth ? 1 : pitch);
    for (const [i, word] of this.words.entries())
      body.emit(`st.shared.b32 [${address}+${i * between}], ${seen.ranged(word, "dot")};`);
  }

  /** The address of the thread's first four lanes, at depth 0. */
  place(buffer: string, four: string): string {
    const { body, pitch, tile } = this;
    const start = body.value("r", "mul.lo.s32", buffer, String(4 * tile.depth * pitch));
    const offset = body.value("r", "add.s32", start, body.value("r", "shl.b32", four, "4"));
    return body.value("r", "add.s32", this.shared, offset);
  }

  /** The thread's lanes at a depth. */
  fours(from: string, k: number, own: number): string[] {
    const { body, operand, pitch } = this;
    return Array.from({ length: own / 4 }, (_, group) => {
      const four = Array.from({ length: 4 }, () => body.register("f"));
      const offset = 4 * (k * pitch + group * 4 * (operand.count / own));
      body.emit(`ld.shared.v4.b32 {${four.join(", ")}}, [${from}+${offset}];`);
      return four;
    }).flat();
  }
}

/** The place that a view reads at a number along some axes, after what other axes have told of it. */
function along(body: Body, axes: readonly ViewAxis[], number: string, before: Place): Place {
  const at = coordinatesOf(
    body,
    number,
    axes.map(({ extent }) => extent),
  );
  let { index, inside } = before;
  axes.forEach((axis, i) => {
    inside = within(body, at(i), axis, inside);
    index = moved(body, index, at(i), axis.stride);
  });
  return { ...(index !== undefined && { index }), ...(inside !== undefined && { inside }) };
}
