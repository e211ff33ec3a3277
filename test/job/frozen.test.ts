/** What no training step changes is not differentiated, not copied, and hashed once, on every backend. */
import { describe, expect, test } from "vitest";
import { defineJob, gelu, linear, mean, sgd, square, tensor } from "../../src/job/index.ts";
import { BackendError } from "../../src/errors/index.ts";
import type { Backend, Session } from "../../src/repops/backends/backend.ts";
import { BACKENDS } from "../../src/repops/backends/index.ts";
import { isDot, operandsOf } from "../../src/repops/kernels/kernel.ts";
import { Execution } from "../../src/trace/execution.ts";

const job = await defineJob({
  name: "frozen",
  steps: 3,
  data: () => ({
    x: tensor(
      [4, 6],
      Array.from({ length: 24 }, (_, i) => i / 16 - 0.75),
    ),
  }),
  loss: (context) => {
    const base = context.freeze(() => gelu(linear(context, "base", context.data.x, 5)));
    return mean(square(linear(context, "head", base, 2)));
  },
  optimizer: () => sgd({ learningRate: 0.1 }),
}).close();
const frozen = [...job.step.outputs.keys()].filter((entry) => job.step.outputs[entry].tensor === entry);

/** A backend that notes which tensors are moved and hashed. */
function watched(backend: Backend, moved: number[], hashed: number[]): Backend {
  return new Proxy(backend, {
    get(target, key) {
      if (key !== "prepare") return Reflect.get(target, key) as unknown;
      return async (...args: Parameters<Backend["prepare"]>): Promise<Session> => {
        const session = await target.prepare(...args);
        return new Proxy(session, {
          get(inner, name) {
            const own: unknown = Reflect.get(inner, name);
            if (typeof own !== "function") return own;
            return (...given: unknown[]): unknown => {
              if (name === "move") moved.push(...(given[0] as { to: number }[]).map(({ to }) => to));
              if (name === "roots") hashed.push(...(given[0] as number[]));
              return (own as (...all: unknown[]) => unknown).apply(inner, given);
            };
          },
        });
      };
    },
  });
}

test("a frozen layer is not differentiated", () => {
  expect(job.step.outputs.filter((_, entry) => frozen.includes(entry)).map(({ name }) => name)).toEqual([
    "base.weight",
    "base.bias",
    "rng/seed",
  ]);
  const readers = job.step.kernels.filter((kernel) => operandsOf(kernel).includes(frozen[0]));
  expect(readers.filter((kernel) => kernel.kind === "fold" && isDot(kernel))).toHaveLength(1);
  expect(job.step.labels.filter((label) => label.startsWith("base/") && label.includes("gradient"))).toEqual([]);
});

describe("a frozen tensor is not copied, and hashed once", () => {
  test.for(Object.entries<Backend>(BACKENDS))("%s", async ([name, backend], { skip }) => {
    const [moved, hashed] = [[] as number[], [] as number[]];
    const execution = await Execution.open(job, watched(backend, moved, hashed)).catch((error: unknown) => {
      if (!(error instanceof BackendError)) throw error;
      console.log(`${name} is not on this machine: ${error.message}`);
      return skip(error.message);
    });
    try {
      await execution.initialise();
      const roots = [await execution.stateRoot()];
      for (let step = 1; step <= 3; step++) {
        await execution.advance();
        roots.push(await execution.stateRoot());
      }
      expect(new Set(roots.map(String)).size).toBe(4);
    } finally {
      await execution.close();
    }
    expect(moved.filter((entry) => frozen.includes(entry))).toEqual([]);
    for (const entry of frozen) expect(hashed.filter((each) => each === entry)).toHaveLength(1);
  });
});
