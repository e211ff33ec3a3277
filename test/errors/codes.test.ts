/** Codes: each is unique, is thrown somewhere, and stands in docs/errors.md. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pageWith, tables } from "../../scripts/errors.ts";
import { CODES, FormatError, VerdeError } from "../../src/errors/index.ts";

const declared = Object.entries(CODES).flatMap(([family, subs]) => Object.keys(subs).map((sub) => `${family}_${sub}`));

const CLASS =
  /new (Usage|Format|File|Job|Run|Program|Shape|Graph|Value|Backend|Device|Dispute|SecondOpinion|Key|Chain|Transport|Rounds)Error\(([^,]*),/g;
/** Functions that build a failure for other files, with the sub-code as their first argument. */
const BUILDERS: readonly (readonly [RegExp, string])[] = [
  [/\binvalid\(\s*"([A-Z_]+)"/g, "VERDE_DISPUTE"],
  [/\bshapeError\(\s*"([A-Z_]+)"/g, "VERDE_SHAPE"],
  [/\b\w+\.error\(\s*"([A-Z_]+)"/g, "VERDE_FORMAT"],
];

/** The codes that a file throws: literals at the class itself, or at calls of a function that passes them on to it. */
function thrownIn(text: string): string[] {
  const found: string[] = [];
  const passing = new Set<string>();
  for (const [, name, argument] of text.matchAll(CLASS)) {
    const family = `VERDE_${name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase()}`;
    const literals = [...argument.matchAll(/"([A-Z_]+)"/g)].map(([, sub]) => `${family}_${sub}`);
    found.push(...literals);
    if (argument.trim() === "subCode") passing.add(family);
  }
  for (const family of passing)
    for (const [, argument] of text.matchAll(
      /(?<!Error|\.error)\(\s*((?:[^()",]*\?\s*)?"[A-Z_]+"(?:\s*:\s*"[A-Z_]+")?),/g,
    ))
      for (const [, sub] of argument.matchAll(/"([A-Z_]+)"/g)) found.push(`${family}_${sub}`);
  for (const [call, family] of BUILDERS) for (const [, sub] of text.matchAll(call)) found.push(`${family}_${sub}`);
  return found;
}

describe("codes", () => {
  test("have one form, and are unique", () => {
    expect(declared.filter((code) => !/^VERDE_[A-Z]+(_[A-Z]+)+$/.test(code))).toEqual([]);
    expect(new Set(declared).size).toBe(declared.length);
    for (const family of Object.keys(CODES)) expect(family).toMatch(/^VERDE_[A-Z]+(_[A-Z]+)?$/);
  });

  test("are thrown, each of them", () => {
    const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const thrown = new Set(files.flatMap((file) => thrownIn(readFileSync(`src/${file}`, "utf8"))));
    expect(declared.filter((code) => !thrown.has(code))).toEqual([]);
    expect([...thrown].filter((code) => !declared.includes(code))).toEqual([]);
  });

  test("are found at the class, in a condition, and through a function", () => {
    expect(thrownIn('throw new FormatError("TRUNCATED", "cut");')).toEqual(["VERDE_FORMAT_TRUNCATED"]);
    expect(thrownIn('new ValueError(bad ? "NAN" : "RANGE", text)')).toEqual(["VERDE_VALUE_NAN", "VERDE_VALUE_RANGE"]);
    expect(thrownIn('throw new JobError(subCode, text);\nfail("DATA", `no`);')).toEqual(["VERDE_JOB_DATA"]);
    expect(thrownIn('throw new JobError(subCode, text);\nthrow new KeyError("MISSING", text);')).toEqual([
      "VERDE_KEY_MISSING",
    ]);
    expect(thrownIn('throw new JobError(subCode, text);\nthrow reader.error("KIND", text);')).toEqual([
      "VERDE_FORMAT_KIND",
    ]);
    expect(thrownIn('const TRUNCATED = "TRUNCATED";\nwrite("MALFORMED", text);')).toEqual([]);
  });

  test("stand in docs/errors.md, as they are declared", () => {
    const page = readFileSync("docs/errors.md", "utf8");
    expect(page).toBe(pageWith(page, tables()));
    for (const code of declared) expect(page).toContain(`\`${code}\``);
  });

  test("say in whole sentences when and what to do", () => {
    for (const subs of Object.values(CODES))
      for (const { when, remedy } of Object.values(subs)) {
        expect(when).toMatch(/^[A-Z][^|]*\.$/);
        expect(remedy).toMatch(/^[A-Z][^|]*\.$/);
      }
  });
});

describe("a failure", () => {
  test("has its code, its family and its evidence", () => {
    const error = new FormatError("TRUNCATED", "a.trace is cut", { expected: 8, found: 3 });
    expect(error).toBeInstanceOf(VerdeError);
    expect({ ...error }).toMatchObject({
      name: "FormatError",
      family: "VERDE_FORMAT",
      code: "VERDE_FORMAT_TRUNCATED",
      evidence: { expected: 8, found: 3 },
    });
    expect(new FormatError("KIND", "no").evidence).toEqual({});
  });

  test("can't have a sub-code that is not declared", () => {
    // @ts-expect-error: the compiler is the test; what runs shows that nothing else is in the way.
    expect(new FormatError("TRUNCATD", "a typing error").code).toBe("VERDE_FORMAT_TRUNCATD");
  });
});
