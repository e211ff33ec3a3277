/** Sums of rows of a table. */
import { describe } from "../../errors/arguments.ts";
import { asOne } from "../as-one.ts";
import type { Operator } from "../operator.ts";
import { indices } from "../operator.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { gather } from "./gather.ts";
import { mean } from "./mean.ts";
import { sum } from "./sum.ts";

/**
 * The sum, or the mean, of the rows of a bag: f32 [rows, n] and i32 [..., k] → [..., n]. Bags have one size;
 * a row number outside of the table adds 0, and the executor reports it.
 * @param mode "sum" or "mean"; "mean", as in PyTorch
 * @param name the label of the operator; "embedding-bag"
 * @throws {ShapeError} when the table is no matrix of f32, or the index is not i32
 * @throws {GraphError} when the operands belong to two graphs, or for another mode
 */
export function embeddingBag(table: Value, index: Value, mode: "sum" | "mean" = "mean", name = "embedding-bag"): Value {
  const builder = builderOf(name, { table, index });
  expectFloat(table, name);
  if (mode !== "sum" && mode !== "mean")
    throw settingOf(builder.label(name))(`the mode is ${describe(mode)}; take sum or mean`, { found: mode });
  if (table.rank !== 2 || index.rank === 0)
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `bags ${index} of ${table}; give rows of a matrix by an index [..., k]`,
    );
  const rows = gather(table, index, `${name}-rows`);
  return (mode === "sum" ? sum : mean)(rows, [-2], name);
}

embeddingBag.check = {
  number: 211,
  name: "embedding bag",
  digests: {
    result: "0xb1813aca1c5f9c9f9e4b53e5860c90ea6997df506b232284a5831f0d8a17e567",
    "gradient 0": "0x26913be4dc39f26d781c306fce5bfabf542d9eac98fe37844869ec2080705c84",
  },
  vector: ({ classes, floats }) => ({
    y: asOne(embeddingBag(floats(3163, 37, 5), classes, "sum")),
    gradient: floats(3164, 5),
  }),
  gradient: [
    {
      operands: [{ shape: [3, 2] }, indices([2, 2], [1, 1, 0, 2])],
      apply: (table, index) => embeddingBag(table, index),
      textbook: (_, [a, b, c, d, e, f]) => [c, d, (a + e) / 2, (b + f) / 2],
    },
  ],
} satisfies Operator["check"];
