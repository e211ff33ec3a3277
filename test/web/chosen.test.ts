/** What the page makes of files that somebody chooses, and the sentences in which it tells what came out. */
import { describe, expect, test } from "vitest";
import { gather } from "../../src/web/page/chosen.ts";
import type { Facts, Outcome } from "../../src/web/page/protocol.ts";
import { cancelledSentence, sentenceOf } from "../../src/web/page/sentence.ts";

const file = (path: string): { path: string; blob: Blob } => ({ path, blob: new Blob([path]) });
const names = ({ data }: { data: readonly { name: string }[] }): string[] => data.map(({ name }) => name);
const [ZERO, TEN] = ["step-00000000.safetensors", "step-00000010.safetensors"];

describe("chosen files", () => {
  test("are a trace with its data folder", () => {
    const chosen = gather([file("out/a.trace"), file(`out/a.data/${ZERO}`), file("out/a.data/dataset.safetensors")]);
    expect(chosen.path).toBe("a.trace");
    expect(names(chosen)).toEqual([ZERO, "dataset.safetensors"]);
  });

  test("may be many, when one of them is a trace", () => {
    const chosen = gather([
      file("out/verdict.json"),
      file(`out/a.data/${ZERO}`),
      file("out/a.trace"),
      file(`out/b.data/${TEN}`),
      file("out/a.data/.DS_Store"),
    ]);
    expect(names(chosen)).toEqual([ZERO]);
  });

  test("may come one after the other, and may have been renamed", async () => {
    const trace = gather([file("a.trace")]);
    const more = gather([file(`renamed/${ZERO}`)], trace);
    expect([more.path, await more.trace.text(), names(more)]).toEqual(["a.trace", "a.trace", [ZERO]]);
    expect(names(gather([file(TEN)], more))).toEqual([ZERO, TEN]);
    expect(names(gather([file(`again/${ZERO}`)], more))).toEqual([ZERO]);
    // Another trace has other data.
    expect(names(gather([file("b.trace")], more))).toEqual([]);
  });

  test("without the ending are a trace when there is but one", () => {
    expect(gather([file("a"), file(ZERO)]).path).toBe("a");
  });

  test("that leave open which is meant are refused", () => {
    expect(() => gather([file("a.trace"), file("b.trace")])).toThrow("2 files could be the trace: a.trace, b.trace");
    expect(() => gather([file("x"), file("y"), file("z"), file("u"), file("v")])).toThrow("x, y, z, u …; choose one");
    expect(() => gather([file(ZERO)])).toThrow("choose the trace first");
    expect(() => gather([])).toThrow("no files");
    expect(() => gather([], gather([file("a.trace")]))).toThrow("no files");
  });
});

const facts = { job: "gpt", steps: 60, commitEvery: 1, runRoot: "0x00" } as Facts;
const outcome: Outcome = { from: 0, to: 60, last: 60, compared: 61, seconds: 1.5, device: "WebAssembly" };
const roots = { claimed: `0x${"a".repeat(64)}`, recomputed: `0x${"b".repeat(64)}` };

describe("the sentence", () => {
  const said = (result: Partial<Outcome>, about = facts): string => {
    const { tone, title, text } = sentenceOf({ ...outcome, ...result }, about);
    return `${tone}: ${title} ${text}`;
  };

  test("tells what was found right, and from where", () => {
    expect(said({})).toBe(
      "good: The whole run matches the trace. This tab re-executed training steps 0 to 60 of gpt in 1.5 s on WebAssembly, from the initial state, and all 61 roots match.",
    );
    expect(said({ start: 12, last: 13, compared: 1 })).toBe(
      "good: The trace is right about training step 13. This tab re-executed training step 13 of gpt in 1.5 s on WebAssembly, from the state that the trace commits to after training step 12, and its root matches.",
    );
    expect(said({}, { ...facts, steps: 61 })).toContain("The trace is right about training steps 0 to 60.");
    expect(said({ start: 11, last: 12, compared: 0 }, { ...facts, commitEvery: 10 })).toMatch(
      /^neutral: There was no root/,
    );
  });

  test("tells what was found wrong, where, and who is", () => {
    const wrong = { step: 37, roots };
    expect(said({ mismatch: wrong })).toBe(
      "bad: The trace is wrong at training step 37. Training step 37 is the first that differs: the trace claims 0xaaaaaaaa…aaaaaaaa for the state after it, but re-execution gives 0xbbbbbbbb…bbbbbbbb (in 1.5 s on WebAssembly).",
    );
    const operator = { step: 36, kernel: 80, label: "mlp/matmul" };
    expect(said({ mismatch: { ...wrong, operator } })).toMatch(
      /first operator that differs is mlp\/matmul \(operator 80\) of training step 36\.$/,
    );
    expect(said({ mismatch: { ...wrong, operatorsAgree: true } })).toMatch(/does not follow from them\.$/);
    const metric = { name: "loss", claimed: 2, recomputed: 2.5 };
    expect(said({ mismatch: { step: 4, metric } })).toContain("the trace reports loss 2, but re-execution gives 2.5 (");
    expect(said({ mismatch: { ...wrong, deviceDiffers: true } })).toContain(
      "This device is wrong at training step 37; the trace is right.",
    );
  });

  test("tells how far a cancelled check had come", () => {
    expect(cancelledSentence(0).text).toBe("Nothing had been compared yet.");
    expect(cancelledSentence(3, { step: 5, agrees: true }).text).toBe(
      "The check had reached training step 5; all 3 roots match.",
    );
    expect(cancelledSentence(0, { step: 5, agrees: true }).text).toBe(
      "The check had reached training step 5; no root was compared.",
    );
    expect(cancelledSentence(3, { step: 5, agrees: false })).toMatchObject({
      tone: "bad",
      title: "Training step 5 does not match.",
    });
  });
});
