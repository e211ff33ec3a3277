/** A trace that a worker's lie has made wrong: it is found as any wrong trace is, at the operator of the shard. */
import { beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../src/audit/index.ts";
import { dispute } from "../../src/referee/index.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { run, type RunOptions } from "../../src/trace/run.ts";
import { openTrace } from "../../src/trace/index.ts";
import cut from "../fixtures/cut.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { runWith, workerHere } from "./workers.ts";

const at = temporaryFolder();
const job = await cut.close();
const label = "shard 2/layer/matmul";
const operator = job.step.labels.indexOf(label);
const fault = { kind: "flip", step: 3, operator, element: 4, bit: 20 } as const;

describe("a dispute about a job with shards", () => {
  test.each([label, "shards/sum 2/layer.weight", "optimizer/layer.weight/weight"])(
    "ends at an element of %s",
    async (struck) => {
      const flip = { kind: "flip", step: 2, operator: job.step.labels.indexOf(struck), element: 7, bit: 12 } as const;
      await run(job, { backend: wasm, out: at("honest.trace"), force: true });
      await run(job, { backend: wasm, out: at("drill.trace"), force: true, fault: flip });
      expect(await dispute(at("honest.trace"), at("drill.trace"))).toMatchObject({
        outcome: "divergence",
        step: 2,
        operator: { number: flip.operator, label: struck },
        losers: ["b"],
        element: expect.any(Array),
      });
    },
  );
});

describe("a trace with a worker's lie", () => {
  beforeAll(async () => {
    await run(job, { backend: wasm, out: at("right.trace") });
    const lying = (options: RunOptions) =>
      runWith(job, [workerHere("liar", { fault })], {}, { backend: wasm, ...options });
    await lying({ out: at("wrong.trace") });
    await lying({ out: at("operators.trace"), detail: "operators" });
  });

  test("is found wrong by an audit, at its step, and at the operator if it has recorded its operators", async () => {
    const audited = async (name: string) =>
      audit(await openTrace(at(name)), job, { scope: { kind: "all" }, backend: wasm });
    expect((await audited("wrong.trace")).finding).toMatchObject({ step: 3 });
    expect((await audited("operators.trace")).finding).toMatchObject({
      step: 3,
      operator: { kernel: operator, label },
    });
  });

  test("can't be defended, since its replay is honest", async () => {
    const result = await dispute(at("right.trace"), at("wrong.trace"));
    expect(result).toMatchObject({ outcome: "undecided", silent: [{ id: "b" }] });
    expect(await dispute(at("right.trace"), at("wrong.trace"), { forfeitSilent: true })).toMatchObject({
      outcome: "divergence",
      step: 3,
      losers: ["b"],
    });
  });

  test("loses a dispute at the operator of the shard, if it has recorded its operators", async () => {
    const result = await dispute(at("right.trace"), at("operators.trace"), { recompute: "operator" });
    expect(result).toMatchObject({
      outcome: "divergence",
      step: 3,
      operator: { number: operator, label },
      losers: ["b"],
    });
  });
});
