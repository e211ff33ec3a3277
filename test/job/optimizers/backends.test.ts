/**
 * Three training steps of every optimizer have the same bits on WASM, on native code, and by the definition.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as job from "../../../src/job/index.ts";
import { BackendError } from "../../../src/errors/index.ts";
import { native } from "../../../src/repops/backends/native/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { type Given, jobOf, statesOf } from "./given-slopes.ts";

const { shapes, start, slopes } = JSON.parse(
  readFileSync(new URL("../../vectors/optimizers.json", import.meta.url), "utf8"),
) as Omit<Given, "pull">;

const learningRate = 0.1;
const OPTIMIZERS: Record<string, () => job.Optimizer> = {
  adafactor: () => job.adafactor({ learningRate }),
  adamW: () =>
    job.adamW({ learningRate, clipNorm: 0.5, clipValue: 0.75, skipAbove: { ratio: 2, norm: 100, after: 1 } }),
  lion: () => job.lion({ learningRate, weightDecay: 0.1 }),
  muon: () => job.muon({ learningRate, others: { learningRate } }),
  nAdam: () => job.nAdam({ learningRate, weightDecay: 0.1 }),
  rAdam: () => job.ema(job.rAdam({ learningRate }), { decay: 0.9 }),
  rmsProp: () => job.rmsProp({ learningRate, momentum: 0.5, centered: true }),
  sgd: () => job.sgd({ learningRate, momentum: 0.5, nesterov: true, groups: [{ match: /vector/, weightDecay: 0.5 }] }),
};

const closed = new Map<string, job.ClosedJob>();
for (const [name, optimizer] of Object.entries(OPTIMIZERS))
  closed.set(name, { ...(await jobOf(optimizer, { shapes, start, slopes, pull: 1 / 4 })), steps: 3 });

test.each([...closed])("%s, by the definition", async (_, own) => {
  expect(await statesOf(own, reference)).toEqual(await statesOf(own, wasm));
});

// The others have maps alone, which compiling takes long for.
test.for(["adafactor", "adamW", "muon"])("%s, by native code", async (name, { skip }) => {
  const own = closed.get(name)!;
  const states = await statesOf(own, native).catch((error: unknown) => {
    if (!(error instanceof BackendError)) throw error;
    console.log(`native is not on this machine: ${error.message}`);
    return skip(error.message);
  });
  expect(states).toEqual(await statesOf(own, wasm));
});
