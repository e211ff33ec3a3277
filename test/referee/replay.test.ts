/** Replaying the disputed segment of a ruling: any trace that leads there decides, and nothing else does. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type CheckedVerdict, checkVerdict, type NamedRuling } from "../../src/referee/check-verdict.ts";
import { dispute } from "../../src/referee/dispute.ts";
import { replayRuling } from "../../src/referee/replay.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { openTrace } from "../../src/trace/index.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { run, type RunOptions } from "../../src/trace/run.ts";
import { startFrom } from "../../src/trace/start.ts";
import { claimsOf } from "../fixtures/claims.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { smallJob } from "./small-job.ts";

const at = temporaryFolder();
const trace = (name: string): string => at(`${name}.trace`);

/** Nobody signs here, so every verdict is a ruling. */
async function rulingOn(a: string, b: string): Promise<NamedRuling> {
  const result = await dispute(trace(a), trace(b));
  if (result.outcome !== "divergence") throw new Error(result.outcome);
  const checked: CheckedVerdict = checkVerdict(JSON.parse(JSON.stringify(result.verdict)), claimsOf(result.parties));
  if (checked.kind !== "ruling") throw new Error("a proof");
  return checked;
}

const replay = async (ruling: NamedRuling, name: string) =>
  replayRuling(ruling, await openTrace(trace(name)), reference);

describe.each<[string, RunOptions, string, number, number]>([
  ["the first segment", { commitEvery: 1 }, "flip:step=1,operator=4,element=0,bit=30", 1, 1],
  ["a segment of one step in the middle", { commitEvery: 1, checkpointEvery: 0 }, "skip:step=3", 3, 3],
  ["a segment of three steps", { commitEvery: 3, checkpointEvery: 3 }, "skip:step=5", 2, 3],
  ["the last and shorter segment", { commitEvery: 4, checkpointEvery: 4 }, "skip:step=6", 2, 2],
  ["the initial state", { commitEvery: 2 }, "flip:step=0,operator=0,element=0,bit=30", 0, 1],
])("a ruling about %s", (_, options, fault, index, steps) => {
  beforeAll(async () => {
    const job = await smallJob();
    await run(job, { ...options, out: trace("honest"), force: true });
    await run(job, { ...options, out: trace("liar"), force: true, fault: parseFault(fault) });
  });

  test("is decided from the data of either side, whichever was named first", async () => {
    for (const [a, b] of [
      ["honest", "liar"],
      ["liar", "honest"],
    ]) {
      const ruling = await rulingOn(a, b);
      expect(ruling.segment!.index).toBe(index);
      for (const name of ["honest", "liar"]) {
        const replayed = await replay(ruling, name);
        expect(replayed.losers).toEqual([a === "liar" ? 0 : 1]);
        // Without a checkpoint before the segment, the steps from the nearest one on are executed too.
        if (options.checkpointEvery !== 0 && name === "honest") expect(replayed.steps).toBe(steps);
      }
    }
  });
});

describe("a replay", () => {
  beforeAll(async () => {
    const job = await smallJob();
    await run(job, { out: trace("honest"), force: true });
    await run(job, { out: trace("liar"), force: true, fault: parseFault("skip:step=4") });
    await run(job, { out: trace("early"), fault: parseFault("skip:step=2") });
    await run(job, { out: trace("both"), fault: parseFault("lr:from=4,factor=2") });
    await run(await smallJob({ seed: 3 }), { out: trace("foreign") });
    await run(job, { out: trace("every"), commitEvery: 2 });
    const { job: start } = await startFrom(job, [], { partial: true });
    await run(start, { out: trace("start") });
    await run(start, { out: trace("start-liar"), fault: parseFault("skip:step=1") });
  });

  test("finds both wrong where both are", async () => {
    const ruling = await rulingOn("liar", "both");
    expect((await replay(ruling, "honest")).losers).toEqual([0, 1]);
  });

  test("is refused with a trace of another job, or one that differs before the segment", async () => {
    const ruling = await rulingOn("honest", "liar");
    await expect(replay(ruling, "foreign")).rejects.toThrow("another job");
    await expect(replay(ruling, "early")).rejects.toThrow("other roots than both claims have");
    await expect(replay(ruling, "every")).rejects.toThrow("commits every 2 training steps");
    const { segment: _, ...bare } = ruling;
    await expect(replayRuling(bare, await openTrace(trace("honest")))).rejects.toThrow(
      "does not say after which segment",
    );
  });

  test("is refused with a checkpoint that is not the state that both have agreed on", async () => {
    const ruling = await rulingOn("honest", "liar");
    await cp(trace("honest"), trace("hurt"));
    await cp(at("honest.data"), at("hurt.data"), { recursive: true });
    const file = `${at("hurt.data")}/step-00000003.safetensors`;
    const bytes = await readFile(file);
    bytes[bytes.length - 5] ^= 1;
    await writeFile(file, bytes);
    await expect(replay(ruling, "hurt")).rejects.toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
  });

  test("begins at the checkpoint of a job that has one", async () => {
    const ruling = await rulingOn("start", "start-liar");
    expect(await replay(ruling, "start")).toMatchObject({ losers: [1], steps: 1 });
  });
});
