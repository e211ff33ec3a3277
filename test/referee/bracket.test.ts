import { beforeAll, describe, expect, test } from "vitest";
import type { ClosedJob } from "../../src/job/closed.ts";
import { bracket } from "../../src/referee/index.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { run } from "../../src/trace/run.ts";
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

describe("a bracket", () => {
  test("leaves the honest team standing, wherever it comes in", async () => {
    for (const order of [
      [honest, rate, data, skip],
      [rate, honest, data, skip],
      [rate, data, skip, honest],
      [skip, other, rate, honest],
    ]) {
      const { losers, standing } = await bracket(order);
      expect(standing).toEqual([honest]);
      expect([...losers].sort()).toEqual(order.filter((trace) => trace !== honest).sort());
    }
  });

  test("takes equal claims as one team", async () => {
    const { losers, standing, disputes } = await bracket([rate, twin, copy, honest]);
    expect(standing).toEqual([twin, honest]);
    expect(losers).toEqual([rate, copy]);
    expect(disputes.length).toBe(1);
    expect(await bracket([twin, honest])).toMatchObject({ outcome: "agree", losers: [], disputes: [] });
  });

  test("lets both lose when both are wrong", async () => {
    const { losers, standing } = await bracket([rate, other]);
    expect(losers).toEqual([rate, other]);
    expect(standing).toEqual([]);
  });

  test("refuses a trace that is named twice", async () => {
    await expect(bracket([honest, rate, honest])).rejects.toThrow("named twice");
  });
});
