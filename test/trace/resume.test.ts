import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";

import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { openTrace, Replayer, run, type RunOptions } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { regression } from "../fixtures/regression.ts";
import { copyTrace, filesOf } from "./files.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const LINE = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const path = temporaryFolder();

describe("a run that was stopped", () => {
  test("by SIGKILL is finished to the same files", async () => {
    // A pipe holds a few hundred lines that the child is ahead of us; it is far from its end when it is killed.
    const options = { checkpointEvery: 50, commitEvery: 10 };
    const job = await line.close({ steps: 1600 });
    await run(job, { ...options, out: path("calm.trace") });
    const calm = filesOf(path, "calm");
    const every = ["--checkpoint-every", "50", "--commit-every", "10"];
    const args = [MAIN, "run", LINE, "--steps", "1600", ...every, "--out", path("killed.trace"), "--json"];
    for (const [i, linesSeen] of [1, 100].entries()) {
      const child = spawn(process.execPath, [...args, ...(i > 0 ? ["--resume"] : [])]);
      let lines = 0;
      for await (const _ of createInterface(child.stdout)) if (++lines === linesSeen) child.kill("SIGKILL");
      if (child.signalCode === null && child.exitCode === null) await once(child, "exit");
      expect(lines, "lines that the child printed").toBeGreaterThanOrEqual(linesSeen);
      expect(child.signalCode).toBe("SIGKILL");
      expect(readFileSync(path("killed.trace")).length).toBeLessThan(calm.trace.length);
    }
    expect((await openTrace(path("killed.trace"))).complete).toBe(false);
    await run(job, { ...options, out: path("killed.trace"), resume: true });
    const { trace, ...checkpoints } = filesOf(path, "killed");
    expect(trace.equals(calm.trace)).toBe(true);
    expect(checkpoints).toMatchObject(Object.fromEntries(Object.entries(calm).filter(([file]) => file !== "trace")));
  });

  test("by a signal is finished to the same files", async () => {
    const job = regression();
    await run(job, { out: path("b.trace") });
    const stop = new AbortController();
    const stopped = run(job, {
      out: path("a.trace"),
      signal: stop.signal,
      onStep: ({ step }) => step === 4 && stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({
      code: "VERDE_RUN_STOPPED",
      evidence: { step: 4, steps: 10 },
    });
    const { complete, recorded } = await openTrace(path("a.trace"));
    expect([complete, recorded]).toEqual([false, 5]);
    const result = await run(job, { out: path("a.trace"), resume: true });
    expect(filesOf(path, "a")).toEqual(filesOf(path, "b"));
    expect(result.metrics.length).toBe(11);
  });
});

describe("resuming", () => {
  const job = regression({ checkpoint: true });
  const options = { checkpointEvery: 3 };

  test("passes over a damaged checkpoint and writes it anew", async () => {
    await run(job, { ...options, out: path("whole.trace") });
    for (const damage of [
      (file: string) => truncateSync(file, 50),
      (file: string) => writeFileSync(file, readFileSync(path("whole.data/step-00000003.safetensors"))),
    ]) {
      copyTrace(path, "whole", "damaged");
      truncateSync(path("damaged.trace"), readFileSync(path("whole.trace")).length - 40);
      rmSync(path("damaged.data/step-00000010.safetensors"));
      damage(path("damaged.data/step-00000009.safetensors"));
      const seen: number[] = [];
      await run(job, { ...options, out: path("damaged.trace"), resume: true, onStep: ({ step }) => seen.push(step) });
      expect(seen).toEqual([7, 8, 9, 10]);
      expect(filesOf(path, "damaged")).toEqual(filesOf(path, "whole"));
    }
  });

  test("brings back the dataset and the first checkpoint", async () => {
    copyTrace(path, "whole", "bare");
    for (const file of ["dataset.safetensors", "step-00000000.safetensors"]) rmSync(path(`bare.data/${file}`));
    await expect(Replayer.open(path("bare.trace"))).rejects.toThrow("dataset.safetensors can't be read");
    await run(job, { ...options, out: path("bare.trace"), resume: true });
    expect(filesOf(path, "bare")).toEqual(filesOf(path, "whole"));
  });

  test("leaves alone what is not the beginning of this run", async () => {
    const other = regression({ rate: 0.5 });
    const contents: [Buffer | string, string][] = [
      ["VERDETR2", "is not a Verde trace"],
      ["notes of mine", "is not a Verde trace"],
      [readFileSync(path("whole.trace")).subarray(0, 200), "is cut before its manifest ends"],
    ];
    for (const [content, sentence] of contents) {
      writeFileSync(path("other.trace"), content);
      await expect(run(other, { out: path("other.trace"), resume: true })).rejects.toThrow(sentence);
      expect(readFileSync(path("other.trace")).equals(Buffer.from(content))).toBe(true);
      expect(existsSync(path("other.data"))).toBe(false);
    }
    await expect(run(other, { resume: true })).rejects.toThrow("name it with --out");
  });

  test("names the setting that differs", async () => {
    const resumed = (changed: RunOptions): Promise<unknown> =>
      run(job, { ...options, out: path("whole.trace"), resume: true, ...changed });
    const before = filesOf(path, "whole");
    await expect(resumed({ commitEvery: 3 })).rejects.toThrow("its commitEvery is 1, but this run's is 3");
    await expect(resumed({ detail: "operators" })).rejects.toThrow("its detail is steps, but this run's is operators");
    expect(filesOf(path, "whole")).toEqual(before);
  });

  test("drops no record of a finished trace without being told to", async () => {
    const steps = { step: 10, file: "bare.data/step-00000010.safetensors" };
    copyTrace(path, "whole", "bare");
    rmSync(path(steps.file));
    const resumed = { ...options, out: path("bare.trace"), resume: true };
    await expect(run(job, resumed)).rejects.toMatchObject({
      code: "VERDE_USAGE_EXISTS",
      message: expect.stringMatching(
        /it is finished, but the newest checkpoint that is left is of step 9 .*add --force/,
      ),
    });
    rmSync(path("bare.data"), { recursive: true });
    await expect(run(job, resumed)).rejects.toThrow("it is finished, but no checkpoint is left");
    truncateSync(path("bare.trace"), readFileSync(path("whole.trace")).length - 40);
    await expect(run(job, resumed)).rejects.toThrow("it has 10 training steps, but no checkpoint is left");
    expect(readFileSync(path("bare.trace")).length).toBe(readFileSync(path("whole.trace")).length - 40);
    expect(existsSync(path("bare.data"))).toBe(false);
    await run(job, { ...resumed, force: true });
    expect(filesOf(path, "bare")).toEqual(filesOf(path, "whole"));
  });

  test("writes nothing to a finished trace, and gives its results", async () => {
    copyTrace(path, "whole", "done");
    const before = statSync(path("done.trace")).mtimeMs;
    const seen: number[] = [];
    const result = await run(job, { ...options, out: path("done.trace"), resume: true, onStep: ({ step }) => seen.push(step) }); // prettier-ignore
    expect(seen).toEqual([]);
    expect(toHex(result.runRoot)).toBe(toHex((await openTrace(path("done.trace"))).runRoot!));
    expect(result.metrics.length).toBe(11);
    expect(statSync(path("done.trace")).mtimeMs).toBe(before);
  });

  test("begins at no step twice, wherever it was stopped, with roots every few steps", async () => {
    const long = regression({ steps: 20 });
    const few = { commitEvery: 6, checkpointEvery: 0 };
    await run(long, { ...few, out: path("quiet.trace") });
    for (let stops = 0; ; stops++) {
      const stop = new AbortController();
      const seen: number[] = [];
      const onStep = ({ step }: { step: number }): void => {
        if (seen.push(step) === 3) stop.abort();
      };
      const ran = run(long, { ...few, out: path("often.trace"), resume: stops > 0, onStep, signal: stop.signal });
      const stopped = await ran.then(
        () => false,
        () => true,
      );
      expect(seen[0]).toBe(3 * stops);
      if (!stopped) break;
      const kept = readdirSync(path("often.data")).filter((name) => name.startsWith("stopped-"));
      expect(kept.length).toBe(1);
    }
    expect(filesOf(path, "often")).toEqual(filesOf(path, "quiet"));
  });

  test("passes over a stop of another run, and a damaged one", async () => {
    const long = regression({ steps: 20 });
    const stopAt = async (name: string, at: number, job = long): Promise<string> => {
      const stop = new AbortController();
      const onStep = ({ step }: { step: number }): void => void (step === at && stop.abort());
      await run(job, { out: path(`${name}.trace`), checkpointEvery: 0, onStep, signal: stop.signal }).catch(() => 0);
      return readdirSync(path(`${name}.data`)).find((file) => file.startsWith("stopped-"))!;
    };
    const file = await stopAt("first", 7);
    const foreign = await stopAt("foreign", 7, regression({ steps: 20, rate: 0.5 }));
    expect(foreign).not.toBe(file);
    const whole = readFileSync(path(`first.data/${file}`));
    const changed = whole.with(whole.length - 3, whole[whole.length - 3] ^ 1);
    for (const content of [changed, whole.subarray(0, 90), readFileSync(path(`foreign.data/${foreign}`))]) {
      copyTrace(path, "first", "again");
      writeFileSync(path(`again.data/${file}`), content);
      const seen: number[] = [];
      const onStep = ({ step }: { step: number }): void => void seen.push(step);
      await run(long, { out: path("again.trace"), checkpointEvery: 0, resume: true, onStep });
      expect(seen[0]).toBe(1);
    }
  });

  test("a new run over an old one leaves none of its checkpoints", async () => {
    copyTrace(path, "whole", "over");
    writeFileSync(path("over.data/step-00000003.safetensors.new"), "half written");
    await run(job, { out: path("over.trace"), checkpointEvery: 0, force: true });
    expect(readdirSync(path("over.data")).sort()).toEqual([
      "dataset.safetensors",
      "step-00000000.safetensors",
      "step-00000010.safetensors",
    ]);
  });
});
