/** A trace notices that its file has changed, however few of its records it remembers. */
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Marks } from "../../src/trace/marks.ts";
import { openTrace } from "../../src/trace/index.ts";
import { Trace } from "../../src/trace/trace.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { writeLongTrace } from "./long-trace.ts";

const path = temporaryFolder();
const hashOf = (step: number): Uint8Array => createHash("sha256").update(String(step)).digest();

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("marks", () => {
  test("stay as few, and each record has one at or after it", () => {
    for (const most of [2, 4, 16])
      for (let count = 1; count < 150; count++) {
        const marks = new Marks(most);
        for (let step = 0; step < count; step++) marks.push(hashOf(step));
        expect(marks.length).toBe(count);
        let gap = 0;
        for (let step = 0; step < count; step++) {
          const next = marks.next(step);
          expect(next >= step && next < count).toBe(true);
          gap = Math.max(gap, next - step);
          expect(marks.fits(next, hashOf(next)), `${most}, ${count}, ${step}`).toBe(true);
          expect(marks.fits(next, hashOf(next + 1))).toBe(false);
        }
        // Twice as many records as could have one are between two marks, at most.
        expect(gap).toBeLessThanOrEqual(Math.ceil((2 * count) / most));
      }
  });
});

describe("a trace with few marks", () => {
  /** The trace with at most four marks, where an opened one has thousands. */
  async function few(file: string): Promise<Trace> {
    const trace = await openTrace(file);
    const { content } = trace as unknown as { content: ConstructorParameters<typeof Trace>[0] };
    const marks = new Marks(4);
    for (let step = 0; step < trace.recorded; step++) marks.push((await trace.tailOf(step)).hash);
    return new Trace({ ...content, marks });
  }

  test("gives the same records and roots as one with all", async () => {
    writeLongTrace(path("a.trace"), 203, 3);
    const [all, some] = [await openTrace(path("a.trace")), await few(path("a.trace"))];
    for (const [from, to, stride] of [[0, 203, 1], [17, 90, 1], [5, 203, 7], [0, 203, 100], [203, 203, 1]] as const) // prettier-ignore
      expect(await listed(some.records(from, to, stride))).toEqual(await listed(all.records(from, to, stride)));
    for (const step of [0, 1, 3, 99, 202, 203]) {
      expect(await some.rootOf(step)).toEqual(await all.rootOf(step));
      expect(await some.tailOf(step)).toEqual(await all.tailOf(step));
    }
    expect(some.segmentRoots.length).toBe(69);
    expect(await some.segmentRoots.slice(2, 69)).toEqual(await all.segmentRoots.slice(2, 69));
    expect(await some.segmentRoots.slice(68, 69)).toEqual([await some.rootOf(203)]);
    expect(await some.segmentRoots.slice(3, 3)).toEqual([]);
  });

  test("refuses every record that was changed, wherever the next mark is", async () => {
    writeLongTrace(path("b.trace"), 60);
    const trace = await few(path("b.trace"));
    const bytes = readFileSync(path("b.trace"));
    for (let step = 0; step <= 60; step++) {
      const { offset } = await trace.tailOf(step);
      // A byte of its content: of the root, or of its proof.
      writeFileSync(path("b.trace"), bytes.with(offset - 40, bytes[offset - 40] ^ 1));
      for (const read of [() => trace.record(step), () => trace.rootOf(step), () => trace.tailOf(step)])
        await expect(read(), `step ${step}`).rejects.toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
      writeFileSync(path("b.trace"), bytes);
    }
    copyFileSync(path("a.trace"), path("b.trace"));
    await expect(trace.record(3)).rejects.toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
  });
});
