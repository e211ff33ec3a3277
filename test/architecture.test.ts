/** The structure of src/, as a test: who may import whom, how long files get, and what must not stand in the code. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { DEPENDENCIES } from "../src/web/modules.ts";

/**
 * The folders of src/ in their order, each with its budget of lines. A folder imports from itself and from what stands
 * before it. Raising a budget is a decision, in a commit of its own.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  errors: 1_350,
  encoding: 1_270,
  files: 600,
  repops: 19_600,
  graph: 12_600,
  certify: 1_800,
  job: 5_700,
  formats: 1_400,
  blobs: 1_500,
  trace: 5_200,
  game: 1_200,
  claims: 600,
  referee: 6_400,
  shards: 1_500,
  audit: 900,
  rounds: 6_745,
  settlement: 15_020,
  index: 40,
  services: 7_025,
  web: 1_600,
  cli: 14_430,
};
const ORDER = Object.keys(BUDGETS);
/** The folders inside of a folder, where they too have an order. */
const INNER_ORDER: Readonly<Record<string, readonly string[]>> = {
  repops: ["numbers", "programs", "functions", "kernels", "ranges", "conformance", "schedule", "backends"],
};
/** What imports from these alone, because it has to be usable without the rest. */
const ONLY: Readonly<Record<string, readonly string[]>> = { game: ["errors", "encoding", "game"] };
const MAX_LINES = 250;
/** Tables of instructions, which are longer than a file should be and would not be clearer in two. */
const LONGER: Readonly<Record<string, number>> = {
  "repops/ranges/rules.ts": 320,
  "repops/backends/wasm/loops.ts": 390,
};
/**
 * Results must not depend on a platform's library: these have no place in code that computes. A power of two is exact
 * everywhere, any other power is not.
 */
const PLATFORM =
  /\bMath\.(exp|expm1|log|log2|log10|log1p|pow|a?(sin|cos|tan)h?|atan2|cbrt|hypot|random)\b|(?<!(?<![\w.])2 )\*\*/;
/** A square root is rounded correctly everywhere, but there is an instruction for it; elsewhere it makes constants. */
const SQUARE_ROOTS = [
  "repops/programs/instructions.ts",
  "repops/programs/javascript.ts",
  "repops/ranges/rules.ts",
  "repops/functions/gelu.ts",
  "graph/constants.ts",
  "job/layers/attention.ts",
  "job/layers/convolution.ts",
  "job/layers/linear.ts",
  "job/layers/lora.ts",
  "job/models/gpt.ts",
  "repops/backends/gpujs/probes.ts",
];
/** What src/ may import from beside it. */
const OUTSIDE: Readonly<Record<string, RegExp>> = { "cli/bench.ts": /^\.\.\/bench\// };
type Sources = ReadonlyMap<string, string>;

interface Import {
  from: string;
  to: string;
  line: number;
  /** `import type`: gone before anything runs. */
  typeOnly: boolean;
}

function importsOf(sources: Sources): Import[] {
  const found: Import[] = [];
  for (const [from, text] of sources)
    for (const match of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+|@verde-ml\/verde(?:\/[^"]*)?)"/g)) {
      const before = text.slice(0, match.index);
      const statement = before.slice(Math.max(before.lastIndexOf(";"), 0));
      const typeOnly = /\b(import|export) type\b/.test(statement);
      const to = match[1].startsWith(".") ? normalize(join(dirname(from), match[1])) : match[1];
      found.push({ from, to, line: before.split("\n").length, typeOnly });
    }
  return found;
}

const folderOf = (file: string): string => file.split("/")[0].replace(/\.ts$/, "");
const innerFolderOf = (file: string): string => (file.split("/").length > 2 ? file.split("/")[1] : "");

function wrongDirections(sources: Sources): string[] {
  return importsOf(sources)
    .filter(({ to }) => !leaves(to))
    .flatMap(({ from, to, line }) => {
      const [order, a, b] =
        folderOf(from) === folderOf(to)
          ? [INNER_ORDER[folderOf(from)], innerFolderOf(from), innerFolderOf(to)]
          : [ONLY[folderOf(from)] ?? ORDER, folderOf(from), folderOf(to)];
      // A file beside the inner folders gathers what they hold.
      if (!order || !b || (order !== ORDER && !a)) return [];
      const allowed = order.includes(b) && order.indexOf(b) <= order.indexOf(a);
      return allowed ? [] : [`${from}:${line} imports ${to}: ${a} stands before ${b}`];
    });
}

/** Where the modules begin that browsers run: the page's, and the entries of the package. */
const IN_BROWSERS = /^(web\/page\/|(?!settlement)(\w+\/)?index\.ts$)/;
/** An import by a bare name, which is resolved before anything runs. */
const STATIC_IMPORT = /^(?:import|export)\s(type\s)?(?:[^;"]*\sfrom\s)?\s*"([^."][^"]*)"/gm;

/** What a browser would come upon and does not have: modules of Node, and packages that are not served; with the way there. */
function missingInBrowsers(sources: Sources): string[] {
  const next = Map.groupBy(
    importsOf(sources).filter(({ typeOnly }) => !typeOnly),
    ({ from }) => from,
  );
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, type, name] of (sources.get(file) ?? "").matchAll(STATIC_IMPORT))
      if (!type && !DEPENDENCIES.includes(name)) found.push(`${[...path, file].join(" → ")} imports ${name}`);
    for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
  };
  for (const file of sources.keys()) if (IN_BROWSERS.test(file)) visit(file, []);
  return found;
}

const leaves = (to: string): boolean => to.startsWith("..") || /^@verde-ml\/verde(\/|$)/.test(to);

/** Files beside src/, and src/ by the name that only its users call it, which no rule on directions would see. */
function importsFromOutside(sources: Sources): string[] {
  return importsOf(sources)
    .filter(({ from, to }) => leaves(to) && !OUTSIDE[from]?.test(to))
    .map(({ from, to, line }) => `${from}:${line} imports ${to}, which is not in src/`);
}

function circles(sources: Sources): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of importsOf(sources))
    if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push([...path.slice(path.indexOf(file)), file].join(" → "));
      return;
    }
    state.set(file, "open");
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, "done");
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}

