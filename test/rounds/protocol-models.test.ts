/** A model in stages: its weights are those of one job, and a stage that lies is found at its place. */
import { describe, expect, test } from "vitest";
import { evaluate, gather, matmul, reshape, slice, sub, tensor, transpose } from "../../src/graph/index.ts";
import { adamW } from "../../src/job/index.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import {
  auditRecord,
  disputeRecords,
  parseRoundFault,
  type RoundsDefinition,
  type RoundsRecord,
} from "../../src/rounds/index.ts";
import { randomBasis } from "../../examples/subspace.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";
import type * as Beside from "./pipeline.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: definition } = (await import("../../examples/rounds/protocol-models.ts")) as {
  default: RoundsDefinition;
};
const { besideOneJob, stateAfter, weightsAfter } = (await import("./pipeline.ts")) as typeof Beside;
const optimizer = adamW({ learningRate: 0.01 });
const sizesOf = (options: { subspace?: number; boundary?: string }) => ({ stages: 3, context: 8, dim: 16, heads: 2, subspace: 4, boundary: "whole", ...options }); // prettier-ignore
const closed = (sizes: ReturnType<typeof sizesOf>) => definition.close({ batch: 2, rounds: 2, ...sizes });
/** A drill is another performance: in the same one its participant would have signed twice. */
const OTHER = { salt: 2 };

/** What is sent lies in the subspace beside the fixed part of the tokens, up to rounding. */
async function staysInside(record: RoundsRecord) {
  const { shard } = record.plan.seats[0];
  const [u, rows] = ["basis", "rows"].map((name) => shard.find((each) => each.name === `data/${name}`)!);
  for (const stage of [0, 1]) {
    const state = await stateAfter(record, 2, `forward${stage}`);
    const inputs = { u, rows, x: state.get("passed")!, windows: state.get("windows")! };
    const { own, outside } = await evaluate((given) => {
      const moved = sub(given.x, gather(given.rows, reshape(slice(given.windows, 1, 0, 8), [-1])));
      return { own: moved, outside: sub(moved, matmul(matmul(moved, given.u), transpose(given.u))) };
    }, inputs);
    const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs));
    expect(largest(own.data)).toBeGreaterThan(0.1);
    expect(largest(outside.data)).toBeLessThan(1e-5 * largest(own.data));
  }
}

test("a random basis is orthonormal", async () => {
  const { data } = await evaluate(({ u }) => matmul(transpose(u), u), { u: tensor([16, 4], randomBasis(16, 4)) });
  data.forEach((value, i) => expect(value).toBeCloseTo(i % 5 === 0 ? 1 : 0, 6));
});

describe("a pipeline of three stages", () => {
  for (const options of [{ subspace: 0 }, { boundary: "whole" }, { boundary: "subspace" }])
    test(`has the weights of one job to the bit with ${JSON.stringify(options)}`, async () => {
      const sizes = sizesOf(options);
      const record = await performedRecord(await closed(sizes), path(JSON.stringify(options)));
      const { weights, losses } = await besideOneJob(record, sizes, optimizer);
      const [first, made] = [await weightsAfter(record, 3, 0), await weightsAfter(record, 3, 2)];
      expect(made.map(({ name }) => name).sort()).toEqual(weights.map(({ name }) => name).sort());
      expect(made.length).toBe(21);
      for (const [i, { name, data }] of made.entries()) {
        expect(data, name).toEqual(weights.find((other) => other.name === name)!.data);
        expect(data, name).not.toEqual(first[i].data);
      }
      for (const round of [1, 2])
        expect((await stateAfter(record, round, "backward2")).get("metrics/loss")!.data[0]).toBe(losses[round]);
      if (sizes.subspace > 0 && sizes.boundary === "whole") await staysInside(record);
    });

  test("loses nothing but rounding where it sends coordinates", async () => {
    const sizes = sizesOf({ boundary: "subspace" });
    const record = await performedRecord(await definition.close({ batch: 2, ...sizes, rounds: 1 }), path("moments"));
    const whole = await besideOneJob(record, sizesOf({}), optimizer);
    // After one step a first moment is a tenth of the gradient.
    const moments = whole.state.filter(({ name }) => name.startsWith("optimizer/m/"));
    expect(moments.length).toBe(21);
    for (const stage of [0, 1, 2])
      for (const [name, { data }] of await stateAfter(record, 1, `backward${stage}`)) {
        const other = moments.find((moment) => moment.name === name)?.data;
        if (!other) continue;
        const largest = Math.max(...other.map(Math.abs));
        expect(largest, name).toBeGreaterThan(0);
        data.forEach((value, i) => expect(Math.abs(value - other[i]), name).toBeLessThan(1e-5 * largest));
      }
  });
});

test("a stage that lies is found at its participant, round and operator", async () => {
  const plan = await definition.close({ batch: 2, ...sizesOf({ boundary: "subspace" }), stages: 2, rounds: 2 });
  const honest = await performedRecord(plan, path("honest"));
  const templateOf = (turn: string) => plan.templates.find(({ round }) => round.name.endsWith(turn))!.round;
  const operator = templateOf("forward0").init.labels.findIndex((label) => label.endsWith("coordinates"));
  const slope = templateOf("backward1").step.outputs.findIndex(({ name }) => name === "slope");
  const drills = [
    [`participant=stage0-0,round=1,turn=forward0,flip:step=0,operator=${operator},bit=22`, { name: "forward0-0", round: 1, blames: [{ participant: "stage0-0", reason: "operator", location: { operator: { number: operator } } }] }],
    [`participant=stage1-0,round=2,turn=backward1,message:entry=${slope},bit=22`, { name: "backward1-0", round: 2, blames: [{ participant: "stage1-0", reason: "message" }] }],
    ["participant=stage0-0,round=2,turn=backward0,stale:1", { name: "backward0-0", round: 2, blames: [{ participant: "stage0-0", reason: "inputs" }] }],
  ] as const; // prettier-ignore
  for (const [text, expected] of drills) {
    const drill = await performedRecord(plan, path(text.slice(12, 40)), [parseRoundFault(plan, text)], OTHER);
    expect(await disputeRecords(honest, drill), text).toMatchObject({ losers: [1], ...expected });
    if (expected.round === 1)
      expect((await auditRecord(drill)).liars.map(({ participant }) => participant)).toEqual([expected.blames[0].participant]); // prettier-ignore
  }
});
