/** Which segments an audit draws. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sampledSegments } from "../../src/audit/sample.ts";
import { fromHex } from "../../src/encoding/bytes.ts";

interface Case {
  run: string;
  beacon: string;
  leaves: number;
  count: number;
  segments: number[];
}
const CASES = JSON.parse(readFileSync(new URL("../vectors/audit-samples.json", import.meta.url), "utf8")) as Case[];

describe("the segments of a sampled audit", () => {
  test.each(CASES)("are those of an implementation in Python: $count of $leaves", ({ run, beacon, ...sizes }) => {
    expect(sampledSegments(fromHex(run), fromHex(beacon), sizes.leaves, sizes.count)).toEqual(sizes.segments);
  });

  test("are drawn with equal chances, and others for another run or beacon", () => {
    const run = new Uint8Array(32).fill(1);
    const hits = new Uint32Array(10);
    for (let i = 0; i < 4000; i++) {
      const beacon = new Uint8Array(16);
      new DataView(beacon.buffer).setUint32(0, i);
      for (const segment of sampledSegments(run, beacon, 10, 3)) hits[segment]++;
    }
    // 1200 expected; the standard deviation is 29.
    for (const count of hits) expect(Math.abs(count - 1200)).toBeLessThan(150);
    const beacon = new Uint8Array(16);
    const other = new Uint8Array(32).fill(2);
    expect(sampledSegments(run, beacon, 10_000, 10)).not.toEqual(sampledSegments(other, beacon, 10_000, 10));
  });

  test.each([
    [0, 16, /0 of 5 segments can't be drawn; draw 1 to 5/],
    [6, 16, /6 of 5 segments can't be drawn/],
    [1.5, 16, /can't be drawn/],
    [2, 15, /the beacon has 15 bytes; give 16 to 1024/],
    [2, 1025, /the beacon has 1025 bytes/],
  ])("%s segments with a beacon of %s bytes are refused", (count, bytes, message) => {
    expect(() => sampledSegments(new Uint8Array(32), new Uint8Array(bytes), 5, count)).toThrow(message);
  });

  test("never take memory for more than 2^20", () => {
    expect(() => sampledSegments(new Uint8Array(32), new Uint8Array(16), 2 ** 31, 2 ** 31)).toThrow(/1 to 1048576/);
  });
});
