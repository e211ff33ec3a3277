/**
 * Products of views on native code: in small blocks, in narrow vectors, and on threads. The gate takes two
 * counts of threads, `VERDE_SWEEP=1` four.
 */
import { afterAll, describe, test } from "vitest";
import { type NativeOptions, nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { setThreads } from "../../../../src/repops/backends/threads.ts";
import { expectViewProducts } from "../view-products-suite.ts";
import { nativeBuilds } from "./here.ts";

const [here] = await nativeBuilds();
const SMALL = ["DEPTH_BLOCK=16", "ROW_TILES=2", "NEAR_PANELS=2", "COLUMN_BLOCK=48", "OWN_COLUMNS=32", "LEAST_WORK=1"];
SMALL.push("LEAST_CHUNK=200", "LEAST_COLUMNS=16", "PACKED_PANELS=1");
const small = SMALL.map((name) => `-D${name}`);

afterAll(() => setThreads(undefined));

describe.skipIf(!here)("products of views", () => {
  const builds: readonly NativeOptions[] = [
    { name: "as it is" },
    { name: "in small blocks", flags: small },
    { name: "in small blocks of 4 lanes", flags: [...small, "-mno-avx512f", "-mno-avx2", "-mno-avx"] },
    { name: "in tiles of 4x3", flags: [...small, "-DTILE_ROWS=4", "-DTILE_VECTORS=3"] },
  ];
  const counts = process.env.VERDE_SWEEP === undefined ? [1, 3] : [1, 2, 3, 7];
  test.each(builds.flatMap((options) => counts.map((threads) => ({ options, threads, name: options.name }))))(
    "$name, on $threads threads",
    async ({ options, threads }) => {
      setThreads(threads);
      await expectViewProducts(nativeWith(options));
    },
  );
});
