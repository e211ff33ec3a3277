/** The choice of the register tile: what is measured, what is kept of it, and that it is used. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { productInputs, productList } from "../../../../bench/product.ts";
import { type Backend, executeOnce } from "../../../../src/repops/backends/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { temporaryFolder } from "../../../fixtures/folder.ts";
import { nativeBuilds } from "./here.ts";

const path = temporaryFolder();
const [here] = await nativeBuilds();
const before = process.env.VERDE_CACHE;
beforeAll(() => void (process.env.VERDE_CACHE = path("cache")));
afterAll(() => {
  if (before === undefined) delete process.env.VERDE_CACHE;
  else process.env.VERDE_CACHE = before;
});

/** The backend as another process has it, which has opened nothing yet. */
async function another(flags: readonly string[] = []): Promise<Backend> {
  vi.resetModules();
  return (await import("../../../../src/repops/backends/native/backend.ts")).nativeWith({ flags });
}

const tileOf = async (backend: Backend) => (await backend.describe!()).driver.tile;
const findingOf = async (backend: Backend): Promise<string> =>
  (await backend.probe!()).find(({ name }) => name === "tile of products")!.finding;

async function keptFile(): Promise<string> {
  const files = (await readdir(path("cache/native"))).filter((file) => file.startsWith("tile-"));
  expect(files).toHaveLength(1);
  return path(`cache/native/${files[0]}`);
}

async function expectBits(backend: Backend): Promise<void> {
  const inputs = productInputs(50, 40, 30);
  const [expected] = await executeOnce(reference, productList(50, 40, 30), inputs, [2]);
  expect(await executeOnce(backend, productList(50, 40, 30), inputs, [2])).toEqual([expected]);
}

describe.skipIf(!here)("the register tile", () => {
  test("is measured once, at first use, and kept", async () => {
    const backend = await another();
    const tile = await tileOf(backend);
    const text = await readFile(await keptFile(), "utf8");
    const { rates } = JSON.parse(text) as { rates: Record<string, number> };
    expect(Object.keys(rates)).toContain(tile);
    for (const one of [backend, await another()]) {
      expect(await findingOf(one)).toContain(`${tile}, measured here in GFLOP/s: ${Object.keys(rates)[0]} `);
      await expectBits(one);
      expect(await readFile(await keptFile(), "utf8")).toBe(text);
    }
  });

  test("is the one that is kept as the fastest, whichever that is; the first one unless another is worth it", async () => {
    const { rates } = JSON.parse(await readFile(await keptFile(), "utf8")) as { rates: object };
    const tiles = Object.keys(rates);
    for (const best of tiles) {
      const kept = { rates: Object.fromEntries(tiles.map((tile) => [tile, tile === best ? 2 : 1])) };
      await writeFile(await keptFile(), JSON.stringify(kept));
      const backend = await another();
      expect(await tileOf(backend)).toBe(best);
      await expectBits(backend);
    }
    const close = { rates: Object.fromEntries(tiles.map((tile, i) => [tile, i === 0 ? 100 : 102])) };
    await writeFile(await keptFile(), JSON.stringify(close));
    expect(await tileOf(await another())).toBe(tiles[0]);
  });

  test.each([
    ["cut", '{"rates":{"6x'],
    ["of nothing", "null"],
    ["of other tiles", '{"rates":{"99x9":1}}'],
    ["of rates that are none", '{"rates":[]}'],
    ["of a rate that is none", '{"rates":{"5x2":1,"6x2":"fast","8x2":1,"14x1":-1}}'],
  ])("is measured again where the file is %s", async (_, text) => {
    await writeFile(await keptFile(), text);
    const backend = await another();
    const tile = await tileOf(backend);
    const { rates } = JSON.parse(await readFile(await keptFile(), "utf8")) as { rates: Record<string, number> };
    expect(Object.keys(rates)).toContain(tile);
  });

  test("is the one that is named to the compiler, and then none is measured", async () => {
    const file = await keptFile();
    await rm(file);
    const backend = await another(["-DTILE_ROWS=4", "-DTILE_VECTORS=2"]);
    expect(await findingOf(backend)).toBe("4x2, named among the compiler's flags");
    await expectBits(backend);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });
});
