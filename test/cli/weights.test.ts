import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import type { NamedTensor } from "../../src/job/closed.ts";
import { run, startFrom, writeSafetensors } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { verdeIn } from "../fixtures/verde.ts";

const path = temporaryFolder();
const verde = verdeIn(path("."));
const LINE = new URL("../fixtures/line.ts", import.meta.url).pathname;

const f32 = (name: string, shape: number[]): NamedTensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { name, dtype: "f32", shape, data: Float32Array.from({ length: count }, (_, i) => (i + 1) / 16) };
};
const WEIGHTS = [
  f32("hidden.weight", [2, 2]),
  f32("hidden.bias", [2]),
  f32("out.weight", [2, 1]),
  f32("out.bias", [1]),
];
const COMMON = ["run", LINE, "--width", "2", "--steps", "3"];

/** A file as PyTorch writes it: its note, weights as [outputs, inputs], and a tensor of another type. */
function torchFile(name: string): void {
  const turned = Float32Array.of(1, 3, 2, 4).map((x) => x / 16);
  const parts: [string, string, number[], Uint8Array][] = [
    ["model.hidden.weight", "F32", [2, 2], new Uint8Array(turned.buffer)],
    ["model.hidden.bias", "F32", [2], new Uint8Array(Float32Array.of(1 / 16, 2 / 16).buffer)],
    ["model.out.weight", "F32", [1, 2], new Uint8Array(Float32Array.of(1 / 16, 2 / 16).buffer)],
    ["model.out.bias", "F32", [1], new Uint8Array(Float32Array.of(1 / 16).buffer)],
    ["model.mask", "BOOL", [3], Uint8Array.of(1, 0, 1)],
  ];
  let at = 0;
  const entries = parts.map(([key, dtype, shape, bytes]) => [
    key,
    { dtype, shape, data_offsets: [at, (at += bytes.length)] },
  ]);
  const text = Buffer.from(JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) }));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path(name), Buffer.concat([size, text, ...parts.map(([, , , bytes]) => bytes)]));
}

test("--from says what was taken, and needs every parameter unless --partial is given", async () => {
  const job = await line.close({ width: 2, steps: 3 });
  await writeSafetensors(path("all.safetensors"), WEIGHTS);
  await writeSafetensors(path("some.safetensors"), [...WEIGHTS.slice(0, 2), f32("head.weight", [3])]);
  const whole = await verde([...COMMON, "--from", "all.safetensors"]);
  const { runRoot } = await run((await startFrom(job, WEIGHTS)).job);
  expect(whole.code).toBe(0);
  expect(whole.stdout).toMatch(
    /^weights of all\.safetensors: 4 tensors are taken; the init graph makes \d+ other entries, which are no parameters\nline: /,
  );
  expect(whole.stdout).toContain(`run root       ${toHex(runRoot)}\n`);

  const refused = await verde([...COMMON, "--from", "some.safetensors", "--json"]);
  expect(refused.code).toBe(2);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: {
      code: "VERDE_JOB_CHECKPOINT",
      message: expect.stringMatching(/2 parameters are missing .*the job's state has no head\.weight.*--partial/),
      evidence: { missing: ["out.weight f32[2, 1]", "out.bias f32[1]"], unexpected: ["head.weight F32[3]"] },
    },
  });
  const partly = await verde([...COMMON, "--from", "some.safetensors", "--partial"]);
  expect(partly.stdout).toContain("  missing        the init graph makes out.weight f32[2, 1], out.bias f32[1]\n");
  expect(partly.stdout).toContain("  unexpected     the job has no head.weight F32[3]\n");
  const [report, ...lines] = (await verde([...COMMON, "--from", "some.safetensors", "--partial", "--json"])).stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(report).toMatchObject({
    schemaVersion: 1,
    from: {
      file: "some.safetensors",
      taken: [
        { name: "hidden.weight", type: "f32[2, 2]" },
        { name: "hidden.bias", type: "f32[2]" },
      ],
      missing: [
        { name: "out.weight", type: "f32[2, 1]" },
        { name: "out.bias", type: "f32[1]" },
      ],
      unexpected: [{ name: "head.weight", type: "F32[3]" }],
      unsure: [],
    },
  });
  expect(lines).toHaveLength(5);
});

test("a file by PyTorch is taken with its prefix stripped and its matrices transposed, or with a word about them", async () => {
  torchFile("torch.safetensors");
  const args = [...COMMON, "--from", "torch.safetensors", "--partial"];
  const bare = await verde(args);
  expect(bare.stderr).toContain("strip the prefix with --from-prefix model.");
  const named = await verde([...args, "--from-prefix", "model."]);
  expect(named.stderr).toContain("it fits; take it with --transpose out.weight");
  const half = await verde([...args, "--from-prefix", "model.", "--transpose", "out.weight"]);
  expect(half.stdout).toContain("1 square matrices are taken as they are: hidden.weight. PyTorch keeps");
  expect(half.stdout).toContain("unexpected     the job has no model.mask BOOL[3]\n");
  const job = await line.close({ width: 2, steps: 3 });
  const { runRoot } = await run((await startFrom(job, WEIGHTS)).job);
  const both = ["--transpose", "out.*", "--transpose", "hidden.weight"];
  const right = await verde([...args, "--from-prefix", "model.", ...both]);
  expect(right.stdout).toContain("4 tensors are taken, 2 of them transposed");
  expect(right.stdout).not.toContain("square");
  expect(right.stdout).toContain(`run root       ${toHex(runRoot)}\n`);
  expect(half.stdout).not.toContain(toHex(runRoot));
});

test("what belongs to --from is refused without it", async () => {
  for (const words of [["--partial"], ["--from-prefix", "a."], ["--transpose", "x"], ["--saturate"]]) {
    const { code, stderr } = await verde([...COMMON, ...words]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${words[0]} is about the file of --from`)]);
  }
});
