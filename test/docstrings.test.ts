/**
 * Every export of a public entry has a docstring. Declarations are found by reading the sources: no type
 * checker is asked.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

type Read = (file: string) => string;

const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;
const REEXPORT = /^export (?:type )?(?:\{([^}]*)\}|\*) from "([^"]+)";/gm;

/** Whether a docstring stands directly before a place in a text. */
function documented(text: string, at: number): boolean {
  const before = text.slice(0, at).trimEnd();
  return before.endsWith("*/") && before.slice(before.lastIndexOf("/*")).startsWith("/**");
}

/** The exports of a module, each with the place of its declaration and whether a docstring stands there. */
function exportsOf(file: string, read: Read): Map<string, { file: string; documented: boolean }> {
  const text = read(file);
  const found = new Map<string, { file: string; documented: boolean }>();
  // Of several signatures the first carries the docstring.
  for (const { 1: name, index } of text.matchAll(DECLARATION))
    if (!found.has(name)) found.set(name, { file, documented: documented(text, index) });
  for (const [, names, from] of text.matchAll(REEXPORT)) {
    const there = exportsOf(normalize(join(dirname(file), from)), read);
    if (names === undefined) {
      for (const [name, declaration] of there) if (!found.has(name)) found.set(name, declaration);
      continue;
    }
    for (const entry of names.split(",").map((part) => part.trim().replace(/^type /, ""))) {
      if (entry === "") continue;
      const [name, alias = name] = entry.split(" as ");
      const declaration = there.get(name);
      if (!declaration) throw new Error(`${file} exports ${name} from ${from}, where no declaration of it was found`);
      found.set(alias, declaration);
    }
  }
  return found;
}

const undocumented = (entry: string, read: Read): string[] =>
  [...exportsOf(entry, read)].filter(([, { documented: has }]) => !has).map(([name]) => name);

const entries = globSync("src/*/index.ts").map((file) => file.replaceAll("\\", "/"));

describe("every export has a docstring:", () => {
  for (const entry of entries) {
    const folder = entry.split("/")[1];
    test(folder, () => {
      const names = undocumented(entry, (file) => readFileSync(file, "utf8"));
      expect(names.sort()).toEqual([]);
    });
  }

  test("no folder is left out, and none is listed that is not there", () => {
    expect(entries.length).toBeGreaterThanOrEqual(8);
  });
});

test("the check sees what has none, through any kind of export", () => {
  const files: Readonly<Record<string, string>> = {
    "a/index.ts":
      'export { b, type C as D } from "./b.ts";\nexport * from "./e.ts";\n/** Told. */\nexport const told = 1;\n',
    "a/b.ts": "/* No docstring. */\nexport function b() {}\n/** Told. */\nexport interface C {}\n",
    "a/e.ts": "/** Told. */\nconst inner = 1;\nexport const e = inner;\n",
  };
  expect(undocumented("a/index.ts", (file) => files[file])).toEqual(["b", "e"]);
  const lost = { "a/x.ts": 'export { lost } from "./y.ts";', "a/y.ts": "" } as Readonly<Record<string, string>>;
  expect(() => undocumented("a/x.ts", (file) => lost[file])).toThrow("no declaration of it was found");
});