const lines = (text: string): number => text.split("\n").length - 1;

function tooLong(sources: Sources): string[] {
  return [...sources]
    .filter(([file, text]) => lines(text) > (LONGER[file] ?? MAX_LINES))
    .map(([file, text]) => `${file}: ${lines(text)} lines`);
}

function overBudget(sources: Sources): string[] {
  const sums = new Map<string, number>();
  for (const [file, text] of sources) sums.set(folderOf(file), (sums.get(folderOf(file)) ?? 0) + lines(text));
  return [...sums]
    .filter(([folder, sum]) => sum > (BUDGETS[folder] ?? 0))
    .map(([folder, sum]) => `${folder}: ${sum} lines, ${BUDGETS[folder] ?? 0} are its budget`);
}

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " ")).replace(/\/\/.*$/gm, "");

function platformArithmetic(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) =>
    withoutComments(text)
      .split("\n")
      .flatMap((line, i) =>
        PLATFORM.test(line) || (/\bMath\.sqrt\b/.test(line) && !SQUARE_ROOTS.includes(file))
          ? [`${file}:${i + 1}: ${line.trim()}`]
          : [],
      ),
  );
}

/** Exported names that stand nowhere but in their own file; a type may stand there in the signature of something exported. */
function unusedExports(sources: Sources, users: Sources): string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const names = text.matchAll(
      /^export (?:declare )?(?:abstract )?(?:async )?(const|function|class|interface|type) (\w+)/gm,
    );
    for (const [, kind, name] of names) {
      const word = new RegExp(`\\b${name}\\b`);
      const elsewhere = [...sources, ...users].some(([other, code]) => other !== file && word.test(code));
      const isType = kind === "interface" || kind === "type";
      const inSignature = isType && [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length > 1;
      if (!elsewhere && !inSignature) found.push(`${file}: ${name}`);
    }
  }
  return found;
}

function read(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return new Map(files.map((file) => [file.replaceAll("\\", "/"), readFileSync(join(folder, file), "utf8")]));
}

const src = read("src");
const users = new Map(
  ["test", "bench", "examples"].flatMap((folder) => [...read(folder)].map(([f, t]) => [`${folder}/${f}`, t])),
);

describe("src", () => {
  test("imports in one direction", () => expect(wrongDirections(src)).toEqual([]));
  test("imports nothing from outside but its benches", () => expect(importsFromOutside(src)).toEqual([]));
  test("has no circles", () => expect(circles(src)).toEqual([]));
  test("has files of a size to read", () => expect(tooLong(src)).toEqual([]));
  test("has folders that stay within their budgets of lines", () => expect(overBudget(src)).toEqual([]));
  test("never calls the platform's functions", () => expect(platformArithmetic(src)).toEqual([]));
  test("lets browsers come upon nothing that they do not have", () => expect(missingInBrowsers(src)).toEqual([]));
  test("exports nothing in vain", () => expect(unusedExports(src, users)).toEqual([]));
  test("lists no place for square roots in vain", () =>
    expect(SQUARE_ROOTS.filter((file) => !/\bMath\.sqrt\b/.test(withoutComments(src.get(file) ?? "")))).toEqual([]));
  test("every folder has its place in the order", () =>
    expect([...src.keys()].filter((file) => !ORDER.includes(folderOf(file)))).toEqual([]));
});

