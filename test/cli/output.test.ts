import { formatFields, formatTable, wrap } from "../../src/cli/table.ts";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Progress } from "../../src/cli/progress.ts";
import {
  columnsOf,
  formatBytes,
  isPainted,
  formatCount,
  formatNumber,
  formatSeconds,
  plotCurve,
  writeJson,
} from "../../src/cli/output.ts";

/** Replaces a property of a stream for one test. */
const replaced: (() => void)[] = [];
function replace(stream: NodeJS.WriteStream, name: "isTTY" | "columns", value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(stream, name);
  Object.defineProperty(stream, name, { value, configurable: true, writable: true });
  replaced.push(() => {
    if (before) Object.defineProperty(stream, name, before);
    else Reflect.deleteProperty(stream, name);
  });
}
afterEach(() => {
  vi.restoreAllMocks();
  for (const restore of replaced.splice(0)) restore();
});

function written(stream: NodeJS.WriteStream): string[] {
  const lines: string[] = [];
  vi.spyOn(stream, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  return lines;
}

describe("numbers for people", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9949, "9.9 kB"],
    [9950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [2.5e15, "2500 TB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, "0 ms"],
    [0.9994, "999 ms"],
    [0.9996, "1.0 s"],
    [99.94, "99.9 s"],
    [99.96, "2 min"],
    [5940, "99 min"],
    [6000, "1.7 h"],
  ])("%d seconds are %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it.each([
    [0, "0"],
    [-0.00012346, "-0.0001235"],
    [0.00001, "1.000e-5"],
    [123_456, "123500"],
    [1e6, "1.000e+6"],
  ])("%d is written %s", (value, text) => expect(formatNumber(value)).toBe(text));

  it("counts in groups of three digits", () => {
    expect(formatCount(1_234_567.4)).toBe("1,234,567");
    expect(formatCount(999)).toBe("999");
  });
});

describe("a curve", () => {
  it("falls from the upper left to the lower right, with its extremes beside it", () => {
    // Dots lie in rows 0, 2, 5 and 7 of 8, and each column is filled from the row of the one before.
    expect(plotCurve([3, 2, 1, 0], { width: 2, height: 2 })).toEqual(["3 ┤⠹⡄", "0 ┤⠀⢳"]);
  });

  it("has the size that was asked for, whatever it holds", () => {
    for (const values of [[1], [2, 2, 2], Array.from({ length: 300_000 }, (_, i) => i)]) {
      const rows = plotCurve(values, { width: 7, height: 3 });
      expect(rows.map((row) => row.split("┤")[1].length)).toEqual([7, 7, 7]);
    }
  });

  it("puts a dot into every column", () => {
    const rows = plotCurve([5, 1, 4, 1, 5], { width: 9, height: 4 });
    const dots = rows.map((row) => [...row.split("┤")[1]].map((cell) => cell.charCodeAt(0) - 0x2800));
    for (let column = 0; column < 9; column++) {
      const inColumn = dots.reduce((all, row) => all | row[column], 0);
      expect([inColumn & 0x47, inColumn & 0xb8].map((half) => half !== 0)).toEqual([true, true]);
    }
  });
});

describe("progress", () => {
  it("rewrites one line of a terminal, no longer than it is wide, and clears it", () => {
    replace(process.stderr, "isTTY", true);
    replace(process.stderr, "columns", 10);
    const lines = written(process.stderr);
    const progress = new Progress();
    progress.show("step 1 of many", true);
    progress.show("too soon after the first");
    progress.clear();
    expect(lines).toEqual(["\r\x1b[2Kstep 1 of", "\r\x1b[2K"]);
  });

  it("is not cut within a character", () => {
    replace(process.stderr, "isTTY", true);
    replace(process.stderr, "columns", 4);
    const lines = written(process.stderr);
    new Progress().show("😀😀😀😀😀", true);
    expect(lines).toEqual(["\r\x1b[2K😀😀😀"]);
  });
});

describe("colours", () => {
  it.each([
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ NO_COLOR: "", FORCE_COLOR: "3" }, false, true],
    [{ CI: "1" }, false, false],
  ])("with %j on a terminal (%j) are %j", (env, isTerminal, expected) =>
    expect(isPainted(env, isTerminal)).toBe(expected),
  );
});

describe("on a narrow terminal", () => {
  const WORDS = "0xabcdef, two of three members, and more words than fit";

  it("fields continue under their beginning, and no word is cut", () => {
    expect(formatFields([["a", WORDS], ["long", "x"]], false, 30)).toEqual([
      "  a     0xabcdef, two of three",
      "        members, and more",
      "        words than fit",
      "  long  x",
    ]); // prettier-ignore
    expect(formatFields([["a", WORDS]], false, Infinity)).toEqual([`  a  ${WORDS}`]);
    expect(wrap("0123456789", 4)).toEqual(["0123456789"]);
  });

  it("a table becomes a block for each row", () => {
    const rows = [["post", "12,345", "a"], ["accept", "1", ""]]; // prettier-ignore
    const wide = formatTable(["call", "gas", "by"], rows, 40);
    expect(wide).toEqual(["  call       gas  by", "  post    12,345   a", "  accept       1"]);
    expect(formatTable(["call", "gas", "by"], rows, 15)).toEqual([
      "  post",
      "    gas  12,345",
      "    by   a",
      "  accept",
      "    gas  1",
    ]);
  });

  it("is as wide as COLUMNS says, or as the terminal is; a file has no width", () => {
    vi.stubEnv("COLUMNS", "40");
    expect(columnsOf(process.stdout)).toBe(40);
    vi.stubEnv("COLUMNS", "wide");
    replace(process.stdout, "isTTY", true);
    replace(process.stdout, "columns", 72);
    expect(columnsOf(process.stdout)).toBe(72);
    replace(process.stdout, "isTTY", undefined);
    expect(columnsOf(process.stdout)).toBeUndefined();
    vi.unstubAllEnvs();
  });
});

it("objects for programs take one line each", () => {
  const lines = written(process.stdout);
  writeJson({ text: "two\nlines" });
  expect(lines).toEqual(['{"text":"two\\nlines"}\n']);
});
