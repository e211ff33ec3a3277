/**
 * WebGPU on the devices of this machine: SwiftShader of Debian's chromium, which flushes subnormals, Mesa's
 * lavapipe, which keeps them, and every other driver with an adapter. Each runs in a process of its own,
 * since the driver is chosen for a whole process.
 */
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../fixtures/folder.ts";
import { driversWithAdapter } from "./drivers.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
const HASH = fileURLToPath(new URL("hash.ts", import.meta.url));
const WATCH = fileURLToPath(new URL("watch.ts", import.meta.url));
const REPORTS = fileURLToPath(new URL("reports.ts", import.meta.url));
const CONFORM = fileURLToPath(new URL("conform.ts", import.meta.url));
const COMPARE = fileURLToPath(new URL("../repops/compare.ts", import.meta.url));
const VARIANTS = fileURLToPath(new URL("variants.ts", import.meta.url));
const MEMORY = fileURLToPath(new URL("memory.ts", import.meta.url));
const LOST = fileURLToPath(new URL("lost.ts", import.meta.url));
const SEED = 20261120;
/** A device in software is slow, above all with strict arithmetic: the gate takes a sample. */
const SWEEP = process.env.VERDE_SWEEP !== undefined;
/** Steps of the GPT. */
const STEPS = SWEEP ? { webgpu: 100, "webgpu:strict": 20 } : { webgpu: 8, "webgpu:strict": 2 };
/** Random lists of kernels, each of a backend and of its guarded form. */
const RANDOM = SWEEP ? 15 : 5;
/** Products in every tile and with every guard. */
const PRODUCTS = SWEEP ? 12 : 4;
type Name = keyof typeof STEPS;

function job(steps: number): string[] {
  const tiny = Object.entries({ steps, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 });
  return [GPT, ...tiny.flatMap(([name, value]) => [`--${name}`, String(value)]), "--json"];
}

const verde = (driver: string, ...args: string[]): ReturnType<typeof node> => node(driver, MAIN, ...args);

/** Runs a program that prints JSON lines, on one driver. */
async function node(driver: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const env = { ...process.env, VK_ICD_FILENAMES: driver, VERDE_CACHE: cache };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 2 ** 26 });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The folder for the certificates that runs begin with. */
const cache = temporaryFolder()("cache");
/** The roots that WASM has, which are the same beside every driver. */
const wasmRoots: Partial<Record<Name, Promise<unknown[]>>> = {};
const found = driversWithAdapter((line) => console.log(line));

