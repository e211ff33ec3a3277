/** The words of memory that a call is given. */
import { type Addresses, parameterCount, parameterWords } from "../../schedule/loop-parameters.ts";
import { PROBLEM_WORDS, problemWords } from "./multiply.ts";
import type { OperandView } from "../../schedule/view-product.ts";
import type { Piece } from "./pieces.ts";
import { GATHER_WORDS, SCATTER_WORDS } from "./rows.ts";
import type { ViewPlace } from "./views.ts";

/** Where things are in a session's memory. */
export interface SessionAddresses extends Addresses {
  /** The tables of an operand of a product. */
  view(view: OperandView | undefined): ViewPlace;
}

/** The number of a piece's words, which is known before memory is laid out. */
export function wordCount(piece: Piece): number {
  switch (piece.kind) {
    case "loop":
      return parameterCount(piece.call.parameters);
    case "multiply":
      return PROBLEM_WORDS;
    case "gather":
      return GATHER_WORDS.length;
    case "scatter":
      return SCATTER_WORDS.length;
  }
}

/** @param output the tensor that the piece's kernel writes */
export function wordsOf(piece: Piece, output: number, addresses: SessionAddresses): number[] {
  const out = addresses.tensor(output);
  switch (piece.kind) {
    case "loop":
      return parameterWords(piece.call.parameters, addresses);
    case "multiply":
      return multiplyWords(piece, out, addresses);
    case "gather": {
      const { kernel, positions, rows, rowBytes } = piece;
      const [from, to] = positions;
      const index = addresses.tensor(kernel.index) + 4 * from;
      return [addresses.tensor(kernel.source), index, out + rowBytes * from, to - from, rowBytes, rows, kernel.fill];
    }
    case "scatter": {
      const { form, columns } = piece;
      const [from, to] = columns;
      const x = addresses.tensor(form.x.tensor) + 4 * (form.x.view.offset + from);
      const index = addresses.tensor(form.index.tensor) + 4 * form.index.view.offset;
      const sizes = [form.count, 4 * (to - from), form.rows, 4 * form.stride, 4 * form.inner];
      return [x, index, out + 4 * from, ...sizes];
    }
  }
}

function multiplyWords(piece: Piece & { kind: "multiply" }, out: number, addresses: SessionAddresses): number[] {
  const { form, rows, columns, at, repeat } = piece;
  const { a, b, row, column, depth, views = {} } = form;
  const [ofA, ofB] = [addresses.view(views.a), addresses.view(views.b)];
  return problemWords({
    m: rows[1] - rows[0],
    n: columns[1] - columns[0],
    k: depth.extent,
    a: addresses.tensor(a.tensor) + 4 * (a.view.offset + at.a + (views.a ? 0 : rows[0] * row.a)),
    aRow: 4 * row.a,
    aDepth: 4 * depth.a,
    b: addresses.tensor(b.tensor) + 4 * (b.view.offset + at.b + (views.b ? 0 : columns[0] * column.b)),
    bDepth: 4 * depth.b,
    bColumn: 4 * column.b,
    c: out + 4 * (at.out + rows[0] * row.out + columns[0]),
    cRow: 4 * row.out,
    count: repeat.extent,
    aNext: 4 * repeat.a,
    bNext: 4 * repeat.b,
    cNext: 4 * repeat.out,
    aLanes: views.a ? ofA.lanes + 4 * rows[0] : 0,
    aDepths: ofA.depths,
    aFill: ofA.fill,
    bLanes: views.b ? ofB.lanes + 4 * columns[0] : 0,
    bDepths: ofB.depths,
    bFill: ofB.fill,
  });
}
