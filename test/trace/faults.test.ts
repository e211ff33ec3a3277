import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { elementBits, type Tensor, tensorRoot } from "../../src/encoding/tensor.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { bitsOf, fromBits } from "../../src/repops/numbers/vf32.ts";
import { openTrace, parseFault, Replayer, run } from "../../src/trace/index.ts";
import { openExecution } from "../../src/trace/drill/faulty.ts";
import type { Fault } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const job = regression();
const INPUTS = job.step.inputs.length;
const kernel = (label: string): number => job.step.labels.indexOf(label);

/** What a provider with this fault computes: the outputs of a step's kernels, and the state behind it. */
async function outputsOf(step: number, fault?: Fault): Promise<{ outputs: Tensor[]; state: Tensor[] }> {
  const execution = await openExecution(job, reference, fault);
  const { kernels } = step === 0 && job.init.kind === "graph" ? job.init.graph : job.step;
  const all = { rootsOf: "all", capture: [...kernels.keys()] } as const;
  let report = await execution.initialise(step === 0 ? all : {});
  while (execution.at < step) report = await execution.advance(execution.at + 1 === step ? all : {});
  const state = await execution.state();
  await execution.close();
  const outputs = [...report.captured.values()];
  expect([...report.roots.values()].map(toHex)).toEqual(outputs.map((output) => toHex(tensorRoot(output))));
  return { outputs, state };
}

/** Replays every step of a faulty run from its files, against its own roots. */
async function expectReplayed(fault: Fault, checkpointEvery: number): Promise<void> {
  await run(job, { fault, checkpointEvery, out: path("fault.trace"), force: true, detail: "operators" });
  const replayer = await Replayer.open(path("fault.trace"));
  const trace = await openTrace(path("fault.trace"));
  for (const step of [10, 5, 6, 1, 0]) {
    const { kernelRoots, newStateRoot } = await replayer.detail(step);
    expect(kernelRoots.map(toHex)).toEqual((await trace.record(step)).opRoots!.map(toHex));
    expect(toHex(newStateRoot)).toBe(toHex((await replayer.trace.rootOf(step))!));
  }
  await replayer.close();
}

describe("the text of a fault", () => {
  test("is refused with what is wrong about it", () => {
    for (const [text, problem] of [
      ["", "is not understood"],
      ["flip", "is not understood"],
      ["constructor:step=1", "has an unknown kind"],
      ["skip:step", "has the part step"],
      ["skip:step=1,step=2", "gives step twice"],
      ["skip:step=1,from=2", "takes no from"],
      ["skip:step=1,__proto__=2", "takes no __proto__"],
      ["flip:step=1,operator=2,element=3", "needs step, operator, element, bit"],
      ["skip:step=1.5", "needs a whole number for step"],
      ["skip:step=-1", "needs a whole number for step"],
      ["skip:step=0", "skips a step before the first, which is 1"],
      ["data:from=0", "begins before the first step, which is 1"],
      ["flip:step=1,operator=1,element=1,bit=32", "names a bit above 31"],
      ["lr:from=1,factor=1e999", "needs a finite factor"],
      ["lr:from=1,factor=1.2.3", "needs a finite factor"],
    ])
      expect(() => parseFault(text)).toThrow(`the fault ${JSON.stringify(text)} ${problem}`);
  });

  test("stands in the manifest", async () => {
    const fault = parseFault("lr:from=2,factor=1e21");
    await run(job, { fault, out: path("noted.trace") });
    expect((await openTrace(path("noted.trace"))).manifest.fault).toEqual(fault);
    expect((await openTrace(path("noted.trace"))).complete).toBe(true);
  });
});

describe("a flip", () => {
  test("changes one bit of one element of one output of one step", async () => {
    for (const fault of [
      { kind: "flip", step: 6, operator: kernel("errors"), element: 2, bit: 12 },
      { kind: "flip", step: 6, operator: kernel("batch"), element: 1, bit: 0 },
      { kind: "flip", step: 0, operator: 0, element: 2, bit: 31 },
    ] as const) {
      const honest = await outputsOf(fault.step);
      const faulty = await outputsOf(fault.step, fault);
      for (const [i, output] of faulty.outputs.slice(0, fault.operator + 1).entries())
        for (let element = 0; element < output.data.length; element++) {
          const struck = i === fault.operator && element === fault.element;
          const difference = elementBits(output, element) ^ elementBits(honest.outputs[i], element);
          expect(difference >>> 0).toBe(struck ? 2 ** fault.bit : 0);
        }
      if (fault.step > 0)
        expect((await outputsOf(fault.step - 1, fault)).state).toEqual((await outputsOf(fault.step - 1)).state);
    }
  });

  test("may leave in the state what is no vf32: -0, a subnormal, a NaN", async () => {
    const wordsOf = async (text: string): Promise<number[]> => {
      const { state } = await outputsOf(0, parseFault(text));
      return [elementBits(state[0], 1), elementBits(state[4], 1)];
    };
    const fifteen = bitsOf(1.5);
    expect(await wordsOf("flip:step=0,operator=0,element=1,bit=31")).toEqual([0x80000000, fifteen]);
    expect(await wordsOf("flip:step=0,operator=0,element=1,bit=3")).toEqual([8, fifteen]);
    expect(await wordsOf("flip:step=0,operator=3,element=1,bit=30")).toEqual([0, 0x7fc00000]);
  });

  test("may leave in a metric what no number holds, and the trace proves those bits", async () => {
    // The loss of step 4 is 1.01: with bit 30 it is a NaN that turns into another one on the way through a number.
    const fault = { kind: "flip", step: 4, operator: kernel("loss"), element: 0, bit: 30 } as const;
    await run(job, { fault, out: path("nan.trace"), force: true });
    const bits = elementBits((await outputsOf(4, fault)).state[2], 0);
    expect([bits >>> 22, Number.isNaN(fromBits(bits))]).toEqual([0b0111111110, true]);
    expect((await (await openTrace(path("nan.trace"))).record(4)).metrics).toEqual([bits]);
  });

  test.each([
    "flip:step=0,operator=0,element=1,bit=31",
    "flip:step=0,operator=0,element=1,bit=3",
    "flip:step=0,operator=3,element=1,bit=30",
    `flip:step=5,operator=${kernel("update")},element=0,bit=30`,
    `flip:step=5,operator=${kernel("count")},element=0,bit=31`,
  ])("is replayed from checkpoints by its own prover: %s", async (text) => {
    await expectReplayed(parseFault(text), 1);
    await expectReplayed(parseFault(text), 5);
  });
});

