/** gpu.js in a real browser, on WebGL 2 and WebGPU: the conformance vectors, and steps of the GPT: 10, or 100 with VERDE_SWEEP=1. */
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { loadJob } from "../../src/job/load.ts";
import { run } from "../../src/trace/index.ts";
import { hasBrowser, openTab, type TabModule } from "../fixtures/browser.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { SHARE } from "../gpu/vectors.ts";

const STEPS = process.env.VERDE_SWEEP === undefined ? 10 : 100;
const TINY = { steps: STEPS, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 };

/** The package's build for browsers, where the package is. */
function bundle(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve("gpu.js/dist/gpu-browser.js");
  } catch {
    console.log("skipped: gpu.js in a browser, since it is not installed (npm ci)");
    return undefined;
  }
}

const file = bundle();

describe.runIf(file !== undefined && hasBrowser("gpu.js in a browser"))("gpu.js in a browser's tab", () => {
  const path = temporaryFolder();
  let inTab: TabModule<typeof import("./in-tab.ts")>;
  let roots: string[];
  beforeAll(async () => {
    const { segmentRoots } = await run(await loadJob("examples/char-gpt.ts", TINY), { out: path("tiny.trace") });
    roots = segmentRoots.map(toHex);
    const scripts = { "gpu.js": { file: file!, exports: ["GPU"] } };
    inTab = (await openTab({ trace: path("tiny.trace"), scripts })).module("test/browser/in-tab.ts");
  });

  for (const backend of ["gpujs:webgl2", "gpujs:webgpu"]) {
    test(`${backend} has the bits of the specification`, async () => {
      const share = process.env.VERDE_SWEEP === undefined ? SHARE : 1;
      const results = await inTab("certifyInTab", backend, share);
      expect(results.filter(({ conforms }) => !conforms)).toEqual([]);
      expect(results.length).toBeGreaterThan(0);
    });

    test(`${backend} has the roots of Node's WASM at ${STEPS} steps of the GPT`, async () => {
      expect(await inTab("rootsInTab", backend)).toEqual(roots);
    });
  }
});