describe.runIf(found.length > 0)("WebGPU", () => {
  test.each(found)("has the same bits in every tile, with every guard, and hashes them, on %s", async (driver) => {
    const [{ compared, hashed, ...wrong }] = await node(driver, VARIANTS, String(SEED), String(PRODUCTS));
    expect(wrong).toEqual({ different: [], wrongRoots: [] });
    expect(compared).toBeGreaterThanOrEqual(2 * PRODUCTS);
    expect(hashed).toBe(18);
  });

  const path = temporaryFolder();
  test.each(found)("says that a device was lost, and resumes to the same root, on %s", async (driver) => {
    const [result] = await node(driver, LOST, await mkdtemp(path("lost-")));
    expect(result).toMatchObject({
      code: "VERDE_BACKEND_DEVICE_LOST",
      message: expect.stringMatching(/lost.*--resume/),
      seen: 3,
    });
    expect(result.runRoot).toBe(result.expected);
  });

  test.each(found)("refuses what does not fit, with figures, and continues to work, on %s", async (driver) => {
    const [{ tooLarge, tooMany, runRoot, expected }] = await node(driver, MEMORY);
    expect(tooLarge).toMatch(
      /^VERDE_BACKEND_MEMORY a tensor of 4096 MiB does not fit on .*, which takes up to \d+ MiB in one piece/,
    );
    // Mesa's driver in software allocates memory that the machine does not have, and fails when it is written
    // to.
    if (!driver.includes("lvp"))
      expect(tooMany).toMatch(/^VERDE_BACKEND_MEMORY .* has no room for \d+ MiB in \d+ tensors \(.*\); take/);
    expect(runRoot).toBe(expected);
  });

  const names = Object.keys(STEPS) as Name[];
  // Strict arithmetic is for drivers that flush subnormals, as the first one does.
  const runs = (found.length > 0 ? found : ["none"]).flatMap((driver, i) =>
    names.filter((name) => SWEEP || i === 0 || name === "webgpu").map((name) => [name, driver] as const),
  );
  describe.each(runs)("%s on %s", (backend, driver) => {
    test("conforms", async () => {
      const [certificate] = await node(driver, CONFORM, backend);
      expect(certificate).toMatchObject({ conforms: true, backend, differences: [] });
      expect(certificate.probes).toContainEqual({ name: "fuses guarded a·b + c", finding: "no" });
      const { name, software } = certificate.device as { name: string; software: boolean };
      expect(software).toBe(/swiftshader|llvmpipe/i.test(name));
    });

    test("has the reference's bits on random kernels", async () => {
      const [result] = await node(driver, COMPARE, String(SEED), String(RANDOM), backend);
      expect(result).toEqual({ compared: 2 * RANDOM, different: 0 });
    });

    test(`has the roots of the WASM backend at ${STEPS[backend]} steps of the GPT`, async () => {
      const steps = STEPS[backend];
      const roots = async (name: string): Promise<unknown[]> =>
        (await verde(driver, "run", ...job(steps), "--backend", name)).map(({ root, runRoot }) => root ?? runRoot);
      const expected = await (wasmRoots[backend] ??= roots("wasm"));
      expect(expected.length).toBe(steps + 2);
      expect(await roots(backend)).toEqual(expected);
    });
  });

  describe.each(found.length > 0 ? found : ["none"])("webgpu on %s", (driver) => {
    test("is chosen by auto only if it is a GPU, with a reason", async () => {
      // Without a compiler, no native code is passed over or taken.
      const env = { ...process.env, VK_ICD_FILENAMES: driver, VERDE_CC: "/no/compiler" };
      const { href } = new URL("../../src/certify/open-backend.ts", import.meta.url);
      const code = `const { backend, device, passedOver } = await (await import("${href}")).openBackend("auto");
        console.log(JSON.stringify({ backend: backend.name, device, passedOver }));`;
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], { env });
      const choice = JSON.parse(stdout) as { backend: string; device?: { software: boolean } };
      if (choice.backend === "webgpu") expect(choice.device).toMatchObject({ software: false });
      else
        expect(choice).toMatchObject({
          backend: "wasm",
          passedOver: [
            { backend: "cuda" },
            { backend: "webgpu", reason: expect.stringContaining("is a software device") },
            { backend: "native" },
          ],
        });
    });

    // All vectors take a device in software minutes.
    const isCertified = SWEEP || driver === found[0];
    test.runIf(isCertified)("is certified before its first job, and not before the next", async () => {
      const env = { ...process.env, VK_ICD_FILENAMES: driver, VERDE_CACHE: join(cache, String(found.indexOf(driver))) };
      const args = [MAIN, "run", ...job(1), "--backend", "webgpu"];
      for (const first of [true, false]) {
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
        expect(stderr.includes("certifying webgpu on")).toBe(first);
        const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as Record<string, unknown>;
        expect(summary).toMatchObject({ backend: "webgpu", device: expect.any(String) });
        expect(stderr.includes("is a software device")).toBe(summary.software);
      }
    });

    test("hashes on the device as the reference does", async () => {
      const [result] = await node(driver, HASH);
      expect(result.different).toEqual([]);
      expect(result.compared).toBeGreaterThan(100);
    });

    test("reports roots and outputs as every backend does, hashed on the device and here", async () => {
      expect(await node(driver, REPORTS, "webgpu")).toEqual([{ checked: 3 }]);
    });

    test("has every kernel's output when it is watched", async () => {
      const [{ compared, expected, different }] = await node(driver, WATCH);
      expect(different).toEqual([]);
      expect(compared).toBe(expected);
      expect(compared).toBeGreaterThan(100);
    });
  });
});
