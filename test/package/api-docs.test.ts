import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHECKOUT, ENTRIES, type Ended, execute } from "./project.ts";

/** Exports and methods without a docstring. The number may fall; an export that is added has one. */
const UNDOCUMENTED = 57;

const out = mkdtempSync(join(tmpdir(), "verde-api-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("the pages of the API", () => {
  let ended: Ended;
  let warnings: string[];
  beforeAll(async () => {
    ended = await execute(CHECKOUT, "npm", ["run", "--silent", "docs:api", "--", "--out", out]);
    warnings = `${ended.stdout}${ended.stderr}`.split("\n").filter((line) => line.includes("[warning]"));
  });
  const isMissing = (line: string): boolean => line.includes("does not have any documentation");
  /** The data for an operator's tests, which src/graph/operator.ts describes. */
  const isCheck = (line: string): boolean => /\.check\.__type\b/.test(line);

  test("are made of every entry", () => {
    expect(ended.code, ended.stderr).toBe(0);
    const index = readFileSync(join(out, "README.md"), "utf8");
    for (const entry of ENTRIES.slice(1)) expect(index).toContain(`src/${entry.split("/").at(-1)!}`);
  });

  test("have no link that leads nowhere, and no parameter that does not exist", () =>
    expect(warnings.filter((line) => !isMissing(line) && !/Found \d+ errors/.test(line))).toEqual([]));

  test("describe all that the main entry exports, and miss no more elsewhere than before", () => {
    const missing = warnings.filter((line) => isMissing(line) && !isCheck(line));
    expect(missing.filter((line) => / src\./.test(line))).toEqual([]);
    expect(missing.length, missing.join("\n")).toBeLessThanOrEqual(UNDOCUMENTED);
  });
});
