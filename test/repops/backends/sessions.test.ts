/**
 * What a session refuses, on every backend that runs without a device: wrong tensors, and use after its end.
 */
import { describe, expect, test } from "vitest";
import { intTensor, tensor } from "../../../src/graph/index.ts";
import { type Tensor, tensorRoot } from "../../../src/encoding/tensor.ts";
import { BackendError, messageOf } from "../../../src/errors/index.ts";
import type { Backend } from "../../../src/repops/backends/backend.ts";
import { checkedSession } from "../../../src/repops/backends/checked.ts";
import { inOrder } from "../../../src/repops/backends/in-order.ts";
import { nativeWith } from "../../../src/repops/backends/native/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import type { KernelList } from "../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";

const program = defineProgram("f", (x) => x.mul(2));
const read = (from: number) =>
  ({ kind: "operand", tensor: from, clampRange: "none", view: { offset: 0, strides: [1] } }) as const;
const type = { dtype: "f32", shape: [3] } as const;
const list: KernelList = {
  inputs: [type],
  kernels: [
    { kind: "map", type, program, args: [read(0)] },
    { kind: "map", type, program, args: [read(1)] },
  ],
};

/** As the backends of devices are. */
const ordered: Backend = {
  name: "wasm",
  prepare: (made, options) =>
    checkedSession(made, options, async (keep) => inOrder(await wasm.prepare(made, { keep }))),
};

/** Native code, by this thread and by others. */
const natives = [nativeWith({}), nativeWith({ name: "native beside", beside: true })];
try {
  await natives[0].describe!();
} catch (error) {
  if (!(error instanceof BackendError)) throw error;
  console.log(`skipped: native: ${messageOf(error)}`);
  natives.length = 0;
}

