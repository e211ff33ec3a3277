import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClosedJob } from "../../src/job/closed.ts";
import { expectComplete, openTrace, run, type RunOptions } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { regression } from "../fixtures/regression.ts";
import { copyTrace, filesOf } from "../trace/files.ts";
import { SEED } from "./seed.ts";

const path = temporaryFolder();

test("a damaged trace is refused whichever byte is altered", async () => {
  await run(await line.close(), { checkpointEvery: 4, out: path("damaged.trace") });
  const whole = readFileSync(path("damaged.trace"));
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const bytes = Buffer.from(whole);
      bytes[at] ^= change;
      writeFileSync(path("altered.trace"), bytes);
      const error = await openTrace(path("altered.trace"))
        .then(expectComplete)
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ family: "VERDE_FORMAT" });
      expect(String(error)).toContain("altered.trace");
    }),
    { seed: SEED, numRuns: 150 },
  );
});

const runs: [name: string, options: RunOptions, job: () => Promise<ClosedJob>][] = [
  ["line", { checkpointEvery: 4 }, () => line.close()],
  ["segments", { commitEvery: 3, checkpointEvery: 3 }, () => line.close({ seed: 3 })],
  ["detailed", { detail: "operators", checkpointEvery: 0 }, async () => regression()],
  ["continued", { checkpointEvery: 3 }, async () => regression({ checkpoint: true })],
];

describe.each(runs)("the run %s", (name, options, close) => {
  test("gives the same files whichever byte it was cut at", async () => {
    const job = await close();
    await run(job, { ...options, out: path(`${name}.trace`) });
    const whole = filesOf(path, name);
    const starts: number[] = [];
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.trace.length), async (cut) => {
        copyTrace(path, name, "cut");
        truncateSync(path("cut.trace"), cut);
        const seen: number[] = [];
        const resumed = { ...options, out: path("cut.trace"), resume: true, onStep: ({ step }: { step: number }) => void seen.push(step) }; // prettier-ignore
        await run(job, resumed).catch(async (error: unknown) => {
          // Without any record the trace vouches for no checkpoint, and none is dropped unless that is asked for.
          expect(error).toMatchObject({
            code: "VERDE_USAGE_EXISTS",
            message: expect.stringContaining("has no records"),
          });
          expect(filesOf(path, "cut")).toEqual({ ...whole, trace: whole.trace.subarray(0, cut) });
          await run(job, { ...resumed, force: true });
        });
        expect(filesOf(path, "cut")).toEqual(whole);
        starts.push(seen[0] ?? job.steps + 1);
      }),
      { seed: SEED, numRuns: 25 },
    );
    // Some began anew, and some did not.
    expect(Math.min(...starts)).toBe(0);
    expect(Math.max(...starts)).toBeGreaterThan(0);
  });
});
