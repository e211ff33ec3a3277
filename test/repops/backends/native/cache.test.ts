/** Compiled objects from one process to the next, and what is said where something is missing. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../fixtures/folder.ts";
import { nativeBuilds } from "./here.ts";

const ONCE = fileURLToPath(new URL("once.ts", import.meta.url));
const path = temporaryFolder();
const [here] = await nativeBuilds();

async function once(env: Record<string, string>, ...args: string[]): Promise<Record<string, unknown>> {
  const cwd = await mkdtemp(path("cwd-"));
  const all = { ...process.env, ...env };
  const { stdout } = await promisify(execFile)(process.execPath, [ONCE, ...args], { env: all, cwd });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const objectsIn = async (cache: string): Promise<string[]> =>
  (await readdir(join(cache, "native"), { recursive: true }))
    .filter((file) => file.endsWith("object.so"))
    .map((file) => join(cache, "native", file));

describe.skipIf(!here)("compiled objects", () => {
  test("are found by the next process, and compiled again where they are damaged", async () => {
    const cache = path("kept");
    const env = { VERDE_CACHE: cache };
    expect(await once(env)).toEqual({ equal: true });
    const objects = await objectsIn(cache);
    // The core, products, the loops, and the trial of register tiles with its result.
    expect(objects).toHaveLength(4);
    expect(await readdir(join(cache, "native"))).toHaveLength(5);
    const times = async (): Promise<number[]> => Promise.all(objects.map(async (file) => (await stat(file)).mtimeMs));
    const before = await times();
    expect(await once(env)).toEqual({ equal: true });
    expect(await times()).toEqual(before);
    // Cut, and overwritten with zeros: the checksum sees both before the object is loaded.
    await truncate(objects[0], 3000);
    for (const object of objects.slice(1)) await writeFile(object, Buffer.alloc((await stat(object)).size));
    expect(await once(env)).toEqual({ equal: true });
    // Without its result, the trial is needed again. It may choose another tile, and compile products for it.
    for (const file of await readdir(join(cache, "native")))
      if (file.startsWith("tile-")) await rm(join(cache, "native", file));
    expect(await once(env)).toEqual({ equal: true });
    expect(await objectsIn(cache)).toEqual(expect.arrayContaining(objects));
    for (const file of objects) {
      const bytes = await readFile(file);
      expect(bytes.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
      expect(bytes.length).toBeGreaterThan(3000);
    }
  });

  test("are compiled with fewer optimizations where the compiler crashes", async () => {
    const folder = path("crashing");
    await mkdir(folder);
    const compiler = join(folder, "cc");
    await writeFile(
      compiler,
      '#!/bin/sh\nfor a; do case "$a" in -O2|-O1) echo "internal compiler error" >&2; exit 4;; esac; done\nexec cc "$@"\n',
      { mode: 0o755 },
    );
    expect(await once({ VERDE_CACHE: path("kept"), VERDE_CC: compiler })).toEqual({ equal: true });
  });

  test("another compiler has objects of its own", async () => {
    const cache = path("kept");
    const before = (await objectsIn(cache)).length;
    const folder = path("renamed");
    await mkdir(folder);
    await writeFile(join(folder, "other-cc"), '#!/bin/sh\nexec cc "$@"\n', { mode: 0o755 });
    expect(await once({ VERDE_CACHE: cache, VERDE_CC: join(folder, "other-cc") })).toEqual({ equal: true });
    expect(await objectsIn(cache)).toHaveLength(before + 4);
  });

  test.each([
    ["writes nothing", "exit 0", /^compiled code can't be kept in .* VERDE_CACHE, or use wasm$/],
    ["writes something else", 'for a; do last=$a; done; echo text > "$last"', /can't be loaded from .* or use wasm$/],
  ])("of a compiler that %s: the message says what to do", async (name, then, message) => {
    const folder = path(name);
    await mkdir(folder);
    const asked = 'case "$*" in *--version*|*-dM*) exec cc "$@";; esac';
    await writeFile(join(folder, "cc"), `#!/bin/sh\n${asked}\n${then}\n`, { mode: 0o755 });
    const result = await once({ VERDE_CACHE: path("kept"), VERDE_CC: join(folder, "cc") });
    expect(result).toMatchObject({ code: "VERDE_BACKEND_COMPILE", message: expect.stringMatching(message) });
  });

  test("in a folder that can't be written: the message names VERDE_CACHE", async () => {
    await writeFile(path("file"), "");
    const result = await once({ VERDE_CACHE: path("file/cache") });
    expect(result).toMatchObject({
      code: "VERDE_BACKEND_COMPILE",
      message: expect.stringMatching(/^compiled code can't be kept in .*file\/cache.*VERDE_CACHE, or use wasm$/),
    });
  });

  test("no koffi: the message says how to install it", async () => {
    const result = await once({ VERDE_CACHE: path("none") }, "--without", "koffi");
    expect(result).toMatchObject({
      code: "VERDE_BACKEND_PACKAGE_MISSING",
      message: expect.stringMatching(/^the native backend needs the package koffi, .*`npm install koffi@3\.3\.4`$/),
    });
  });
});

test("no compiler: the message says what to install", async () => {
  expect(await once({ VERDE_CACHE: path("none"), PATH: path("nothing"), VERDE_CC: "" })).toMatchObject({
    code: "VERDE_BACKEND_COMPILER_MISSING",
    message: expect.stringMatching(
      /^the native backend needs a C compiler, and cc, gcc, clang are not in PATH: install gcc/,
    ),
  });
  expect(await once({ VERDE_CACHE: path("none"), VERDE_CC: path("absent-cc") })).toMatchObject({
    code: "VERDE_BACKEND_COMPILER_MISSING",
    message: expect.stringMatching(/absent-cc can't be run/),
  });
});
