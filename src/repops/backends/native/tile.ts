/**
 * The register tile of matrix products: which of a few is fastest on this machine is measured at first use,
 * and kept beside the compiled objects. The bits never depend on it.
 */
import { toHex } from "../../../encoding/bytes.ts";
import { sha256 } from "../../../encoding/hash.ts";
import { fs, path } from "../../../encoding/node.ts";
import { messageOf } from "../../../errors/index.ts";
import { cacheFolder } from "../../../files/places.ts";
import { replaceFile } from "../../../files/replace.ts";
import type { Compiler } from "./compiler.ts";
import { sourceOf } from "./core.ts";
import { measureTiles, type Rates, trialSource } from "./trial.ts";

/** Rows by vectors, for so many lanes in a vector. The first is the one of core/tile.h. */
export const TILES: Readonly<Record<number, readonly string[]>> = {
  4: ["5x2", "6x2", "8x2"],
  8: ["6x2", "5x2", "14x1", "4x3"],
  16: ["14x1", "8x2", "12x2"],
};
/** A tile has to be faster by this factor than the ones before it. */
const WORTH = 1.03;

/** A tile, and why it is used. */
export interface ChosenTile {
  tile: string;
  why: string;
}

/** What this process has chosen, by the file in which it is kept. */
const chosen = new Map<string, Promise<ChosenTile>>();

/** The source of products in this tile, unless the compiler's flags name one. */
export async function productsIn(tile: string): Promise<string> {
  const [rows, vectors] = tile.split("x");
  return `#ifndef TILE_ROWS\n#define TILE_ROWS ${rows}\n#define TILE_VECTORS ${vectors}\n#endif\n${await sourceOf("product.c")}`;
}

/**
 * The tile that a library of this compiler has.
 * @throws {BackendError} when it is to be measured, and there is no koffi, or nothing can be compiled
 */
export async function chosenTile(compiler: Compiler): Promise<ChosenTile> {
  const [rows, vectors] = ["-DTILE_ROWS=", "-DTILE_VECTORS="].map((start) =>
    compiler.flags.find((flag) => flag.startsWith(start))?.slice(start.length),
  );
  if (rows !== undefined) return { tile: `${rows}x${vectors}`, why: "named among the compiler's flags" };
  const tiles = TILES[compiler.lanes];
  const file = await fileOf(compiler, tiles);
  if (file === undefined) return { tile: tiles[0], why: "the usual one: there is no folder in which a choice is kept" };
  let choice = chosen.get(file);
  if (!choice) {
    choice = keptOrMeasured(compiler, tiles, file);
    chosen.set(file, choice);
    choice.catch(() => chosen.delete(file));
  }
  return choice;
}

/** Another compiler, flag, processor or source has another file. */
async function fileOf(compiler: Compiler, tiles: readonly string[]): Promise<string | undefined> {
  const cache = cacheFolder();
  const bound = new TextEncoder().encode(JSON.stringify([compiler.identity, await trialSource(tiles)]));
  return cache === undefined ? undefined : path.join(cache, "native", `tile-${toHex(sha256(bound)).slice(2, 34)}.json`);
}

async function keptOrMeasured(compiler: Compiler, tiles: readonly string[], file: string): Promise<ChosenTile> {
  const kept = await keptIn(file, tiles);
  if (kept) return choiceOf(tiles, kept);
  const rates = await measureTiles(compiler, tiles);
  const choice = choiceOf(tiles, rates);
  try {
    await replaceFile(file, `${JSON.stringify({ rates })}\n`);
  } catch (error) {
    return { ...choice, why: `${choice.why}; it can't be kept: ${messageOf(error)}` };
  }
  return choice;
}

/** What was measured earlier. Whatever else is in the file is measured again. */
async function keptIn(file: string, tiles: readonly string[]): Promise<Rates | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await fs.readFile(file, "utf8"));
  } catch {
    return undefined;
  }
  const { rates } = (typeof value === "object" && value !== null ? value : {}) as { rates?: unknown };
  if (typeof rates !== "object" || rates === null) return undefined;
  const isRate = (tile: string): boolean => {
    const rate: unknown = Object.hasOwn(rates, tile) ? (rates as Rates)[tile] : undefined;
    return typeof rate === "number" && rate > 0;
  };
  return tiles.every(isRate) ? (rates as Rates) : undefined;
}

function choiceOf(tiles: readonly string[], rates: Rates): ChosenTile {
  const tile = tiles.reduce((best, next) => (rates[next] >= WORTH * rates[best] ? next : best));
  const figures = tiles.map((each) => `${each} ${rates[each].toFixed(1)}`).join(", ");
  return { tile, why: `measured here in GFLOP/s: ${figures}` };
}
