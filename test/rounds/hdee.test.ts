/** Experts that train apart: their mixture against its definition in float64, and who lies about it. */
import { expect, test } from "vitest";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsDefinition } from "../../src/rounds/index.ts";
import { sourcesOf } from "../../src/rounds/plan.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";
import type * as Beside from "./pipeline.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: definition } = (await import("../../examples/rounds/hdee.ts")) as { default: RoundsDefinition };
const { stateAfter } = (await import("./pipeline.ts")) as typeof Beside;

test("the mixture weighs experts by the tokens before, and is better than each of them", async () => {
  const plan = await definition.close({ tests: 2, rounds: 1, inner: 40 });
  // An expert reads nobody but itself.
  for (const seat of [0, 1, 2])
    for (const source of sourcesOf(plan, { round: 1, seat })) expect(source.seat, `expert ${seat}`).toBe(seat);
  const record = await performedRecord(plan, path("mixture"));
  const state = await stateAfter(record, 1, "evaluate");
  const [tokens, posterior] = [state.get("tokens")!, state.get("posterior")!];
  const [experts, rows, context] = tokens.shape;
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const weights = Array.from({ length: experts }, () => 1 / experts);
    for (let at = 0; at < context; at++) {
      const sum = weights.reduce((all, weight) => all + weight);
      const place = (expert: number) => (expert * rows + row) * context + at;
      let mixed = 0;
      for (let expert = 0; expert < experts; expert++) {
        const weight = weights[expert] / sum;
        expect(Math.exp(posterior.data[place(expert)]), `${row}, ${at}`).toBeCloseTo(weight, 4);
        const probability = Math.exp(tokens.data[place(expert)]);
        mixed += weight * probability;
        weights[expert] *= probability;
      }
      total -= Math.log(mixed);
    }
  }
  const mixture = state.get("mixture")!.data[0];
  expect(mixture).toBeCloseTo(total / (rows * context), 4);
  const single = [...state.get("single")!.data];
  for (let expert = 0; expert < experts; expert++) {
    const own = Array.from(tokens.data).slice(expert * rows * context, (expert + 1) * rows * context);
    expect(single[expert]).toBeCloseTo(-own.reduce((sum, value) => sum + value, 0) / own.length, 4);
  }
  expect(mixture).toBeLessThan(Math.min(...single));
});

test("a judge that counts otherwise and an expert that trains less are found", async () => {
  const plan = await definition.close({ tests: 1, rounds: 1, inner: 3, batch: 1 });
  const honest = await performedRecord(plan, path("honest"));
  const { labels } = plan.templates.at(-1)!.round.init;
  const operator = labels.findIndex((label) => label.endsWith("cumsum"));
  const drills = [
    [`participant=judge-0,round=1,flip:step=0,operator=${operator},element=3,bit=22`, { name: "evaluate-0", blames: [{ participant: "judge-0", reason: "operator", location: { operator: { number: operator } } }] }],
    ["participant=expert1-0,round=1,steps:1", { name: "local1-0", blames: [{ participant: "expert1-0", reason: "operator", location: { step: 2 } }] }],
  ] as const; // prettier-ignore
  for (const [i, [text, expected]] of drills.entries()) {
    const drill = await performedRecord(plan, path(`drill-${i}`), [parseRoundFault(plan, text)], { salt: 2 });
    expect(await disputeRecords(honest, drill), text).toMatchObject({ losers: [1], round: 1, ...expected });
    expect((await auditRecord(drill)).liars.map(({ participant }) => participant)).toEqual([expected.blames[0].participant]); // prettier-ignore
  }
});