describe("the checks themselves", () => {
  const planted = (files: Record<string, string>): Sources => new Map(Object.entries(files));

  test("see an import in the wrong direction, of any form", () => {
    for (const text of [
      'import { run } from "../trace/run.ts";',
      'import type { Run } from "../trace/run.ts";',
      'export * from "../trace/run.ts";',
      'const m = await import("../trace/run.ts");',
    ])
      expect(wrongDirections(planted({ "graph/a.ts": `\n${text}` }))).toEqual([
        "graph/a.ts:2 imports trace/run.ts: graph stands before trace",
      ]);
    expect(wrongDirections(planted({ "trace/a.ts": 'import { x } from "../graph/b.ts";' }))).toEqual([]);
    expect(wrongDirections(planted({ "game/a.ts": 'import { x } from "../graph/b.ts";' }))).toHaveLength(1);
    expect(wrongDirections(planted({ "repops/kernels/a.ts": 'import "../backends/b.ts";' }))).toHaveLength(1);
    expect(wrongDirections(planted({ "repops/backends/a.ts": 'import "../kernels/b.ts";' }))).toEqual([]);
    expect(overBudget(planted({ "game/a.ts": "x\n".repeat(9_999) }))).toHaveLength(1);
  });

  test("see an import that leaves src, or comes back by the package's name", () => {
    expect(
      importsFromOutside(planted({ "job/a.ts": 'import "../../bench/b.ts";\nimport "@verde-ml/verde/trace";' })),
    ).toEqual([
      "job/a.ts:1 imports ../bench/b.ts, which is not in src/",
      "job/a.ts:2 imports @verde-ml/verde/trace, which is not in src/",
    ]);
    expect(importsFromOutside(planted({ "cli/bench.ts": 'import "../../bench/b.ts";' }))).toEqual([]);
  });

  test("see what a browser can't import", () =>
    expect(
      missingInBrowsers(
        planted({
          "web/page/a.ts": 'import type { X } from "../server.ts";\nimport { b } from "../../job/b.ts";',
          "job/b.ts":
            'import { readFile } from "node:fs/promises";\nimport { encode } from "cborg";\nexport * from "./c.ts";',
          "job/c.ts": 'import {\n  a,\n  b,\n} from "left-pad";\nimport type { B } from "node:net";\nimport "node:os";',
          "web/server.ts": 'import { createServer } from "node:http";',
        }),
      ),
    ).toEqual([
      "web/page/a.ts → job/b.ts imports node:fs/promises",
      "web/page/a.ts → job/b.ts → job/c.ts imports left-pad",
      "web/page/a.ts → job/b.ts → job/c.ts imports node:os",
    ]));

  test("see a circle", () =>
    expect(circles(planted({ "job/a.ts": 'import "./b.ts";', "job/b.ts": 'import { a } from "./a.ts";' }))).toEqual([
      "job/a.ts → job/b.ts → job/a.ts",
    ]));

  test("see what is too long, called from the platform, or exported in vain", () => {
    expect(tooLong(planted({ "job/a.ts": "x\n".repeat(251) }))).toEqual(["job/a.ts: 251 lines"]);
    expect(platformArithmetic(planted({ "job/a.ts": "// Math.exp(1)\nconst x = Math.tanh(1);" }))).toEqual([
      "job/a.ts:2: const x = Math.tanh(1);",
    ]);
    for (const [code, found] of [
      ["Math.sqrt(2)", true],
      ["x ** 3", true],
      ["(2 * x) ** 3", true],
      ["1.2 ** x", true],
      ["2 ** x", false],
      ["Math.abs(x)", false],
    ] as const)
      expect(platformArithmetic(planted({ "job/a.ts": code }))).toHaveLength(found ? 1 : 0);
    expect(platformArithmetic(planted({ "repops/programs/instructions.ts": "Math.sqrt(2)" }))).toEqual([]);
    expect(unusedExports(planted({ "job/a.ts": "export const lost = 1;" }), new Map())).toEqual(["job/a.ts: lost"]);
  });
});
