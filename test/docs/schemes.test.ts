/** The table of all schemes in docs/schemes.md is made of what bench/schemes.ts has measured. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pageWith, type Row } from "../../bench/schemes/row.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const rows = JSON.parse(read("bench/results/schemes.json")) as Record<string, Row>;

test("the page has the table of the results", () => {
  const page = read("docs/schemes.md");
  expect(pageWith(page, rows)).toBe(page);
});

test("every example of rounds has a row", () => {
  const files = readdirSync(new URL("../../examples/rounds", import.meta.url));
  const plans = files.filter((file) => /\bdefineRounds\(/.test(read(`examples/rounds/${file}`)));
  expect(Object.keys(rows).sort()).toEqual(plans.map((file) => file.replace(/\.ts$/, "")).sort());
});
