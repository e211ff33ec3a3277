/** Traces as crashes and disks leave them: each is repaired, opens, and its run ends with the same root. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { takeLock } from "../../src/files/lock.ts";
import { openTrace, repairTrace, run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { verdeIn } from "../fixtures/verde.ts";
import { copyTrace, filesOf } from "./files.ts";

const path = temporaryFolder();
const job = regression({ steps: 20 });
const options = { checkpointEvery: 6, commitEvery: 2 };
let whole: Buffer;
/** Where the record of each step ends. */
const ends: number[] = [];

beforeAll(async () => {
  await run(job, { ...options, out: path("whole.trace") });
  whole = readFileSync(path("whole.trace"));
  const trace = await openTrace(path("whole.trace"));
  for (let step = 0; step <= 20; step++) ends.push((await trace.tailOf(step)).offset);
});

/** A generator of numbers below a bound; the same ones in every run of the test. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The end of the last record that is whole before a place; 0 inside the manifest's. */
const goodBefore = (at: number): number => ends.findLast((end) => end <= at) ?? 0;

describe("repairing", () => {
  test("cuts at the last good record, wherever the damage is, and the run ends the same", async () => {
    const next = numbers(11);
    const damages: [string, (bytes: Buffer, at: number) => Buffer][] = [
      ["cut", (bytes, at) => bytes.subarray(0, at)],
      ["one bit", (bytes, at) => Buffer.from(bytes.with(at, bytes[at] ^ (1 << next(8))))],
      ["zeros to the end", (bytes, at) => Buffer.from(bytes.map((byte, i) => (i < at ? byte : 0)))],
      ["zeros, and longer", (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(4096)])],
      ["a part that is missing", (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 7)])],
      ["other bytes", (bytes, at) => Buffer.from(bytes.map((byte, i) => (i < at ? byte : next(256))))],
    ];
    const opening = ends[0] - (ends[1] - ends[0]);
    for (let round = 0; round < 60; round++) {
      const [name, damage] = damages[round % damages.length];
      const at = opening + 1 + next(whole.length - opening - 1);
      const what = `${name} at byte ${at}`;
      copyTrace(path, "whole", "bad");
      const bytes = damage(whole, at);
      writeFileSync(path("bad.trace"), bytes);
      // Damage that gave the same bytes is none.
      const same = bytes.findIndex((byte, i) => byte !== whole[i]);
      const first = same < 0 ? Math.min(bytes.length, whole.length) : same;
      const planned = await repairTrace(path("bad.trace"), { dryRun: true });
      expect(readFileSync(path("bad.trace")).equals(bytes), what).toBe(true);
      const { copy, ...repaired } = await repairTrace(path("bad.trace"));
      expect(repaired, what).toEqual(planned);
      expect(repaired.states, what).toEqual([]);
      const kept = readFileSync(path("bad.trace"));
      expect(whole.subarray(0, kept.length).equals(kept), what).toBe(true);
      if (first < whole.length) expect(kept.length, what).toBeGreaterThanOrEqual(goodBefore(first));
      if (repaired.cut > 0) {
        expect(readFileSync(copy!).equals(bytes), what).toBe(true);
        rmSync(copy!);
      }
      const trace = await openTrace(path("bad.trace"));
      expect(trace.recorded - 1, what).toBe(repaired.lastStep);
      // Without a record no checkpoint is vouched for, so beginning again has to be asked for.
      await run(job, { ...options, out: path("bad.trace"), resume: true, force: repaired.lastStep < 0 });
      expect(filesOf(path, "bad"), what).toEqual(filesOf(path, "whole"));
    }
  });

  test("keeps the end record when bytes follow it", async () => {
    copyTrace(path, "whole", "longer");
    writeFileSync(path("longer.trace"), Buffer.concat([whole, Buffer.from("more")]));
    const message =
      "has 4 bytes after its end record; restore the file, or cut it before the damage with `verde trace repair";
    await expect(openTrace(path("longer.trace"))).rejects.toThrow(message);
    expect(await repairTrace(path("longer.trace"))).toMatchObject({ complete: true, cut: 4, lastStep: 20 });
    expect(readFileSync(path("longer.trace")).equals(whole)).toBe(true);
  });

  test("moves damaged checkpoints aside, and an earlier one is used", async () => {
    copyTrace(path, "whole", "states");
    const at = (step: number): string => path(`states.data/step-${String(step).padStart(8, "0")}.safetensors`);
    truncateSync(path("states.trace"), ends[19]);
    truncateSync(at(18), 40);
    copyFileSync(at(6), at(12));
    writeFileSync(`${at(12)}.damaged-1`, "of an earlier repair");
    const { states, continuesFrom, cut } = await repairTrace(path("states.trace"));
    expect({ cut, continuesFrom }).toEqual({ cut: 0, continuesFrom: 6 });
    expect(states.map(({ movedTo }) => movedTo)).toEqual([`${at(12)}.damaged-2`, `${at(18)}.damaged-1`]);
    expect(states[0].problem).toContain("is not the state after step 12");
    expect(readFileSync(`${at(12)}.damaged-1`, "utf8")).toBe("of an earlier repair");
    const seen: number[] = [];
    await run(job, { ...options, out: path("states.trace"), resume: true, onStep: ({ step }) => seen.push(step) });
    expect(seen[0]).toBe(7);
    expect(filesOf(path, "states")).toMatchObject(filesOf(path, "whole"));
  });

  test("changes nothing where nothing is damaged, or nothing can be kept", async () => {
    copyTrace(path, "whole", "fine");
    expect(await repairTrace(path("fine.trace"))).toEqual({
      kept: whole.length,
      cut: 0,
      lastStep: 20,
      steps: 20,
      complete: true,
      states: [],
      continuesFrom: 20,
    });
    expect(filesOf(path, "fine")).toEqual(filesOf(path, "whole"));
    for (const [bytes, code] of [
      [whole.with(60, whole[60] ^ 1), "VERDE_FORMAT_ALTERED"],
      [whole.subarray(0, 100), "VERDE_FORMAT_TRUNCATED"],
      [Buffer.from("notes"), "VERDE_FORMAT_KIND"],
    ] as const) {
      writeFileSync(path("none.trace"), bytes);
      await expect(repairTrace(path("none.trace"))).rejects.toMatchObject({ code });
      expect(readFileSync(path("none.trace")).equals(Buffer.from(bytes))).toBe(true);
    }
    await expect(repairTrace(path("missing.trace"))).rejects.toMatchObject({ code: "VERDE_FORMAT_MISSING" });
    expect(readdirSync(path(".")).filter((name) => /damaged|lock/.test(name) && !name.startsWith("longer"))).toEqual(
      [],
    );
  });

  test("waits for nobody who writes", async () => {
    copyTrace(path, "whole", "busy");
    const lock = takeLock(path("busy.data.lock"), "busy.trace");
    await expect(repairTrace(path("busy.trace"))).rejects.toMatchObject({ code: "VERDE_FILE_LOCKED" });
    lock.release();
  });
});