describe("another rate", () => {
  test("is the job's times the factor, from its step on", async () => {
    const node = kernel("optimizer/learning-rate");
    const fault = { kind: "lr", from: 4, factor: 0.3 } as const;
    const rateAt = async (step: number): Promise<number> => (await outputsOf(step, fault)).outputs[node].data[0];
    expect([await rateAt(3), await rateAt(4), await rateAt(10)]).toEqual([
      0.0625,
      Math.fround(0.0625 * 0.3),
      Math.fround(0.0625 * 0.3),
    ]);
    await expectReplayed(fault, 4);
  });

  test("stays a vf32, and needs a labelled operator", async () => {
    const node = kernel("optimizer/learning-rate");
    const rate = (factor: number): Promise<number> =>
      outputsOf(1, { kind: "lr", from: 1, factor }).then(({ outputs }) => outputs[node].data[0]);
    expect([await rate(1e300), await rate(1e-300), await rate(-1)]).toEqual([2 ** 127, 0, -0.0625]);
    const bare = run(regression({ rateLabel: "optimizer/rate" }), { fault: parseFault("lr:from=1,factor=2") });
    await expect(bare).rejects.toThrow("no operator of the job has a label that ends in /learning-rate");
  });
});

describe("other data", () => {
  test("are the rows, each one place further, from the step on", async () => {
    const fault = { kind: "data", from: 3 } as const;
    const rows = kernel("rows");
    const before = await outputsOf(2, fault);
    expect(before.outputs).toEqual((await outputsOf(2)).outputs);
    // Steps 3 and 4 read rows 0–3 and 4–7.
    const [first, second] = [await outputsOf(3, fault), await outputsOf(4, fault)];
    const x = job.dataset[0].data;
    expect([...first.outputs[rows].data]).toEqual(Array.from(x.subarray(3, 15)));
    expect([...second.outputs[rows].data]).toEqual([...x.slice(15, 24), ...x.slice(0, 3)]);
    await expectReplayed(fault, 5);
  });

  test("never reach what is opened as the job's dataset", async () => {
    await run(job, { fault: parseFault("data:from=1"), out: path("data.trace"), force: true });
    const replayer = await Replayer.open(path("data.trace"));
    const captured = await replayer.capture(7, [5, 6, INPUTS + kernel("rows")]);
    for (const i of [0, 1]) expect(toHex(tensorRoot(captured.get(5 + i)!))).toBe(toHex(tensorRoot(job.dataset[i])));
    await replayer.close();
  });
});

describe("a skipped step", () => {
  test("leaves the state what it was, though the work was done", async () => {
    const fault = { kind: "skip", step: 5 } as const;
    const [before, skipped, honest] = [await outputsOf(4), await outputsOf(5, fault), await outputsOf(5)];
    expect(skipped.state).toEqual(before.state);
    expect(skipped.outputs).toEqual(honest.outputs);
    expect(honest.state).not.toEqual(before.state);
    await expectReplayed(fault, 5);
  });
});

test("faults that the job has no place for are refused with what it has", async () => {
  const refused = (text: string, of = job): Promise<unknown> => run(of, { fault: parseFault(text) });
  await expect(refused("data:from=11")).rejects.toThrow("the fault is at step 11, but the job has 10");
  await expect(refused("flip:step=1,operator=10,element=0,bit=0")).rejects.toThrow(
    "operator 10 does not exist; choose 0 to 9",
  );
  await expect(refused("flip:step=0,operator=4,element=0,bit=0")).rejects.toThrow(
    "operator 4 does not exist; choose 0 to 3",
  );
  await expect(refused("flip:step=1,operator=0,element=4,bit=0")).rejects.toThrow("operator 0 has 4 elements");
  const continued = regression({ checkpoint: true });
  await expect(refused("flip:step=0,operator=0,element=0,bit=0", continued)).rejects.toThrow(
    "so step 0 has no operators",
  );
});
