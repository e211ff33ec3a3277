/** A matrix product in memory: one multiplication for each index of its batch axes. */
import type { ProductForm } from "../../schedule/product-form.ts";
import type { MatmulProblem } from "./matmul.ts";

/**
 * @param output the number of the product's own tensor
 * @param address of a tensor, in bytes
 */
export function multiplications(
  { a, b, row, column, depth, batch }: ProductForm,
  output: number,
  address: (tensor: number) => number,
): MatmulProblem[] {
  const first = {
    a: address(a.tensor) + 4 * a.view.offset,
    b: address(b.tensor) + 4 * b.view.offset,
    c: address(output),
  };
  const starts = batch.reduce(
    (found, axis) =>
      found.flatMap((start) =>
        Array.from({ length: axis.extent }, (_, i) => ({
          a: start.a + 4 * i * axis.a,
          b: start.b + 4 * i * axis.b,
          c: start.c + 4 * i * axis.out,
        })),
      ),
    [first],
  );
  return starts.map((start) => ({
    ...start,
    m: row.extent,
    n: column.extent,
    k: depth.extent,
    aRow: row.a,
    aDepth: depth.a,
    bColumn: column.b,
    bDepth: depth.b,
    cRow: row.out,
  }));
}
