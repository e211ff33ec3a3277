import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/trace/index.ts";
import { smallJob } from "../referee/small-job.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

describe("verde dispute and verde check", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "verde-cli-"));
    const job = await smallJob();
    await run(job, { out: join(folder, "a.trace") });
    await run(job, { out: join(folder, "again.trace") });
    const fault = { kind: "flip", step: 4, operator: 4, element: 13, bit: 28 } as const;
    await run(job, { out: join(folder, "b.trace"), fault });
    await run(job, { out: join(folder, "every.trace"), commitEvery: 2 });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function verde(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [MAIN, ...args],
        { cwd: folder, env: { ...process.env, NO_COLOR: "1" } },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  }

  it("say who is wrong and where, and the verdict is checked by itself", async () => {
    const found = await verde("dispute", "a.trace", "b.trace", "--verdict", "v.json");
    expect(found).toMatchObject({ code: 1, stderr: "" });
    expect(found.stdout).toContain("differ from training step 4 on");
    expect(found.stdout).toContain("b.trace is wrong");
    expect(found.stdout).toMatch(/executed 3 scalar steps of the [\d,]+ of the run/);
    const roots = JSON.parse(await readFile(join(folder, "v.json"), "utf8")).runRoots as [string, string];
    const checked = await verde("check", "v.json", "--a", roots[0], "--b", roots[1], "--json");
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(checked.stdout)).toMatchObject({
      schemaVersion: 2,
      outcome: "holds",
      losers: ["b"],
      step: 4,
      restsOn: "evidence",
    });
    // Two proofs a level, and those of the operands: each by two implementations.
    const { pathsVerifiedTwice } = JSON.parse(checked.stdout) as { pathsVerifiedTwice: number };
    expect(pathsVerifiedTwice).toBeGreaterThan(8);
    const said = await verde("check", "v.json", "--a", roots[0], "--b", roots[1]);
    expect(said.stdout).toContain(`${pathsVerifiedTwice}, each verified by two implementations`);
    const other = await verde("check", "v.json", "--a", roots[0], "--b", roots[0]);
    expect(other).toMatchObject({ code: 2, stdout: "" });
    expect(other.stderr).toContain("VERDE_DISPUTE");
  });

  it("let the EVM decide, each move a transaction", async () => {
    const { code, stdout, stderr } = await verde("dispute", "b.trace", "a.trace", "--on-chain", "--json");
    expect(code, stderr).toBe(1);
    const { losers, parties, transactions, gas } = JSON.parse(stdout) as {
      losers: string[];
      parties: { id: string; name: string; runRoot: string }[];
      gas: number;
      transactions: { what: string; by: string; gas: number; bytes: number }[];
    };
    expect(losers).toEqual(["a"]);
    expect(parties.map(({ id, name }) => [id, name])).toEqual([
      ["a", "b.trace"],
      ["b", "a.trace"],
    ]);
    expect(new Set(transactions.map(({ by }) => by))).toEqual(new Set(["a", "b"]));
    expect(transactions.map(({ what }) => what)).toEqual([
      "open",
      "pair",
      ...transactions.slice(2, -2).map(() => "move"),
      "prove",
      "close",
    ]);
    expect(gas).toBe(transactions.reduce((sum, transaction) => sum + transaction.gas, 0));
    const shown = await verde("dispute", "a.trace", "b.trace", "--on-chain");
    expect(shown.stdout).toContain("The EVM has decided: b.trace is wrong.");
    expect(await verde("dispute", "a.trace", "again.trace", "--on-chain")).toMatchObject({ code: 0 });
    expect(await verde("dispute", "a.trace", "b.trace", "again.trace", "--on-chain")).toMatchObject({ code: 2 });
    expect(await verde("dispute", "a.trace", "b.trace", "--on-chain", "--recompute", "operator")).toMatchObject({
      code: 2,
    });
  });

  it("print the object that programs read", async () => {
    const { code, stdout } = await verde("dispute", "b.trace", "a.trace", "--json");
    expect(code).toBe(1);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual([
      "schemaVersion",
      "outcome",
      "parties",
      "losers",
      "step",
      "operator",
      "element",
      "fold",
      "recomputed",
      "claimed",
      "referee",
    ]);
    expect(result).toMatchObject({
      schemaVersion: 2,
      outcome: "divergence",
      parties: [
        { id: "a", name: "b.trace", runRoot: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
        { id: "b", name: "a.trace", runRoot: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
      ],
      losers: ["a"],
      step: 4,
      operator: { number: 4, kind: expect.any(String), label: expect.any(String) },
      element: expect.any(Array),
      recomputed: expect.stringMatching(/^0x[0-9a-f]{8}$/),
      referee: { scalarSteps: 3, bytes: expect.any(Number), rounds: expect.any(Number), millis: expect.any(Number) },
    });
    expect(result.claimed.b).toBe(result.recomputed);
    expect(result.claimed.a).toMatch(/^0x[0-9a-f]{8}$/);
    expect(result.claimed.a).not.toBe(result.recomputed);
  });

  it("name more than two by their ids, and say who stands", async () => {
    const { code, stdout } = await verde("dispute", "b.trace", "a.trace", "again.trace", "--json");
    expect(code).toBe(1);
    const { parties, losers, standing, disputes, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({ schemaVersion: 2, outcome: "divergence" });
    expect(parties.map(({ id, name }: { id: string; name: string }) => `${id} ${name}`)).toEqual([
      "a b.trace",
      "b a.trace",
      "c again.trace",
    ]);
    expect([losers, standing]).toEqual([["a"], ["b", "c"]]);
    expect(disputes).toMatchObject([{ losers: ["a"], parties: parties.slice(0, 2) }]);
    const { stdout: shown } = await verde("dispute", "b.trace", "a.trace", "again.trace");
    expect(shown).toContain("Standing: a.trace, again.trace. Wrong: b.trace.");
  });

  it("say that two honest runs agree", async () => {
    const { code, stdout } = await verde("dispute", "a.trace", "again.trace", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 2,
      outcome: "agree",
      parties: [expect.objectContaining({ id: "a", name: "a.trace" }), expect.objectContaining({ id: "b" })],
      losers: [],
      referee: { scalarSteps: 0, bytes: expect.any(Number), rounds: 0, millis: expect.any(Number) },
    });
  });

  it("refuse what they can't use with code 2 and a sentence", async () => {
    await writeFile(join(folder, "not.trace"), "not a trace");
    await writeFile(join(folder, "not.json"), "{");
    const root = `0x${"00".repeat(32)}`;
    for (const [args, sentence] of [
      [["dispute", "a.trace", "every.trace"], "--commit-every"],
      [["dispute", "a.trace", "missing.trace"], "missing.trace"],
      [["dispute", "a.trace", "not.trace"], "not a Verde trace"],
      [["dispute", "a.trace", "b.trace", "--recompute", "half"], "neither scalar nor operator"],
      [["dispute", "a.trace", "b.trace", "--backend", "abacus"], "abacus"],
      [["check", "not.json", "--a", root, "--b", root], "is cut"],
      [["check", "v.json", "--a", "0x12", "--b", root], "32 bytes"],
    ] as const) {
      const { code, stdout, stderr } = await verde(...args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toContain(sentence);
    }
  });
});
