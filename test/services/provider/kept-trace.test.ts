/** What a killed run or a bad disk leaves of a trace does not keep a provider from committing. */
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test, vi } from "vitest";
import { completeTrace } from "../../../src/services/provider/kept-trace.ts";
import { runApart } from "../../../src/services/provider/runner.ts";
import { expectComplete } from "../../../src/trace/index.ts";
import { jobToBytes } from "../../../src/trace/job-file.ts";
import { run } from "../../../src/trace/run.ts";
import { toHex } from "../../../src/encoding/bytes.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import line from "../../fixtures/line.ts";
import { MAIN } from "../../fixtures/verde.ts";

vi.setConfig({ testTimeout: 120_000 });
const at = temporaryFolder();
const COMMAND = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];
let [job, root] = ["", ""];

beforeAll(async () => {
  const closed = await line.close();
  job = at("job.verde");
  writeFileSync(job, jobToBytes(closed));
  root = toHex((await run(closed, { commitEvery: 4, out: at("honest.trace") })).runRoot);
});

/** The trace of an honest run. */
async function whole(name: string): Promise<string> {
  mkdirSync(at(name));
  await run(await line.close(), { commitEvery: 4, out: at(`${name}/run.trace`) });
  return at(`${name}/run.trace`);
}

async function complete(trace: string): Promise<{ root: string; said: string; runs: number }> {
  const said: string[] = [];
  let runs = 0;
  const order = { job, trace, commitEvery: 4, options: [], signal: new AbortController().signal };
  const apart = async (): Promise<void> => (runs++, runApart(COMMAND, order));
  const finished = expectComplete(await completeTrace(trace, apart, (sentence) => said.push(sentence)));
  return { root: toHex(finished.runRoot), said: said.join("\n"), runs };
}

test("a run that was killed before its first record is continued", async () => {
  const trace = await whole("cut");
  truncateSync(trace, 0);
  expect(await complete(trace)).toEqual({ root, said: expect.stringContaining("its run is continued"), runs: 1 });
});

test("a damaged trace is moved aside, and its run begins again", async () => {
  const trace = await whole("damaged");
  const bytes = readFileSync(trace);
  bytes[bytes.length - 200] ^= 1;
  writeFileSync(trace, bytes);
  expect(await complete(trace)).toEqual({ root, said: expect.stringContaining("the run begins again"), runs: 2 });
  expect(readFileSync(at("damaged/run.damaged.trace"))).toEqual(bytes);
  expect(existsSync(at("damaged/run.damaged.data"))).toBe(true);
});

test("a run whose checkpoints are lost begins again", async () => {
  const lost = await whole("lost");
  truncateSync(lost, readFileSync(lost).length - 100);
  rmSync(at("lost/run.data"), { recursive: true });
  expect(await complete(lost)).toEqual({ root, said: "", runs: 1 });
});
