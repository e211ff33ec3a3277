/** The asynchronous pipeline: its weights by the definition of its delays, and a stage that takes a wrong version. */
import { expect, test } from "vitest";
import type { Tensor } from "../../src/encoding/tensor.ts";
import { evaluate, gradients } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsDefinition } from "../../src/rounds/index.ts";
import { sourcesOf } from "../../src/rounds/plan.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";
import type * as Beside from "./pipeline.ts";
import type * as Stages from "../../examples/stages.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: definition } = (await import("../../examples/rounds/async-pipeline.ts")) as {
  default: RoundsDefinition;
};
const { isWeight, stateAfter } = (await import("./pipeline.ts")) as typeof Beside;
const { stageOf } = (await import("../../examples/stages.ts")) as typeof Stages;
const [P, ROUNDS, RATE] = [3, 5, 0.125];
const SIZES = { stages: P, context: 8, dim: 8, heads: 2 };

type Weights = Record<string, Tensor>;

/** The gradients of the whole model for windows, where each stage has its own weights: one graph. */
function slopesOf(stages: readonly Weights[], windows: Tensor): Promise<Weights> {
  const sizes = { ...SIZES, subspace: 0, boundary: "whole" };
  const all = Object.assign({}, ...stages) as Weights;
  const build = (inputs: Record<string, Value>) => {
    let x: Value | undefined;
    for (let stage = 0; stage < P; stage++) x = stageOf(sizes, stage, (name) => inputs[name], {}, inputs.windows, x);
    const names = Object.keys(all);
    const slopes = gradients(x!, names.map((name) => inputs[name])); // prettier-ignore
    return Object.fromEntries(names.map((name, i) => [name, slopes[i]]));
  };
  return evaluate(build, { ...all, windows });
}

test("has the weights, to the bit, of gradients at versions P - 1 - s updates old", async () => {
  const plan = await definition.close({ ...SIZES, batch: 2, rounds: ROUNDS, optimizer: "sgd", rate: RATE });
  const record = await performedRecord(plan, path("sgd"));
  const weights = async (round: number, stage: number): Promise<Weights> =>
    Object.fromEntries([...(await stateAfter(record, round, `backward${stage}`))].filter(([name]) => isWeight(name)));
  // versions[s][n]: the weights of stage s after round n, by this definition alone.
  const versions: Weights[][] = [];
  for (let stage = 0; stage < P; stage++) versions.push([await weights(0, stage)]);
  for (let round = 1; round <= ROUNDS; round++) {
    const batch = round - (P - 1);
    const windows = batch > 0 ? (await stateAfter(record, batch, "forward0")).get("windows")! : undefined;
    const slopes = windows && (await slopesOf(versions.map((own, stage) => own[batch + stage - 1]), windows)); // prettier-ignore
    for (const [stage, own] of versions.entries()) {
      const moved = Object.entries(own[round - 1]).map(([name, { data, ...type }]): [string, Tensor] => {
        const slope = slopes?.[name].data ?? data.map(() => 0);
        return [name, { ...type, data: data.map((w, i) => w - Math.fround(slope[i] * RATE)) } as Tensor];
      });
      own.push(Object.fromEntries(moved));
      const made = await weights(round, stage);
      for (const [name, { data }] of moved) {
        expect(made[name].data, `${name} after round ${round}`).toEqual(data);
        if (batch > 0) expect(data, name).not.toEqual(own[0][name].data);
      }
    }
  }
});

test("a stage that takes another version of its weights is found", async () => {
  const plan = await definition.close({ ...SIZES, batch: 1, rounds: 4 });
  const honest = await performedRecord(plan, path("honest"));
  const seatOf = (turn: string) => plan.seats.findIndex((seat) => plan.turns[seat.turn].name === turn);
  // The stash is the own turn's oldest version that is read: its delay is 2, 1 and 0 updates.
  const delays = [0, 1, 2].map((stage) => {
    const seat = seatOf(`backward${stage}`);
    const own = sourcesOf(plan, { round: 4, seat }).filter((source) => source.seat === seat);
    return 3 - Math.min(...own.map(({ round }) => round));
  });
  expect(delays).toEqual([2, 1, 0]);
  const seat = seatOf("backward0");
  const stash = sourcesOf(plan, { round: 4, seat }).findIndex((source) => source.seat === seat && source.round === 1);
  const fault = parseRoundFault(plan, `participant=stage0-0,round=4,turn=backward0,stale:${stash}`);
  const drill = await performedRecord(plan, path("drill"), [fault], { salt: 2 });
  expect(await disputeRecords(honest, drill)).toMatchObject({
    losers: [1],
    round: 4,
    name: "backward0-0",
    blames: [{ participant: "stage0-0", reason: "inputs" }],
  });
  expect((await auditRecord(drill)).liars.map(({ participant }) => participant)).toEqual(["stage0-0"]);
});
