/** The figures and plots of docs/benchmarks.md are what scripts/benchmarks.ts makes of the committed results. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { GOALS, outcomeOf } from "../../scripts/goals.ts";
import { made, pageFrom, readResults } from "../../scripts/benchmarks.ts";

const file = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const results = readResults();
const files = made(results);

/** One comparison for each measure, by the names that bench/peers gives them. */
const ABOUT: readonly (readonly [name: string, peerName: string])[] = [
  ["product 256x256x256", "OpenBLAS (numpy 1.0)"],
  ["product 256x256x256", "onnxruntime-node 1.0"],
  ["product 256x256x256", "tfjs-wasm 1.0"],
  ["GPT step 4x256, 1,024 tokens, traced with roots at every step", "PyTorch 1.0"],
  ["GPT step 12x768, 256 tokens, traced with roots at every step", "PyTorch 1.0"],
  ["GPT step 12x768, 256 tokens, traced, peak memory", "PyTorch 1.0"],
  ["GPT step 4x256, 1,024 tokens, native, two threads over one thread", "one thread"],
  ["GPT step 4x256, 1,024 tokens, traced with the cadence auto over not traced", "not traced"],
  ["softmax [8192, 128]", "PyTorch 1.0"],
  ["AdamW [16777216], against the bandwidth of a copy", "Verde"],
  ["product 1024x1024x1024, wasm, two threads over one thread", "one thread"],
  ["first start for the demo's job, compiler included", "WASM"],
  ["later start for the demo's job", "WASM"],
];

describe("the measures", () => {
  const comparison = ([name, peerName]: readonly [string, string], value: number) =>
    ({ name, peerName, ours: value, peer: 1, unit: "GiB", ratio: value, threads: 1, spread: [value, value] }) as const;

  test("are each about a comparison of their own", () => {
    for (const [i, goal] of GOALS.entries())
      expect(ABOUT.map((one) => goal.about(comparison(one, 1))).indexOf(true), goal.measure).toBe(i);
    expect(ABOUT).toHaveLength(GOALS.length);
  });

  test("say what was found, and whether it is enough", () => {
    for (const [i, goal] of GOALS.entries()) {
      const bound = goal.least ?? goal.most!;
      const of = (...values: number[]) =>
        outcomeOf(
          goal,
          values.map((value) => comparison(ABOUT[i], value)),
        );
      const [better, worse] = goal.most === undefined ? [bound + 0.01, bound - 0.01] : [bound - 0.01, bound + 0.01];
      expect(of(better)[1], goal.measure).toBe("yes");
      expect(of(worse)[1], goal.measure).toBe("no");
      expect(of(worse, better, better)[1], goal.measure).toBe("2 of 3");
      expect(of()[1]).toBe("not measured");
    }
  });
});

describe("docs/benchmarks.md", () => {
  test.each([...files.keys()])("%s is made from the results", (path) =>
    expect(readFileSync(file(path), "utf8")).toBe(files.get(path)),
  );

  test("has no plot that is not made, and shows all that are", () => {
    const plots = [...files.keys()].filter((path) => path.endsWith(".svg")).map((path) => path.replace("docs/", ""));
    expect(
      readdirSync(file("docs/benchmarks"))
        .map((name) => `benchmarks/${name}`)
        .sort(),
    ).toEqual([...plots].sort());
    const page = readFileSync(file("docs/benchmarks.md"), "utf8");
    const shown = [...page.matchAll(/\]\((benchmarks\/[\w-]+\.svg)\)/g)].map(([, path]) => path);
    expect(shown.sort()).toEqual([...plots].sort());
  });

  test("follows a changed figure, and refuses a section that nothing makes", () => {
    const page = "<!-- made: products -->\n\nold\n\n<!-- end -->\n";
    const one = { name: "product 2x2x2", ours: 4, peer: 2, peerName: "P 1", unit: "GFLOP/s", ratio: 2, threads: 1 };
    const other = { ...results, peers: { ...results.peers, comparisons: [{ ...one, spread: [1.5, 2.5] as const }] } };
    expect(pageFrom(page, other)).toContain(
      "| product 2x2x2 | 4 GFLOP/s | P 1: 2 GFLOP/s | 2.00× | 1.50 to 2.50 | 1 |",
    );
    expect(() => pageFrom("<!-- made: nothing -->\n<!-- end -->", results)).toThrow("nothing");
  });
});
