/** The page of operators is made from their declarations. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as ops from "../../src/graph/ops/index.ts";
import { PAGE, pageWith, table } from "../../scripts/operators.ts";

test("docs/operators.md is what scripts/operators.ts writes", () => {
  const page = readFileSync(PAGE, "utf8");
  expect(page === pageWith(page, table()), "run node scripts/operators.ts").toBe(true);
});

test("every operator has a definition there", () => {
  const rows = table()
    .split("\n")
    .slice(2, -1)
    .map((line) => line.split(/(?<!\\) \| /));
  expect(rows.map(([name]) => name.replace(/^\| `|`$/g, "")).sort()).toEqual(Object.keys(ops).sort());
  for (const [name, definition] of rows) expect(definition.length, name).toBeGreaterThan(10);
});