test("the command says what it cut, and how to continue", async () => {
  const verde = verdeIn(path("."));
  copyTrace(path, "whole", "told");
  writeFileSync(path("told.trace"), Buffer.concat([whole.subarray(0, ends[15] + 9), Buffer.alloc(400)]));
  const refused = await verde(["inspect", "told.trace"]);
  expect(refused.stderr).toContain("or cut it before the damage with `verde trace repair told.trace` (VERDE_FORMAT_");
  const planned = await verde(["trace", "repair", "told.trace", "--dry-run", "--json"]);
  expect(JSON.parse(planned.stdout)).toMatchObject({
    schemaVersion: 1,
    trace: "told.trace",
    dryRun: true,
    damaged: true,
    problem: { code: "VERDE_FORMAT_ALTERED" },
    kept: ends[15],
    cut: 409,
    lastStep: 15,
    copy: null,
    checkpoints: [],
    continuesFrom: 12,
  });
  const { code, stdout, stderr } = await verde(["trace", "repair", "told.trace"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.split("\n").slice(1)).toEqual([
    "told.trace: step 15 of 20 is its last good record; 409 B after it are cut off.",
    "The file as it was is in told.trace.damaged-1.",
    "Continue with `verde run … --resume`: it starts from the state after step 12.",
    "",
  ]);
  expect(existsSync(path("told.trace.damaged-1"))).toBe(true);
  expect((await verde(["trace", "repair", "told.trace"])).stdout).toContain("nothing is damaged; step 15 of 20");
});

describe("what belongs to a trace", () => {
  test("moves a damaged dataset aside, which --resume writes again", async () => {
    copyTrace(path, "whole", "data");
    const file = path("data.data/dataset.safetensors");
    const good = readFileSync(file);
    writeFileSync(file, good.with(good.length - 3, good[good.length - 3] ^ 1));
    const { states, complete, cut } = await repairTrace(path("data.trace"));
    expect({ complete, cut, files: states.map((state) => state.file) }).toEqual({
      complete: true,
      cut: 0,
      files: [file],
    });
    expect(existsSync(file)).toBe(false);
    expect(existsSync(states[0].movedTo!)).toBe(true);
    await run(job, { ...options, out: path("data.trace"), resume: true });
    expect(readFileSync(file).equals(good)).toBe(true);
    expect((await repairTrace(path("data.trace"))).states).toEqual([]);
  });

  test("moves nothing aside that it can't look at", async () => {
    copyTrace(path, "whole", "odd");
    const name = readdirSync(path("odd.data")).find((entry) => /^step-0*6\./.test(entry))!;
    rmSync(path(`odd.data/${name}`));
    mkdirSync(path(`odd.data/${name}`));
    await expect(repairTrace(path("odd.trace"))).rejects.toThrow(
      expect.objectContaining({ code: "VERDE_FORMAT_UNREADABLE" }),
    );
    expect(readdirSync(path("odd.data")).some((entry) => entry.includes("damaged"))).toBe(false);
  });
});
