/** The changelog: an entry for each release, the newest first, and none for a version that the package has not reached. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

/** What is wrong with a changelog of a package of this version. */
function problemsIn(text: string, version: string): string[] {
  const entries = text.split(/^## /m).slice(1);
  const problems: string[] = [];
  const numbers: number[] = [];
  for (const entry of entries) {
    const title = entry.split("\n")[0];
    const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+) - \d{4}-\d\d-\d\d$/.exec(title) ?? [];
    if (major !== undefined) numbers.push(Number(major) * 1e6 + Number(minor) * 1e3 + Number(patch));
    else if (title !== "Unreleased" || entry !== entries[0]) problems.push(`${title}: write VERSION - YYYY-MM-DD`);
    const kinds = [...entry.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind);
    for (const kind of kinds) if (!KINDS.includes(kind)) problems.push(`${title}: ${kind} is no kind of change`);
    if (kinds.length === 0 || !/^- /m.test(entry)) problems.push(`${title}: it has no changes`);
  }
  if (numbers.some((number, i) => i > 0 && number >= numbers[i - 1])) problems.push("the newest release comes first");
  const released = entries.some((entry) => entry.startsWith(`${version} - `));
  if (!released && !entries[0]?.startsWith("Unreleased")) problems.push(`there is no entry for ${version}`);
  return problems;
}

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

describe("the changelog", () => {
  test("has an entry for every release", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(problemsIn(read("CHANGELOG.md"), version)).toEqual([]);
  });

  test("is refused where a release is missing, out of order, or empty", () => {
    const entry = (title: string): string => `## ${title}\n\n### Added\n\n- Something.\n`;
    const [first, second] = [entry("0.1.0 - 2026-12-01"), entry("0.2.0 - 2027-01-31")];
    expect(problemsIn(second + first, "0.2.0")).toEqual([]);
    expect(problemsIn(entry("Unreleased") + first, "0.2.0")).toEqual([]);
    expect(problemsIn(first, "0.2.0")).toEqual(["there is no entry for 0.2.0"]);
    expect(problemsIn(first + second, "0.2.0")).toEqual(["the newest release comes first"]);
    expect(problemsIn(entry("0.2.0"), "0.2.0")).toContain("0.2.0: write VERSION - YYYY-MM-DD");
    expect(problemsIn("## Unreleased\n", "0.2.0")).toEqual(["Unreleased: it has no changes"]);
  });
});
