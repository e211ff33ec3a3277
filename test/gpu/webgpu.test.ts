/**
 * WebGPU on whatever devices this machine has: SwiftShader of Debian's chromium, and the drivers that Vulkan knows. Each
 * runs in a process of its own, since the choice of the driver is the process's.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
const COMPARE = fileURLToPath(new URL("../repops/compare.ts", import.meta.url));
const SEED = 20261120;
const STEPS = 20;
const TINY = Object.entries({ steps: STEPS, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 });
const JOB = [GPT, ...TINY.flatMap(([name, value]) => [`--${name}`, String(value)]), "--json"];

const verde = (driver: string, ...args: string[]): ReturnType<typeof node> => node(driver, MAIN, ...args);

/** Runs a program that prints JSON lines, on one driver. */
async function node(driver: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const env = { ...process.env, VK_ICD_FILENAMES: driver };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 2 ** 26 });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const hasPackage = (): boolean => {
  try {
    return createRequire(import.meta.url).resolve("webgpu") !== "";
  } catch {
    return false;
  }
};

/** Where distributions put the descriptions of Vulkan's drivers. */
function drivers(): string[] {
  const folder = "/usr/share/vulkan/icd.d";
  const listed = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return ["/usr/lib/chromium/vk_swiftshader_icd.json", ...listed].filter((path) => existsSync(path));
}

const found = hasPackage() ? drivers() : [];
if (!hasPackage())
  console.log("skipped: WebGPU, since the package webgpu is not installed (npm install --no-save webgpu@0.6.2)");
else if (found.length === 0)
  console.log("skipped: WebGPU, since no Vulkan driver is installed (Debian: chromium has SwiftShader)");

describe.runIf(found.length > 0)("WebGPU", () => {
  let steps: Record<string, unknown>[];
  beforeAll(async () => {
    steps = await verde("", "run", ...JOB);
  });

  const runs = (found.length > 0 ? found : ["none"]).flatMap((driver) =>
    ["webgpu", "webgpu:strict"].map((backend) => [backend, driver] as const),
  );
  describe.each(runs)("%s on %s", (backend, driver) => {
    test("conforms", async () => {
      const [certificate] = await verde(driver, "certify", "--backend", backend, "--json");
      expect(certificate).toMatchObject({ conforms: true, backend, differences: [] });
    });

    test("has the reference's bits on random kernels", async () => {
      const [result] = await node(driver, COMPARE, String(SEED), "15", backend);
      expect(result).toEqual({ compared: 30, different: 0 });
    });

    test(`has the roots of the WASM backend at ${STEPS} steps of the GPT`, async () => {
      const device = await verde(driver, "run", ...JOB, "--backend", backend);
      const roots = (lines: Record<string, unknown>[]): unknown[] => lines.map(({ root, runRoot }) => root ?? runRoot);
      expect(device.length).toBe(STEPS + 2);
      expect(roots(device)).toEqual(roots(steps));
    });
  });
});
