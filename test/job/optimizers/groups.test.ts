/** Parameter groups: which parameter has which options. */
import { describe, expect, test } from "vitest";
import { countByTraining } from "../../../src/job/parameters.ts";
import { adamW, type Group, map, muon, sgd, type SgdOptions, type Value } from "../../../src/job/index.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";
import { jobOf, statesOf } from "./given-slopes.ts";

const given = {
  shapes: { "a.weight": [2], "a.bias": [1], "b.weight": [1, 2] },
  start: { "a.weight": [1, 1], "a.bias": [1], "b.weight": [1, 1] },
  slopes: {
    "a.weight": [
      [1, 1],
      [1, 1],
    ],
    "a.bias": [[1], [1]],
    "b.weight": [
      [1, 1],
      [1, 1],
    ],
  },
  pull: 0,
};
/** step/8 */
const eighth = (step: Value): Value =>
  map(
    defineProgram("i", (t) => t.toFloat().mul(0.125)),
    [step],
    { name: "rate", shape: [] },
  );
type Groups = readonly Group<SgdOptions>[];
const job = (groups: Groups, more = {}) =>
  jobOf(() => sgd({ learningRate: 0.5, ...more, groups: groups as never }), given);

describe("a parameter group", () => {
  test("has its own options, and the optimizer's where it sets none; other parameters have the optimizer's", async () => {
    const [first] = await statesOf(
      await job([
        { match: /^a\.weight$/, learningRate: 0.25 },
        { match: (_, shape) => shape.length === 2, weightDecay: 0.5, learningRate: ({ step }) => eighth(step) },
      ]),
    );
    expect(first.get("a.weight")).toEqual([0.75, 0.75]);
    expect(first.get("a.bias")).toEqual([0.5]);
    expect(first.get("b.weight")).toEqual([1 - 1.5 * 0.125, 1 - 1.5 * 0.125]);
    expect(first.get("metrics/learning-rate")).toEqual([0.5]);
  });

  test("is matched from the beginning of a name by a global expression too", async () => {
    const match = /weight/g;
    const [first] = await statesOf(await job([{ match, learningRate: 0 }]));
    expect([...first.get("a.weight")!, ...first.get("b.weight")!]).toEqual([1, 1, 1, 1]);
    expect(first.get("a.bias")).toEqual([0.5]);
  });

  test("that is frozen keeps its values, and its gradients do not count in the norm", async () => {
    const closed = await job([{ match: /weight/, frozen: true }], { clipNorm: 10 });
    expect(countByTraining(closed)).toEqual({ trained: 1, frozen: 4 });
    const states = await statesOf(closed);
    expect(states[1].get("a.weight")).toEqual([1, 1]);
    expect(states[1].get("a.bias")).toEqual([0]);
    expect(states[1].get("metrics/gradient-norm")).toEqual([1]);
  });

  test("can exempt parameters from AdamW's decay", async () => {
    const groups = [{ match: /bias/, weightDecay: 0 }];
    const [first] = await statesOf(await jobOf(() => adamW({ learningRate: 0.5, weightDecay: 0.5, groups }), given));
    expect(first.get("a.bias")![0]).toBeCloseTo(0.5, 6);
    expect(first.get("a.weight")![0]).toBeCloseTo(0.75 - 0.5, 6);
  });

  test.each<[string, Groups, string]>([
    [
      "of a parameter that is in another",
      [{ match: /weight/ }, { match: /^a/ }],
      "sgd: the parameter a.weight is in the groups 0 and 1; let one of them match it",
    ],
    [
      "without a parameter",
      [{ match: /weights/ }],
      "sgd: group 0: it matches no parameter; the job trains a.weight, a.bias, b.weight",
    ],
    [
      "with a value out of range",
      [{ match: /a/, momentum: 2 }],
      "sgd: group 0: momentum is 2; take a number at least 0 and below 1",
    ],
    ["with an unknown option", [{ match: /a/, rate: 2 } as never], "sgd: group 0: there is no option rate"],
    [
      "with the optimizer's own options",
      [{ match: /a/, clipNorm: 2 } as never],
      "group 0: there is no option clipNorm",
    ],
    ["without a match", [{ learningRate: 2 } as never], "match is undefined; pass a RegExp"],
    ["that is half frozen", [{ match: /a/, frozen: 1 } as never], "frozen is 1; take true or false"],
  ])("%s is refused", async (_, groups, message) => {
    await expect(job(groups)).rejects.toThrow(message);
  });

  test("list that is none is refused", () => {
    expect(() => sgd({ learningRate: 1, groups: {} as never })).toThrow("groups is an object; pass a list of groups");
  });

  test("of Muon that is no matrix needs the options of AdamW", async () => {
    await expect(jobOf(() => muon({ learningRate: 1 }), given)).rejects.toThrow(
      "muon: a.weight of shape [2] is no matrix for Muon; add others: { learningRate: … }",
    );
  });
});
