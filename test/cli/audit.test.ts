/** `verde validate`, `audit`, `diff`, and the receipts that `verde check` reads. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { parseFault, run } from "../../src/trace/index.ts";
import { loadJob } from "../../src/job/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { type Ended, verdeIn } from "../fixtures/verde.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const at = temporaryFolder();
const verde = verdeIn(at("."));
const BEACON = "00112233445566778899aabbccddeeff";

async function expectEnd(code: number, ...args: string[]): Promise<Ended> {
  const ended = await verde(args);
  expect(ended.code, ended.stdout + ended.stderr).toBe(code);
  return ended;
}
const json = async (code: number, ...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await expectEnd(code, ...args, "--json")).stdout) as Record<string, unknown>;

beforeAll(async () => {
  const options = { commitEvery: 2, checkpointEvery: 8, backend: "wasm" };
  const job = await loadJob(JOB, { steps: "24" });
  await run(job, { ...options, out: at("a.trace") });
  await run(job, { ...options, out: at("b.trace"), fault: parseFault("skip:step=13") });
});

describe("an audit", () => {
  it("says whether the steps hold, by its exit code and its object", async () => {
    expect(await json(0, "audit", "a.trace", "--steps", "12..13")).toMatchObject({
      outcome: "holds",
      ranges: [{ from: 12, to: 14 }],
      executed: 6,
    });
    expect(await json(1, "audit", "b.trace", "--sample", "100%")).toMatchObject({
      outcome: "differs",
      chance: 1,
      finding: { step: 14, claimed: expect.any(String), metric: { step: 13 } },
    });
    const { stdout } = await expectEnd(1, "audit", "b.trace");
    expect(stdout).toMatch(/It does not hold: the state after training step 14 is 0x\w{64}, not 0x\w{64} as claimed/);
  });

  it("leaves a receipt, which is its word until somebody executes the same steps", async () => {
    const { runRoot, auditor } = await json(0, "audit", "a.trace", "--sample", "4", "--beacon", BEACON, "--receipt", "r.json"); // prettier-ignore
    const a = ["--a", runRoot as string];
    expect(await json(4, "check", "r.json", ...a)).toMatchObject({ audit: "holds", auditor, restsOn: "auditor" });
    expect((await expectEnd(0, "check", "r.json", ...a, "--replay", "a.trace")).stdout).toContain(
      "with the same result",
    );
    await expectEnd(0, "inspect", "r.json");
    const other = await expectEnd(2, "check", "r.json", "--a", `0x${"12".repeat(32)}`);
    expect(other.stderr).toContain("VERDE_DISPUTE_OTHER_RUN");
    expect((await expectEnd(2, "audit", "b.trace", "--against", runRoot as string)).stderr).toContain("is not the run");
  });

  it.each([
    [["--steps", "3..x"], "is no range of steps"],
    [["--steps", "9..4"], "steps 9 to 4 are not in the run"],
    [["--sample", "0%"], "is no share"],
    [["--sample", "5%", "--beacon", "12"], "the beacon has 1 bytes"],
    [["--beacon", BEACON], "give --sample too"],
  ])("refuses %s in a sentence", async (args, words) => {
    expect((await expectEnd(2, "audit", "a.trace", ...args)).stderr).toContain(words);
  });
});

it("validate and diff execute nothing, and end with 1 where something is damaged or different", async () => {
  expect(await json(0, "validate", "a.trace")).toMatchObject({ outcome: "valid", checkpoints: [0, 8, 16, 24] });
  expect(await json(1, "diff", "a.trace", "b.trace")).toMatchObject({ state: { from: 13, to: 14 } });
  expect((await expectEnd(0, "diff", "a.trace", "a.trace")).stdout).toContain("hold the same run");
});
