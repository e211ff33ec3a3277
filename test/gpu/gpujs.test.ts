/**
 * gpu.js in the modes that run in Node: cpu and webasm, WebGPU on every driver with an adapter, and
 * headless-gl if there is a display for it. test/browser tests WebGL 2. Each runs in a process of its own.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { driversWithAdapter } from "./drivers.ts";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const [MAIN, GPT, CONFORM, COMPARE, REPORTS] = [
  "../../src/cli/main.ts",
  "../../examples/char-gpt.ts",
  "conform.ts",
  "../repops/compare.ts",
  "reports.ts",
].map(path);
const SEED = 20261120;
/** Steps of the GPT, and random lists of kernels. The gate takes a sample. */
const [STEPS, RANDOM] = process.env.VERDE_SWEEP === undefined ? [8, 5] : [100, 15];
const TINY = Object.entries({ steps: STEPS, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 });
const JOB = [GPT, ...TINY.flatMap(([name, value]) => [`--${name}`, String(value)]), "--json"];

/** Runs a program that prints JSON lines, on one driver. */
async function node(driver: string, program: string[], ...args: string[]): Promise<Record<string, unknown>[]> {
  const env = { ...process.env, VK_ICD_FILENAMES: driver };
  const [file, ...rest] = [...program, ...args];
  const { stdout } = await promisify(execFile)(file, rest, { env, maxBuffer: 2 ** 26 });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function hasPackage(): boolean {
  try {
    return createRequire(import.meta.url).resolve("gpu.js") !== "";
  } catch {
    console.log("skipped: gpu.js, since it is not installed (npm ci)");
    return false;
  }
}

interface Run {
  backend: string;
  driver: string;
  /** The arguments of Node that start the program. */
  program: string[];
}

/** Headless-gl needs a display, and a driver that it supports. */
async function headless(): Promise<Run[]> {
  const run: Run = { backend: "gpujs:headlessgl", driver: "", program: ["xvfb-run", "-a", process.execPath] };
  try {
    await node("", run.program, "-e", 'if (!require("gl")(4, 4)) throw new Error("no context"); console.log("{}")');
    return [run];
  } catch (error) {
    const lines = String((error as { stderr?: string }).stderr ?? "").split("\n");
    const reason = lines.find((line) => /Error/.test(line)) ?? (error as Error).message.split("\n")[0];
    console.log(`skipped: gpu.js on headless-gl, which does not work here (${reason.trim()})`);
    return [];
  }
}

async function runs(): Promise<Run[]> {
  const program = [process.execPath];
  const here = ["gpujs:cpu", "gpujs:webasm"].map((backend): Run => ({ backend, driver: "", program }));
  const drivers = driversWithAdapter((line) => console.log(line));
  return [
    ...here,
    ...drivers.map((driver): Run => ({ backend: "gpujs:webgpu", driver, program })),
    ...(await headless()),
  ];
}

/** What WASM prints, which is the same beside every driver. */
let wasmLines: Promise<Record<string, unknown>[]> | undefined;
const roots = (lines: Record<string, unknown>[]): unknown[] => lines.map(({ root, runRoot }) => root ?? runRoot);

describe.runIf(hasPackage())("gpu.js", async () => {
  describe.each(await runs())("$backend $driver", ({ backend, driver, program }) => {
    test("conforms", async () => {
      const [certificate] = await node(driver, program, CONFORM, backend);
      expect(certificate).toMatchObject({ conforms: true, backend, differences: [] });
      expect(certificate.probes).toContainEqual({ name: "fuses guarded a·b + c", finding: "no" });
    });

    test("has the reference's bits on random kernels", async () => {
      const [result] = await node(driver, program, COMPARE, String(SEED), String(RANDOM), backend);
      expect(result).toEqual({ compared: 2 * RANDOM, different: 0 });
    });

    test("reports roots and outputs as every backend does", async () => {
      expect(await node(driver, program, REPORTS, backend)).toEqual([{ checked: 1 }]);
    });

    test(`has the roots of the WASM backend at ${STEPS} steps of the GPT, and says what ran there`, async () => {
      const expected = await (wasmLines ??= node("", [process.execPath], MAIN, "run", ...JOB));
      const lines = await node(driver, program, MAIN, "run", ...JOB, "--backend", backend);
      expect(expected.length).toBe(STEPS + 2);
      expect(roots(lines)).toEqual(roots(expected));
      expect(lines.at(-1)).toMatchObject({ fallback: { backend: "wasm" } });
    });
  });
});
