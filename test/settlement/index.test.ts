/** What a package exports says what it is: every name of these entries has a docstring where it is declared. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as game from "../../src/game/index.ts";
import * as settlement from "../../src/settlement/index.ts";

const ENTRIES = { game, settlement } as const;

/** The names that an entry lists, with the files that they come from; types too. */
function listed(entry: string): [name: string, file: string][] {
  const text = readFileSync(entry, "utf8");
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/g)].flatMap(([, names, file]) =>
    names
      .split(",")
      .map((name) => name.replace("type ", "").trim())
      .filter((name) => name !== "")
      .map((name): [string, string] => [name, join(dirname(entry), file)]),
  );
}

describe.each(Object.entries(ENTRIES))("the entry of %s", (name, entry) => {
  const names = listed(fileURLToPath(new URL(`../../src/${name}/index.ts`, import.meta.url)));

  test("lists what it exports", () => {
    const values = names.map(([value]) => value);
    expect(values.length).toBeGreaterThan(20);
    expect(Object.keys(entry).filter((value) => !values.includes(value))).toEqual([]);
  });

  test("has a docstring for each of them", () => {
    const bare = names.filter(([value, file]) => {
      const text = readFileSync(file, "utf8");
      const declared = new RegExp(
        `\\*/\\nexport (?:abstract |async )*(?:const|function|class|interface|type) ${value}\\b`,
      );
      return !declared.test(text);
    });
    expect(bare.map(([value]) => value)).toEqual([]);
  });

  test("is an entry of the package", async () => {
    const path: string = `@verde-ml/verde/${name}`;
    expect(Object.keys((await import(path)) as object).sort()).toEqual(Object.keys(entry).sort());
  });
});
