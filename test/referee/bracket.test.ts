import { copyFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { ClosedJob } from "../../src/job/closed.ts";
import { ClaimStore } from "../../src/claims/store.ts";
import { bracket, type BracketResult } from "../../src/referee/index.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { run } from "../../src/trace/run.ts";
import { claimTrace } from "../fixtures/claims.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";

const path = temporaryFolder();
const FAULTS = ["lr:from=3,factor=1.5", "data:from=6", "skip:step=9", "lr:from=3,factor=1.25"];
const [rate, data, skip, other] = FAULTS.map((_, i) => path(`faulty${i}.trace`));
const [honest, twin, copy] = ["honest", "twin", "copy"].map((name) => path(`${name}.trace`));

beforeAll(async () => {
  const job: ClosedJob = await line.close();
  for (const out of [honest, twin]) await run(job, { out });
  for (const [i, fault] of FAULTS.entries())
    await run(job, { out: path(`faulty${i}.trace`), fault: parseFault(fault) });
  await run(job, { out: copy, fault: parseFault(FAULTS[0]) });
});

const tracesOf = (result: BracketResult, field: "losers" | "standing"): string[] =>
  result[field].map((id) => result.parties.find((party) => party.id === id)!.name);

describe("a bracket", () => {
  test("leaves the honest team standing, wherever it comes in", async () => {
    for (const order of [
      [honest, rate, data, skip],
      [rate, honest, data, skip],
      [rate, data, skip, honest],
      [skip, other, rate, honest],
    ]) {
      const result = await bracket(order);
      expect(result.parties.map(({ id, name }) => [id, name])).toEqual(order.map((trace, i) => ["abcd"[i], trace]));
      expect(tracesOf(result, "standing")).toEqual([honest]);
      expect(tracesOf(result, "losers").sort()).toEqual(order.filter((trace) => trace !== honest).sort());
      // A dispute names its parties as the bracket does.
      for (const { parties } of result.disputes)
        for (const party of parties) expect(result.parties).toContainEqual(party);
    }
  });

  test("takes equal claims as one team", async () => {
    const { losers, standing, disputes } = await bracket([rate, twin, copy, honest]);
    expect(standing).toEqual(["b", "d"]);
    expect(losers).toEqual(["a", "c"]);
    // Without signatures a member that loses says nothing about the others.
    expect(disputes.length).toBe(2);
    expect(await bracket([twin, honest])).toMatchObject({ outcome: "agree", losers: [], disputes: [] });
  });

  test("lets both lose when both are wrong", async () => {
    const { losers, standing } = await bracket([
      { id: "ada", trace: rate },
      { id: "ben", trace: other },
    ]);
    expect(losers).toEqual(["ada", "ben"]);
    expect(standing).toEqual([]);
  });

  test("lets a member of a team fall alone that signs nonsense under the team's root", async () => {
    const store = new ClaimStore(path("state"));
    const [copycat, late] = [path("copycat.trace"), path("late.trace")];
    const job = await line.close();
    // Rounding absorbs the flip, so the root is the honest one; the operators of step 4 are not.
    await run(job, { out: copycat, fault: parseFault("flip:step=4,operator=33,element=0,bit=0") });
    const last = job.step.kernels.length - 1;
    await run(job, { out: late, fault: parseFault(`flip:step=4,operator=${last},element=0,bit=30`) });
    for (const trace of [copycat, late, honest]) await claimTrace(store, trace);
    const result = await bracket([copycat, late, honest], { claims: store });
    expect(result.parties[0].runRoot).toEqual(result.parties[2].runRoot);
    expect(tracesOf(result, "losers").sort()).toEqual([copycat, late].sort());
    expect(tracesOf(result, "standing")).toEqual([honest]);
    expect(result).toMatchObject({ outcome: "divergence", silent: [], equivocations: [] });
  });

  test("decides nothing between teams of which one can't answer", async () => {
    const mute = path("mute.trace");
    await copyFile(rate, mute);
    const result = await bracket([honest, mute, skip]);
    expect(result).toMatchObject({ outcome: "undecided", silent: ["b"], losers: ["c"], standing: ["a"] });
    const strict = await bracket([honest, mute, skip], { forfeitSilent: true });
    expect(strict).toMatchObject({ outcome: "divergence", silent: [], losers: ["b", "c"], standing: ["a"] });
  });

  test("refuses a trace that is named twice, and an id", async () => {
    await expect(bracket([honest, { id: "a", trace: rate }])).rejects.toThrow("two parties have the id a");
    await expect(bracket([honest, rate, honest])).rejects.toThrow("named twice");
  });
});
