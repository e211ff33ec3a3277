/** A trace is a note of a participant's to itself: that it can't be removed is no reason to lose a leaf. */
import { existsSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { fs } from "../../src/encoding/node.ts";
import { runRounds } from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
afterEach(() => void vi.restoreAllMocks());

/** A system on which something else has each trace open, as may be on Windows or on a network's disk. */
function busy(): void {
  const rm = fs.rm.bind(fs);
  vi.spyOn(fs, "rm").mockImplementation((file, options) => {
    const isTrace = String(file).endsWith(".trace") && existsSync(String(file));
    return isTrace ? Promise.reject(Object.assign(new Error("EBUSY: resource busy"), { code: "EBUSY" })) : rm(file, options); // prettier-ignore
  });
}

test("a leaf is delivered although its trace can't be removed, and that is said", async () => {
  const plan = await smallPlan.close({ rounds: 1, inner: 4 });
  const run = (out: string, news: string[] = []) =>
    runRounds(plan, {
      state: path("keys"),
      salt: new Uint8Array(32).fill(5),
      out: path(out),
      checkpointEvery: 1,
      onNews: ({ round, name }, { kind }) => news.push(`${kind} ${round} ${name}`),
    });
  const whole = await run("whole");
  busy();
  const news: string[] = [];
  const record = await run("busy", news);
  expect(record.marks).toEqual(whole.marks);
  expect(news.sort()).toEqual(["left 1 local-0", "left 1 local-1", "left 1 local-2"]);
});
