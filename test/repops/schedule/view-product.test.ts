/** Which folds are products of views, and what their rows, columns and depth are. */
import { describe, expect, test } from "vitest";
import type { FoldKernel } from "../../../src/repops/kernels/kernel.ts";
import { viewProduct } from "../../../src/repops/schedule/view-product.ts";
import { convolutions, kernelOf, PRODUCTS, type ViewProduct } from "../backends/view-products.ts";

const formOf = (product: ViewProduct) => viewProduct(kernelOf(product, 1).list.kernels[0] as FoldKernel);
const [forward, last, filters, image] = convolutions({
  batch: 4,
  groups: 2,
  channels: 8,
  filters: 16,
  height: 10,
  width: 12,
  rows: 3,
  columns: 5,
  stride: 2,
  dilation: 1,
});

describe("a product of views", () => {
  test("is a convolution: a product of filters and pixels for each image and group", () => {
    const form = formOf(forward)!;
    expect([form.row.extent, form.column.extent, form.depth.extent]).toEqual([16, 120, 120]);
    expect(form.batch.map(({ extent }) => extent)).toEqual([4, 2]);
    // The filters are a plain matrix. An image is read through all axes.
    expect(form.views.a).toBeUndefined();
    expect([form.row.a, form.depth.a, form.row.out]).toEqual([120, 1, 120]);
    expect(form.views.b!.lanes.map(({ extent, stride }) => [extent, stride])).toEqual([
      [10, 2 * 27],
      [12, 2],
    ]);
    expect(form.views.b!.depth.map(({ extent, stride }) => [extent, stride])).toEqual([
      [8, 21 * 27],
      [3, 27],
      [5, 1],
    ]);
  });

  test("is a convolution with channels last: pixels of all images by filters", () => {
    const form = formOf(last)!;
    expect([form.row.extent, form.column.extent, form.depth.extent]).toEqual([480, 16, 120]);
    expect(form.batch).toEqual([]);
    expect([form.views.b, form.views.a!.lanes.length]).toEqual([undefined, 3]);
  });

  test("is each gradient of a convolution", () => {
    const ofFilters = formOf(filters)!;
    expect([ofFilters.row.extent, ofFilters.column.extent, ofFilters.depth.extent]).toEqual([16, 120, 480]);
    expect([ofFilters.views.a!.depth.length, ofFilters.views.b!.lanes.length]).toEqual([2, 3]);
    const ofImage = formOf(image)!;
    expect([ofImage.row.extent, ofImage.column.extent, ofImage.depth.extent]).toEqual([8, 120, 240]);
    expect(ofImage.batch.map(({ extent }) => extent)).toEqual([4, 2]);
  });

  test("is no product of plain matrices, and none whose operands share the last axis or bound the batch", () => {
    const axis = (extent: number, a: number, b: number) => ({ extent, strides: [a, b] as [number, number] });
    const plain: ViewProduct = { name: "", outer: [axis(8, 5, 0), axis(9, 0, 1)], depth: [axis(5, 1, 9)] };
    expect(formOf(plain)).toBeUndefined();
    expect(formOf({ ...plain, outer: [axis(8, 5, 0), axis(9, 1, 1)] })).toBeUndefined();
    const bounds: [[number, number], [number, number]] = [[1, 5], [0, 5]]; // prettier-ignore
    const bounded = { ...plain, depth: [{ ...axis(5, 1, 9), bounds }] };
    expect(formOf(bounded)!.views.a!.depth).toEqual([{ extent: 5, stride: 1, from: 1, to: 5 }]);
    expect(formOf({ ...bounded, outer: [{ ...axis(5, 40, 45), bounds }, ...plain.outer] })).toBeUndefined();
  });

  test("is most of what the backends are tested with", () => {
    const found = PRODUCTS.filter((product) => formOf(product)).length;
    expect(found).toBeGreaterThan(60);
  });
});