describe.each<[string, Backend]>([
  ["reference", reference],
  ["wasm", wasm],
  ["wasm, one call after the other", ordered],
  ...natives.map((backend): [string, Backend] => [backend.name, backend]),
])("a session of %s", (_, backend) => {
  const refused = (call: Promise<unknown>, code: string, message: string) =>
    expect(call).rejects.toMatchObject({ code: `VERDE_${code}`, message: expect.stringContaining(message) });

  test("refuses tensors of other types and lengths, and inputs that are not there", async () => {
    const session = await backend.prepare(list, { keep: [2] });
    await refused(
      session.write(0, tensor([2], [1, 2])),
      "BACKEND_INPUT",
      "input 0 is f32[3], and can't be written with f32[2]",
    );
    await refused(session.write(0, intTensor([3], [1, 2, 3])), "BACKEND_INPUT", "can't be written with i32[3]");
    await refused(
      session.write(0, { ...type, data: Float32Array.of(1) }),
      "SHAPE_COUNT",
      "input 0: f32[3] has 1 elements",
    );
    await refused(session.write(0, { ...type, data: Int32Array.of(1, 2, 3) }), "VALUE_TYPE", "a Int32Array");
    await refused(session.write(1, tensor([3], [1, 2, 3])), "BACKEND_INPUT", "there is no input 1; the list has 1");
    await refused(session.write(0, undefined as never), "VALUE_TYPE", "undefined is no tensor");
    await session.close();
  });

  test("gives inputs and kept tensors, and no others", async () => {
    const session = await backend.prepare(list, { keep: [2] });
    await session.write(0, tensor([3], [1, 2, 3]));
    await session.execute();
    expect([...(await session.read(2)).data]).toEqual([4, 8, 12]);
    expect([...(await session.read(0)).data]).toEqual([1, 2, 3]);
    await refused(session.read(1), "BACKEND_KERNEL_UNKNOWN", "tensor 1 is not kept");
    await refused(session.read(3), "BACKEND_KERNEL_UNKNOWN", "there is no tensor 3; the list has 3");
    await refused(session.roots([0, 1]), "BACKEND_KERNEL_UNKNOWN", "tensor 1 is not kept");
    await refused(session.move([{ from: 2, to: 1 }]), "BACKEND_INPUT", "there is no input 1");
    await session.close();
  });

  test("takes a tensor as it is at the call, whatever is under way", async () => {
    const session = await backend.prepare(list, { keep: [2] });
    const given = tensor([3], [1, 2, 3]);
    const written: Promise<void>[] = [];
    const results: Promise<Tensor>[] = [];
    for (let round = 0; round < 3; round++) {
      given.data[0] = round;
      written.push(session.write(0, given));
      given.data[0] = 99;
      written.push(session.execute().then(() => undefined));
      results.push(session.read(2));
    }
    await Promise.all(written);
    const read = await Promise.all(results);
    expect(read.map(({ data }) => [...data])).toEqual([0, 1, 2].map((first) => [4 * first, 8, 12]));
    await session.close();
  });

  test("takes a lent tensor, gives zeros where none was lent, and never changes what it borrowed", async () => {
    // Of more than a page, so that the memory after its end may be another's.
    const many = Array.from({ length: 2500 }, (_, i) => i % 7);
    const long = { dtype: "f32", shape: [many.length] } as const;
    const larger: KernelList = {
      inputs: [long],
      kernels: list.kernels.map((kernel) => ({ ...kernel, type: long })) as KernelList["kernels"],
    };
    const session = await backend.prepare(larger, { keep: [2], lent: [0] });
    const read = async (number: number) => [...(await session.read(number)).data];
    expect(await read(0)).toEqual(many.map(() => 0));
    const lent = [1, 2].map((factor) => tensor(long.shape, many.map((x) => factor * x))); // prettier-ignore
    const copies = lent.map(({ data }) => [...data]);
    for (const [i, own] of lent.entries()) {
      await session.lend!(0, own);
      await session.execute();
      expect(await read(2)).toEqual(copies[i].map((x) => 4 * x));
      expect(await read(0)).toEqual(copies[i]);
      expect(await session.roots([0])).toEqual([tensorRoot(own)]);
    }
    await session.move([{ from: 2, to: 0 }]);
    await session.execute();
    expect(await read(2)).toEqual(copies[1].map((x) => 16 * x));
    await session.lend!(0, lent[0]);
    await session.write(0, lent[1]);
    await session.execute();
    expect(await read(2)).toEqual(copies[1].map((x) => 4 * x));
    expect(lent.map(({ data }) => [...data])).toEqual(copies);
    await session.close();
  });

  test("gives no output that was moved into an input, until the next execution", async () => {
    const session = await backend.prepare(list, { keep: [2] });
    await session.write(0, tensor([3], [1, 2, 3]));
    await session.execute();
    await session.move([{ from: 2, to: 0 }]);
    await refused(session.read(2), "BACKEND_MOVED", "tensor 2 was moved into an input");
    await refused(session.roots([0, 2]), "BACKEND_MOVED", "read the input, or execute first");
    await refused(session.move([{ from: 2, to: 0 }]), "BACKEND_MOVED", "tensor 2");
    expect([...(await session.read(0)).data]).toEqual([4, 8, 12]);
    await session.execute();
    expect([...(await session.read(2)).data]).toEqual([16, 32, 48]);
    await session.close();
  });

  test("refuses every use after it was closed, and may be closed twice", async () => {
    const session = await backend.prepare(list, { keep: [2] });
    await session.write(0, tensor([3], [1, 2, 3]));
    await session.close();
    for (const call of [
      () => session.write(0, tensor([3], [1, 2, 3])),
      () => session.read(0),
      () => session.execute(),
      () => session.roots([0]),
      () => session.move([]),
    ])
      await refused(call(), "BACKEND_CLOSED", "the session is closed");
    await session.close();
  });

  test("is not made of what is no list, or to keep what is not there", async () => {
    await refused(
      backend.prepare(undefined as never, { keep: [] }),
      "BACKEND_INPUT",
      "a list of kernels, not undefined",
    );
    await refused(backend.prepare(list, undefined as never), "BACKEND_INPUT", "pass { keep: [] }");
    await refused(backend.prepare(list, { keep: [3] }), "BACKEND_KERNEL_UNKNOWN", "there is no tensor 3");
    await refused(backend.prepare(list, { keep: [], lent: [1] }), "BACKEND_INPUT", "there is no input 1");
  });
});
