/** Products of views on WASM against the reference, in as many pieces as there can be, and on threads. */
import { describe, test } from "vitest";
import { wasmWith } from "../../../../src/repops/backends/wasm/backend.ts";
import { expectViewProducts } from "../view-products-suite.ts";

describe("products of views on WASM", () => {
  test.each([1, 2, 3, 7])("on %i threads", async (threads) => {
    await expectViewProducts(wasmWith("wasm", { dealing: { piece: 4, list: 0, threads } }));
  });

  test("on another thread, while this one is idle", async () => {
    await expectViewProducts(wasmWith("wasm, idle", { dealing: { piece: 4, list: 0, threads: 3, idle: true } }));
  });
});
