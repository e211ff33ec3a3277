/** Triangles of matrices. */
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { type Bool, defineProgram, type Int } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { expectValue, settingOf, shapeError, type Value } from "../value.ts";

/** Whether an element is set to 0, from its row, plus the number of the diagonal, and its column. */
type Dropped = (edge: Int, column: Int) => Bool;

function triangle(x: Value, diagonal: number, name: string, dropped: Dropped): Value {
  expectValue(x, name, "x");
  if (x.rank < 2) throw shapeError("AXIS", x.builder, name, `takes matrices, not ${x}; give it two axes`);
  const [rows, columns] = x.shape.slice(-2);
  const most = 2 ** 31 - 1;
  const given = wholeSetting("the diagonal", diagonal, { least: -most, most }, settingOf(x.builder.label(name)));
  // A diagonal that is further away has the same triangle, and row + diagonal has to fit 32 bits.
  const shift = Math.max(-rows, Math.min(columns, given));
  const program =
    x.dtype === "f32"
      ? defineProgram("fii", (value, row, column) => dropped(row.add(shift), column).select(0, value))
      : defineProgram("iii", (value, row, column) => dropped(row.add(shift), column).selectInt(0, value));
  const operands = [x, { coordinate: x.rank - 2 }, { coordinate: x.rank - 1 }];
  return map(program, operands, { name, shape: x.shape }).withOrigin([x], (gradient) => [
    triangle(gradient, diagonal, `${name}-gradient`, dropped),
  ]);
}

/**
 * The lower triangle of matrices, with 0 above: f32 or i32 [..., n, m] → the same [..., n, m]. Element (i, j)
 * stays where j ≤ i + diagonal.
 * @param diagonal the last diagonal that stays; 0, the main one. Positive ones are above it
 * @param name the label of the operator; "tril"
 * @throws {ShapeError} when x has no two axes, {GraphError} when the diagonal is not whole
 */
export function tril(x: Value, diagonal = 0, name = "tril"): Value {
  return triangle(x, diagonal, name, (edge, column) => edge.lt(column));
}

/**
 * The upper triangle of matrices, with 0 below: f32 or i32 [..., n, m] → the same [..., n, m]. Element (i, j)
 * stays where j ≥ i + diagonal.
 * @param diagonal the first diagonal that stays; 0, the main one. Positive ones are above it
 * @param name the label of the operator; "triu"
 * @throws {ShapeError} when x has no two axes, {GraphError} when the diagonal is not whole
 */
export function triu(x: Value, diagonal = 0, name = "triu"): Value {
  return triangle(x, diagonal, name, (edge, column) => column.lt(edge));
}

tril.check = {
  number: 150,
  name: "tril",
  digests: {
    result: "0xa0c7a438ab7da24170f54f1f5488fcbc61ab1ec2f7a9dea907ad2926c8b59e6d",
    "gradient 0": "0xc32d7bbef5d95efe8d69c2e8ce4038c7da770ac8ffb85881921811c1bfd5eb42",
  },
  vector: ({ x, g }) => ({ y: tril(x, 2), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 4] }],
      apply: (x) => tril(x, -1),
      textbook: (_, x) => rowsOf(x, 4).flatMap((row, i) => row.map((value, j) => (j <= (i % 3) - 1 ? value : 0))),
    },
  ],
} satisfies Operator["check"];

triu.check = {
  number: 151,
  name: "triu",
  digests: {
    result: "0x70c2bd804f650ff7079c582fb46b5a8d4b10462a453b2adf055aee70af4e789d",
    "gradient 0": "0x6b596d34e50473ff57cf22de5c2d4fd05e32f307a9500ce9fc6ae244d80df1e7",
  },
  vector: ({ x, g }) => ({ y: triu(x, -3), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 4] }],
      apply: (x) => triu(x, 1),
      textbook: (_, x) => rowsOf(x, 4).flatMap((row, i) => row.map((value, j) => (j >= i + 1 ? value : 0))),
    },
  ],
} satisfies Operator["check"];
