/** src/ in a real browser: the conformance vectors, and the roots of a run. */
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { loadJob } from "../../src/job/index.ts";
import { DIGESTS } from "../../src/certify/digests.ts";
import { SHARE, vectorsFor } from "../gpu/vectors.ts";
import { run } from "../../src/trace/index.ts";
import { hasBrowser, openTab, type TabModule } from "../fixtures/browser.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const STEPS = 100;
const TINY = { steps: STEPS, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 };

describe.runIf(hasBrowser("src/ in a browser"))("in a browser's tab", () => {
  const path = temporaryFolder();
  let inTab: TabModule<typeof import("./in-tab.ts")>;
  let roots: string[];
  beforeAll(async () => {
    const { segmentRoots } = await run(await loadJob("examples/char-gpt.ts", TINY), { out: path("tiny.trace") });
    roots = segmentRoots.map(toHex);
    inTab = (await openTab({ trace: path("tiny.trace") })).module("test/browser/in-tab.ts");
  });

  for (const backend of ["wasm", "webgpu"]) {
    test(`${backend} has the bits of the specification`, async () => {
      // WASM runs all of them.
      const share = backend === "wasm" || process.env.VERDE_SWEEP !== undefined ? 1 : SHARE;
      const results = await inTab("certifyInTab", backend, share);
      expect(results.filter(({ conforms }) => !conforms)).toEqual([]);
      const outputs = vectorsFor(share).flatMap((one) => one.outputs);
      expect(results.length).toBe(outputs.length);
      if (share === 1) expect(results.length).toBe(Object.keys(DIGESTS).length);
    });

    test(`${backend} has the roots of Node's WASM at ${STEPS} steps of the GPT`, async () => {
      expect(roots.length).toBe(STEPS + 1);
      expect(await inTab("rootsInTab", backend)).toEqual(roots);
    });
  }
});
