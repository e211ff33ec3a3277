import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { everyCase } from "../../src/certify/vectors/operators.ts";
import { OPERATORS } from "../../src/graph/operators.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { certify } from "../../src/certify/certify.ts";
import { DIGESTS } from "../../src/certify/digests.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { INSTRUCTIONS } from "../../src/repops/programs/instructions.ts";
import { checkKernel } from "../../src/repops/kernels/kernel.ts";

const cases = everyCase();

describe("the conformance vectors", () => {
  test("are valid kernels, cover everything, and have a digest each", () => {
    for (const { list, outputs } of cases)
      for (const [i, kernel] of list.kernels.entries())
        checkKernel(kernel, [...list.inputs, ...list.kernels.slice(0, i).map(({ type }) => type)], outputs[0].name);
    const names = cases.flatMap(({ outputs }) => outputs.map(({ name }) => name));
    for (const name of Object.keys(INSTRUCTIONS)) expect(names).toContain(`instruction ${name}`);
    for (const { check } of OPERATORS) expect(names).toContain(`operator ${check.name}`);
    for (const name of Object.keys(PROGRAMS)) expect(names).toContain(`function ${name}`);
    expect(names).toEqual(Object.keys(DIGESTS));
  });

  for (const backend of [reference, wasm])
    test(`${backend.name} conforms`, async () => {
      expect((await certify(backend, cases)).filter(({ conforms }) => !conforms)).toEqual([]);
    });

  test("a device that fuses, flushes or rounds otherwise is named with its first wrong bits", async () => {
    /** One output element is off by one unit in the last place. */
    const broken = (kind: string, at: number): Backend => ({
      name: "broken",
      prepare: async (list, options) => {
        const session = await reference.prepare(list, options);
        if (list.kernels[0].kind !== kind) return session;
        const read = session.read.bind(session);
        session.read = async (tensor) => {
          const output = await read(tensor);
          const words = new Uint32Array(output.data.buffer);
          if (at < words.length) words[at] ^= 1;
          return output;
        };
        return session;
      },
    });
    const results = await certify(broken("gather", 5));
    const wrong = results.filter(({ conforms }) => !conforms);
    expect(wrong.map(({ name }) => name)).toEqual([
      "gather with rows outside",
      "gather with any indices",
      "gather scalars",
      "gather integers",
      "gather from nothing",
    ]);
    expect(wrong[0].difference!.element).toBe(5);
    const folds = (await certify(broken("fold", 0))).filter(({ conforms }) => !conforms);
    expect(folds.length).toBeGreaterThan(14);
  });
});
