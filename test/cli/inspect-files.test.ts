import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { formatClaim } from "../../src/claims/claim.ts";
import { ClaimStore } from "../../src/claims/store.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { readSafetensors, run, type RunResult, writeJobFile, writeSafetensors } from "../../src/trace/index.ts";
import { claimTrace } from "../fixtures/claims.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { verdeIn } from "../fixtures/verde.ts";
import { smallJob } from "../referee/small-job.ts";

const path = temporaryFolder();
const verde = verdeIn(path("."));
const inspect = async (...args: string[]): Promise<{ code: number; facts: Record<string, any> }> => {
  const { code, stdout } = await verde(["inspect", ...args, "--json"]);
  return { code, facts: JSON.parse(stdout) };
};
let job: ClosedJob;
let honest: RunResult;

beforeAll(async () => {
  job = await line.close();
  honest = await run(job, { out: path("a.trace"), checkpointEvery: 6 });
});

describe("verde inspect of a safetensors file", () => {
  const CHECKPOINT = "a.data/step-00000006.safetensors";

  test("says which state a checkpoint is, and that it fits its trace", async () => {
    const { code, facts } = await inspect(CHECKPOINT);
    expect({ code, facts }).toEqual({
      code: 0,
      facts: {
        schemaVersion: 1,
        kind: "checkpoint",
        file: CHECKPOINT,
        bytes: readFileSync(path(CHECKPOINT)).length,
        trace: "a.trace",
        step: 6,
        root: toHex(honest.segmentRoots[6]),
        problem: null,
        fits: true,
        metadata: {},
        entries: honest.state.map(({ name, dtype, shape }) => ({ name, type: dtype.toUpperCase(), shape })),
      },
    });
    const { stdout } = await verde(["inspect", CHECKPOINT]);
    expect(stdout).toContain("holds        the state after training step 6 of a.trace\n");
    expect(stdout).toContain(`fits         yes: ${toHex(honest.segmentRoots[6])}\n`);
    expect(stdout).toMatch(/^ {2}hidden\.weight +F32\[2, 5\]$/m);
    const data = await inspect("a.data/dataset.safetensors");
    expect(data).toMatchObject({ code: 0, facts: { kind: "dataset", step: null, fits: true } });
  });

  test("says what does not fit, with the exit code of a difference", async () => {
    mkdirSync(path("b.data"));
    copyFileSync(path("a.trace"), path("b.trace"));
    const name = "b.data/step-00000006.safetensors";
    const state = await readSafetensors(path(CHECKPOINT), { raw: true });
    state[0].data[3] += 1;
    await writeSafetensors(path(name), state);
    const altered = await inspect(name);
    expect(altered).toMatchObject({ code: 1, facts: { fits: false, root: null, step: 6 } });
    expect(altered.facts.problem).toContain("is not the state after step 6 that b.trace commits to");
    await writeSafetensors(path(name), state.slice(1));
    expect((await inspect(name)).facts.problem).toContain("entry 0 is hidden.bias");
    copyFileSync(path(CHECKPOINT), path("b.data/step-00000013.safetensors"));
    expect((await inspect("b.data/step-00000013.safetensors")).facts.problem).toBe("the run has 12 training steps");
    await writeSafetensors(path("b.data/dataset.safetensors"), []);
    expect(await inspect("b.data/dataset.safetensors")).toMatchObject({ code: 1, facts: { fits: false } });
    expect((await verde(["inspect", name])).stdout).toMatch(/^fits +no: /m);
  });

  test("lists what other programs write, types that are not read included", async () => {
    const header = Buffer.from(
      JSON.stringify({
        __metadata__: { format: "pt" },
        mask: { dtype: "BOOL", shape: [2], data_offsets: [0, 2] },
        w: { dtype: "BF16", shape: [1, 3], data_offsets: [2, 8] },
      }),
    );
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path("model"), Buffer.concat([size, header, Buffer.alloc(8)]));
    expect(await inspect("model")).toMatchObject({
      code: 0,
      facts: {
        kind: "tensors",
        metadata: { format: "pt" },
        entries: [
          { name: "mask", type: "BOOL", shape: [2] },
          { name: "w", type: "BF16", shape: [1, 3] },
        ],
      },
    });
    const { stdout } = await verde(["inspect", "model"]);
    expect(stdout).toContain("entries      2 tensors, 5 elements\n");
    expect(stdout).toContain("metadata     format: pt\n");
    expect(stdout).not.toContain("fits");
  });

  test("names files of other kinds", async () => {
    writeFileSync(path("lfs.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    writeFileSync(path("gguf"), Buffer.from("GGUF\x03\0\0\0\0\0\0\0"));
    for (const [file, sentence] of [
      ["lfs.safetensors", "is a Git LFS pointer, not the file that it stands for; fetch the file with `git lfs pull`"],
      ["gguf", "is a GGUF or GGML file; a trace, a job file, a verdict or a safetensors file can be inspected"],
    ]) {
      const { code, stderr } = await verde(["inspect", file]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    }
    for (const option of [["--csv"], ["--tensorboard", "x"]])
      expect((await verde(["inspect", CHECKPOINT, ...option])).stderr).toContain("is no trace, so it has no metrics");
  });
});

describe("verde inspect of a job file", () => {
  test("says what verde job show says", async () => {
    await writeJobFile(path("line.verde"), job);
    const { code, facts } = await inspect("line.verde");
    expect([code, facts.jobId, facts.parameters]).toEqual([0, toHex(jobId(job)), { trained: 21, frozen: 0 }]);
    expect((await verde(["inspect", "line.verde"])).stdout).toBe((await verde(["job", "show", "line.verde"])).stdout);
    const bytes = readFileSync(path("line.verde"));
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path("bad.verde"), bytes);
    expect((await verde(["inspect", "bad.verde"])).stderr).toContain("is not what the job commits to");
  });
});

describe("verde inspect of a verdict", () => {
  const claims: string[] = [];

  beforeAll(async () => {
    const small = await smallJob();
    await run(small, { out: path("x.trace") });
    await run(small, { out: path("y.trace"), fault: { kind: "flip", step: 4, operator: 4, element: 13, bit: 28 } });
    const store = new ClaimStore(path("owner"));
    for (const name of ["x", "y"]) claims.push(formatClaim(await claimTrace(store, path(`${name}.trace`))));
    await verde(["dispute", "x.trace", "y.trace", "--verdict", "proof.json"], { VERDE_STATE: path("owner") });
    await verde(["dispute", "x.trace", "y.trace", "--verdict", "my ruling.json", "--transcript", "t.jsonl"]);
  });

  test("shows a proof and whom it is about, and says that it has not verified it", async () => {
    const { code, facts } = await inspect("proof.json");
    expect({ code, facts }).toMatchObject({
      code: 0,
      facts: {
        kind: "proof",
        restsOn: "evidence",
        verified: false,
        job: toHex(jobId(await smallJob())),
        step: 4,
        claims: [{ claim: claims[1], loses: true }],
        referee: null,
        check: `verde check proof.json --a ${claims[1]}`,
      },
    });
    const { stdout } = await verde(["inspect", "proof.json"]);
    expect(stdout).toContain(`loses        ${claims[1]}: one step from trees that its key signed`);
    expect(stdout).toContain("differs at   training step 4, operator ");
    expect(stdout).toContain(
      `Nothing of this is verified. Verify it with:\n  verde check proof.json --a ${claims[1]}\n`,
    );
    expect((await verde(facts.check.split(" ").slice(1))).code).toBe(0);
  });

  test("shows a ruling, both claims, and that it rests on a referee's word", async () => {
    const { code, facts } = await inspect("my ruling.json");
    const roots = claims.map((claim) => claim.replace(/@.*/, ""));
    expect({ code, facts }).toMatchObject({
      code: 0,
      facts: {
        kind: "ruling",
        restsOn: "referee",
        claims: [
          { claim: roots[0], loses: false },
          { claim: roots[1], loses: true },
        ],
        check: `verde check 'my ruling.json' --a ${roots[0]} --b ${roots[1]}`,
      },
    });
    expect((await verde(["inspect", "my ruling.json"])).stdout).toContain("which rests on the word of its referee");
  });

  test("refuses other JSON, other versions and malformed fields with a code", async () => {
    const proof = JSON.parse(readFileSync(path("proof.json"), "utf8"));
    const ruling = JSON.parse(readFileSync(path("my ruling.json"), "utf8"));
    const refused = async (value: unknown): Promise<string> => {
      writeFileSync(path("other.json"), typeof value === "string" ? value : JSON.stringify(value));
      const { code, facts } = await inspect("other.json");
      expect(code).toBe(2);
      return facts.error.code;
    };
    expect(await refused("{}")).toBe("VERDE_FORMAT_KIND");
    expect(await refused(readFileSync(path("proof.json"), "utf8").slice(0, 500))).toBe("VERDE_FORMAT_TRUNCATED");
    expect(await refused({ ...proof, schemaVersion: 2 })).toBe("VERDE_DISPUTE_VERDICT_VERSION");
    for (const broken of [
      { ...proof, refuted: [] },
      { ...proof, refuted: {} },
      { ...proof, refuted: [null] },
      { ...proof, job: { ...proof.job, steps: -1 } },
      { ...proof, job: 1 },
      { ...ruling, claims: [ruling.claims[0]] },
      { ...ruling, decision: null },
      { ...ruling, decision: { ...ruling.decision, losers: 1 } },
      { ...ruling, decision: { ...ruling.decision, reasons: null } },
      { ...ruling, referee: "0x12" },
    ])
      expect(await refused(broken)).toBe("VERDE_DISPUTE_VERDICT_MALFORMED");
    expect((await verde(["inspect", "t.jsonl"])).stderr).toMatch(/t\.jsonl/);
  });
});
