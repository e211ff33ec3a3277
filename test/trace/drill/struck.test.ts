import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../../src/encoding/bytes.ts";
import { type Tensor, tensorRoot } from "../../../src/encoding/tensor.ts";
import { type Backend, executeOnce, type ExecuteReport } from "../../../src/repops/backends/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import type { KernelList } from "../../../src/repops/kernels/kernel.ts";
import { type Strike, struckBackend } from "../../../src/trace/drill/struck.ts";
import { inputsOf, lists } from "../../repops/lists.ts";
import { checkReports } from "../../repops/reports.ts";

const SEED = 20261120;
const plant = ({ data }: Tensor): void => void (data[7] = 1.25);
/** What a flipped bit may leave: not even a number. Backends agree on what follows from vf32 alone. */
const plantNaN = ({ data }: Tensor): void =>
  void (new Uint32Array(data.buffer, data.byteOffset, data.length)[11] = 0x7fc00001);

/** A kernel at a time on the reference, with the change where it belongs. */
async function outputsOf({ list, kernel: struck, change }: Strike, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const tensors = [...inputs];
  for (const [i, kernel] of list.kernels.entries()) {
    const one: KernelList = { inputs: tensors, kernels: [kernel] };
    const [output] = await executeOnce(reference, one, tensors, [tensors.length]);
    if (i === struck) change(output);
    tensors.push(output);
  }
  return tensors.slice(inputs.length);
}

const bits = ({ data }: Tensor): number[] => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];
const shown = ({ roots, captured }: ExecuteReport): unknown => ({
  roots: [...roots].map(([kernel, root]) => [kernel, toHex(root)]),
  captured: [...captured].map(([kernel, tensor]) => [kernel, bits(tensor)]),
});

/** Two executions, the second on what the first one kept, against the definition. */
async function expectStruck(backend: Backend, strike: Strike, keep: readonly number[]): Promise<void> {
  const { list } = strike;
  const all = [...list.kernels.keys()];
  const inputs = inputsOf(list, SEED);
  const session = await struckBackend(backend, strike).prepare(list, { keep });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  for (let round = 0; round < 2; round++) {
    const outputs = await outputsOf(strike, inputs);
    const report = await session.execute({ rootsOf: "all", capture: all });
    expect(shown(report)).toEqual({
      roots: outputs.map((output, kernel) => [kernel, toHex(tensorRoot(output))]),
      captured: outputs.map((output, kernel) => [kernel, bits(output)]),
    });
    const kept = keep.map((tensor) => outputs[tensor - inputs.length]);
    for (const [i, tensor] of keep.entries()) expect(bits(await session.read(tensor))).toEqual(bits(kept[i]));
    expect((await session.roots(keep)).map(toHex)).toEqual(kept.map((tensor) => toHex(tensorRoot(tensor))));
    // The second input becomes what was kept last, the first what the second was.
    await session.move([
      { from: keep[keep.length - 1], to: 1 },
      { from: 1, to: 0 },
    ]);
    inputs.splice(0, 2, inputs[1], kept[kept.length - 1]);
  }
  await session.close();
}

describe("a struck kernel", () => {
  test("changes what later kernels, roots and captures see, and nothing else", () =>
    fc.assert(
      fc.asyncProperty(lists, async ({ list, kept, struck }) => {
        await expectStruck(wasm, { list, kernel: struck, change: plant }, kept);
        await expectStruck(reference, { list, kernel: struck, change: plantNaN }, kept);
      }),
      { seed: SEED, numRuns: 60 },
    ));

  test("leaves every other list alone", async () => {
    const [{ list, kept, struck }] = fc.sample(lists, { seed: SEED, numRuns: 1 });
    const inputs = inputsOf(list, SEED);
    const backend = struckBackend(wasm, { list, kernel: struck, change: plant });
    const same = await executeOnce(backend, { ...list }, inputs, kept);
    expect(same.map(bits)).toEqual((await executeOnce(wasm, list, inputs, kept)).map(bits));
  });

  test.each([0, 3, 5, 13])("reports as every backend does, when kernel %i is struck and nothing changed", (kernel) =>
    checkReports({
      name: "struck",
      prepare: (list, options) =>
        kernel < list.kernels.length
          ? struckBackend(wasm, { list, kernel, change: () => undefined }).prepare(list, options)
          : wasm.prepare(list, options),
    }),
  );
});
