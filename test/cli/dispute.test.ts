import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatClaim } from "../../src/claims/claim.ts";
import { ClaimStore } from "../../src/claims/store.ts";
import { run } from "../../src/trace/index.ts";
import { claimTrace } from "../fixtures/claims.ts";
import { Commands } from "../fixtures/commands.ts";
import { cliEnvironment, type Ended } from "../fixtures/verde.ts";
import { smallJob } from "../referee/small-job.ts";

describe("verde dispute and verde check", () => {
  let folder = "";
  let commands: Commands;
  /** As the owner of both traces sees them. */
  const claims: Record<string, string> = {};
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "verde-cli-"));
    commands = new Commands(folder);
    const job = await smallJob();
    await run(job, { out: join(folder, "a.trace") });
    await run(job, { out: join(folder, "again.trace") });
    const fault = { kind: "flip", step: 4, operator: 4, element: 13, bit: 28 } as const;
    await run(job, { out: join(folder, "b.trace"), fault });
    await run(job, { out: join(folder, "every.trace"), commitEvery: 2 });
    const store = new ClaimStore(join(folder, "state"));
    for (const name of ["a", "b"]) claims[name] = formatClaim(await claimTrace(store, join(folder, `${name}.trace`)));
  });
  afterAll(async () => {
    commands.close();
    await rm(folder, { recursive: true, force: true });
  });

  const verde = (...args: string[]) => verdeAs("state", ...args);

  /** @param state the folder of a user's keys and claims */
  const verdeAs = (state: string, ...args: string[]): Promise<Ended> =>
    commands.run(args, { ...cliEnvironment(folder), VERDE_STATE: join(folder, state) });

  it("say who is wrong and where, and the verdict is checked by itself", async () => {
    const found = await verde("dispute", "a.trace", "b.trace", "--verdict", "v.json");
    expect(found).toMatchObject({ code: 1, stderr: "" });
    expect(found.stdout).toContain("differ from training step 4 on");
    expect(found.stdout).toContain("b.trace is wrong");
    expect(found.stdout).toMatch(/executed 3 scalar steps of the [\d,]+ of the run/);
    expect(found.stdout).toContain("The proof is in v.json");
    expect(found.stdout).toContain(`--a ${claims.a} --b ${claims.b}`);
    const named = ["--a", claims.a, "--b", claims.b];
    const checked = await verdeAs("nobody", "check", "v.json", ...named, "--json");
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    const holds = JSON.parse(checked.stdout);
    expect(holds).toMatchObject({
      schemaVersion: 3,
      outcome: "holds",
      kind: "proof",
      losers: ["b"],
      restsOn: "evidence",
      refuted: [{ claim: claims.b, ground: "signature", decidedBy: "scalar", step: 4 }],
    });
    // A path for each opened level, and those of the operands: each by two implementations.
    const { pathsVerifiedTwice } = holds as { pathsVerifiedTwice: number };
    expect(pathsVerifiedTwice).toBeGreaterThan(8);
    const said = await verde("check", "v.json", ...named);
    expect(said.stdout).toContain(`${pathsVerifiedTwice}, each verified by two implementations`);
    expect(said.stdout).toContain("b is wrong.\nNothing is shown about the other claim.");
    // The claim that is refuted is enough.
    expect(await verde("check", "v.json", "--a", claims.b)).toMatchObject({ code: 0 });
    for (const wrong of [claims.a, claims.b.replace(/@.*/, "")]) {
      const other = await verde("check", "v.json", "--a", wrong);
      expect(other).toMatchObject({ code: 2, stdout: "" });
      expect(other.stderr).toContain("VERDE_DISPUTE_VERDICT_FOREIGN");
    }
    const replayed = await verde("check", "v.json", "--a", claims.b, "--replay", "a.trace");
    expect(replayed).toMatchObject({ code: 0, stderr: expect.stringContaining("needs no replay") });
    // The letters are those of the command line.
    expect((await verde("check", "v.json", "--a", claims.b, "--b", claims.a)).stdout).toContain("a is wrong.");
    expect(await verde("check", "v.json", "--a", claims.b, "--b", claims.b)).toMatchObject({ code: 2 });
  });

  it("show the claim, with the key of its owner alone", async () => {
    for (const name of ["a", "b"])
      expect(JSON.parse((await verde("inspect", `${name}.trace`, "--json")).stdout).claim).toBe(claims[name]);
    const { stdout } = await verdeAs("nobody", "inspect", "a.trace", "--json");
    expect(JSON.parse(stdout).claim).toBe(claims.a.replace(/@.*/, ""));
    expect((await verde("inspect", "a.trace")).stdout).toContain(claims.a);
  });

  it("rule where nobody has signed, and let anybody replay it", async () => {
    const found = await verdeAs("stranger", "dispute", "a.trace", "b.trace", "--verdict", "r.json", "--transcript", "t.jsonl"); // prettier-ignore
    expect(found).toMatchObject({ code: 1, stderr: "" });
    expect(found.stdout).toContain("This rests on this referee's word: b.trace signed nothing that proves it.");
    const roots = ["a", "b"].map((name) => claims[name].replace(/@.*/, ""));
    const named = ["--a", roots[0], "--b", roots[1]];
    const word = await verde("check", "r.json", ...named, "--json");
    expect(word.code).toBe(4);
    expect(JSON.parse(word.stdout)).toMatchObject({ kind: "ruling", restsOn: "referee", losers: ["b"], step: 4 });
    expect((await verde("check", "r.json", ...named)).stdout).toContain("This is a ruling: it proves nothing.");
    const turned = await verde("check", "r.json", "--a", roots[1], "--b", roots[0], "--json");
    expect(JSON.parse(turned.stdout)).toMatchObject({ losers: ["a"], claims: { a: roots[1], b: roots[0] } });
    expect(await verde("check", "r.json", "--a", roots[1])).toMatchObject({ code: 2 });
    for (const trace of ["a.trace", "b.trace"]) {
      const replayed = await verde("check", "r.json", ...named, "--replay", trace, "--json");
      expect(replayed, replayed.stderr).toMatchObject({ code: 0 });
      expect(JSON.parse(replayed.stdout)).toMatchObject({ kind: "ruling", restsOn: "replay", losers: ["b"] });
    }
    expect(await verde("check", "r.json", ...named, "--replay", "every.trace")).toMatchObject({ code: 2 });
    // The verdict follows from what was said, and from nothing else.
    expect(await verde("check", "r.json", ...named, "--transcript", "t.jsonl")).toMatchObject({ code: 4 });
    expect(await verde("dispute", "a.trace", "b.trace", "--verdict", "p.json", "--transcript", "p.jsonl")).toMatchObject({ code: 1 }); // prettier-ignore
    expect(await verde("check", "p.json", "--a", claims.b, "--transcript", "p.jsonl")).toMatchObject({ code: 0 });
    const foreign = await verde("check", "p.json", "--a", claims.b, "--transcript", "t.jsonl");
    expect(foreign).toMatchObject({ code: 2, stdout: "" });
    expect(foreign.stderr).toContain("does not follow from t.jsonl");
  });

  it("can't check what a wallet may have signed, without a node", async () => {
    const verdict = JSON.parse(await readFile(join(folder, "p.json"), "utf8"));
    const wallet = "0x1111111111111111111111111111111111111111";
    verdict.refuted[0].address = wallet;
    await writeFile(join(folder, "w.json"), JSON.stringify(verdict));
    const { code, stdout, stderr } = await verde("check", "w.json", "--a", claims.b.replace(/@.*/, `@${wallet}`));
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("--rpc URL");
  });

  it("decide nothing about a party without its files, unless silence loses", async () => {
    await copyFile(join(folder, "a.trace"), join(folder, "alone.trace"));
    const { code, stdout } = await verde("dispute", "alone.trace", "b.trace", "--verdict", "none.json");
    expect(code).toBe(3);
    expect(stdout).toContain("nothing is decided");
    expect(stdout).toMatch(/alone\.trace can't answer: .*alone\.data\/dataset\.safetensors/);
    expect(stdout).toContain("So none.json was not written.");
    const told = JSON.parse((await verde("dispute", "alone.trace", "b.trace", "--json")).stdout);
    expect(told).toMatchObject({ outcome: "undecided", losers: [], silent: [{ id: "a", name: "alone.trace" }] });
    const ruled = await verde("dispute", "alone.trace", "b.trace", "--forfeit-silent", "--json");
    expect(ruled.code).toBe(1);
    expect(JSON.parse(ruled.stdout)).toMatchObject({ verdict: "ruling", losers: ["a"], proven: [] });
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
    const older = await verde("dispute", "b.trace", "a.trace", "--on-chain", "--hardfork", "prague", "--json");
    expect(JSON.parse(older.stdout)).toMatchObject({ losers: ["a"], hardfork: "prague", build: "portable" });
    const forks = await verde("dispute", "a.trace", "b.trace", "--on-chain", "--hardfork", "london");
    expect([forks.code, forks.stderr]).toEqual([2, expect.stringContaining("cancun, prague, osaka")]);
    expect(await verde("dispute", "a.trace", "b.trace", "--hardfork", "osaka")).toMatchObject({ code: 2 });
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
      "verdict",
      "proven",
      "step",
      "operator",
      "element",
      "fold",
      "recomputed",
      "claimed",
      "referee",
    ]);
    expect(result).toMatchObject({
      schemaVersion: 3,
      outcome: "divergence",
      verdict: "proof",
      proven: ["a"],
      parties: [
        { id: "a", name: "b.trace", runRoot: expect.stringMatching(/^0x[0-9a-f]{64}$/), claim: claims.b },
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
    expect(rest).toEqual({ schemaVersion: 3, outcome: "divergence", silent: [], equivocations: [] });
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
      schemaVersion: 3,
      outcome: "agree",
      parties: [expect.objectContaining({ id: "a", name: "a.trace" }), expect.objectContaining({ id: "b" })],
      losers: [],
      referee: { scalarSteps: 0, bytes: expect.any(Number), rounds: 0, millis: expect.any(Number) },
    });
  });

  it("never write a result over a file of another kind", async () => {
    const trace = await readFile(join(folder, "a.trace"));
    await writeFile(join(folder, "older.json"), "{}\n");
    for (const option of ["--verdict", "--transcript"]) {
      const refused = await verde("dispute", "a.trace", "b.trace", option, "a.trace");
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toContain(`a.trace exists, and is no JSON, so ${option} does not overwrite it`);
    }
    expect(await verde("certify", "--out", "a.trace")).toMatchObject({ code: 2, stdout: "" });
    expect((await readFile(join(folder, "a.trace"))).equals(trace)).toBe(true);
    const both = await verde("dispute", "a.trace", "b.trace", "--verdict", "older.json", "--transcript", "older.json");
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("name two files") });
    expect(await verde("dispute", "a.trace", "b.trace", "--verdict", "older.json")).toMatchObject({ code: 1 });
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
      [["check", "not.json", "--a", root], "is cut"],
      [["check", "v.json", "--a", "0x12"], "--a is no claim"],
      [["check", ".", "--a", root], "can't be read"],
      [["check", "a.trace", "--a", root], "is a trace, not a verdict"],
      [["dispute", "a.trace", "b.trace", "--patience", "0s"], "--patience 0s"],
      [["dispute", "a.trace", "b.trace", "again.trace", "--transcript", "t"], "omit --verdict and --transcript"],
    ] as const) {
      const { code, stdout, stderr } = await verde(...args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toContain(sentence);
    }
  });
});
