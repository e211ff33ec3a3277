/** A large state is written tensor by tensor where the run can wait, and not copied as a whole. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { byteLength } from "../../src/encoding/tensor.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { discard } from "../../src/repops/backends/host.ts";
import { MAX_VALUE } from "../../src/repops/numbers/vf32.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { Execution } from "../../src/trace/execution.ts";
import { HERE } from "../../src/trace/here.ts";
import { readSafetensors, run, writeSafetensors } from "../../src/trace/index.ts";
import { Recorder } from "../../src/trace/recorder.ts";
import { settingsOf } from "../../src/trace/settings.ts";
import { takeSnapshot } from "../../src/trace/snapshot.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();

async function runWith(job: ClosedJob, out: string | undefined, large: number) {
  const options = { ...(out !== undefined && { out }), commitEvery: 1, checkpointEvery: 2 };
  const execution = await Execution.open(job, wasm);
  const read = { whole: 0, alone: 0 };
  const state = execution.state.bind(execution);
  execution.state = () => (read.whole++, state());
  const recorder = new Recorder(job, settingsOf(job, options, wasm), options, { ...HERE, large });
  await recorder.begin(execution);
  while (execution.at < job.steps) await recorder.step(execution);
  const copies = read.whole;
  const result = await recorder.end(execution);
  await recorder.close();
  await execution.close();
  return { result, copies };
}

for (const rate of [0.125, 2 ** 100])
  test(`the run is the same, at rate ${rate}`, async () => {
    const job = regression({ rate, steps: 5 });
    const [copied, unread] = [path(`copied-${rate}.trace`), path(`unread-${rate}.trace`)];
    const first = await runWith(job, copied, Infinity);
    const second = await runWith(job, unread, 0);
    // Checkpoints of steps 0, 2, 4 and 5: those in the middle are copies.
    expect([first.copies, second.copies]).toEqual([4, 2]);
    expect(second.result).toEqual({ ...first.result, audit: second.result.audit });
    expect(second.result.saturated.length > 0).toBe(rate > 1);
    expect(readFileSync(unread)).toEqual(readFileSync(copied));
    for (const step of [0, 2, 4, 5]) {
      const file = (trace: string) => readFileSync(trace.replace(".trace", `.data/step-0000000${step}.safetensors`));
      expect(file(unread), `step ${step}`).toEqual(file(copied));
    }
    // Without a trace nothing is copied, and what is saturated is found.
    const third = await runWith(job, undefined, Infinity);
    expect([third.copies, third.result.saturated]).toEqual([0, first.result.saturated]);
  });

test("tensors that are read when they are written stand in the same file", async () => {
  const job = regression({ rate: 2 ** 100, steps: 2 });
  const execution = await Execution.open(job, wasm);
  await execution.initialise();
  while (execution.at < job.steps) await execution.advance();
  const snapshot = await takeSnapshot(execution, 1);
  expect(snapshot.isUnread).toBe(true);
  expect(snapshot.saturated).toEqual([]);
  await writeSafetensors(path("unread"), snapshot.tensors);
  await writeSafetensors(path("copied"), await execution.state());
  expect(readFileSync(path("unread"))).toEqual(readFileSync(path("copied")));
  const there = (await readSafetensors(path("copied"))).filter(({ data }) => data.some((x) => Math.abs(x) === MAX_VALUE)); // prettier-ignore
  expect(snapshot.saturated).toEqual(there.map(({ name }) => name));
  expect(there.length).toBeGreaterThan(0);
  await execution.close();
});

test("a copy gives its memory back, and a view of other memory stays", () => {
  const type = { dtype: "f32", shape: [4] } as const;
  const copy = { ...type, data: Float32Array.of(1, 2, 3, 4) };
  const memory = new Float32Array(8);
  const view = { ...type, data: memory.subarray(0, 4) };
  expect(byteLength(type)).toBe(16);
  for (const tensor of [copy, view]) discard(tensor);
  expect([copy.data.length, view.data.length, memory.length]).toEqual([0, 4, 8]);
});

test("a result has the last state, unless the caller wants none", async () => {
  const job = regression({ steps: 3 });
  const [whole, without] = [await run(job), await run(job, { keepState: false })];
  expect(whole.state.map(({ name }) => name)).toEqual(job.step.outputs.map(({ name }) => name));
  expect(without).toEqual({ ...whole, state: [], audit: without.audit });
});
