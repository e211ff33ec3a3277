/**
 * Writes docs/errors.md from the declarations in src/errors/: `node scripts/errors.ts`. A test holds the two
 * equal.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CODES } from "../src/errors/index.ts";

const PAGE = new URL("../docs/errors.md", import.meta.url);
const BEGIN = "<!-- Written by scripts/errors.ts. -->";

/** The tables of all families: code, when it is thrown, what to do. */
export function tables(): string {
  return Object.entries(CODES)
    .map(([family, subCodes]) => {
      const rows = Object.entries(subCodes).map(
        ([name, { when, remedy }]) => `| \`${family}_${name}\` | ${when} | ${remedy} |`,
      );
      return [`## ${family}`, "", "| code | when it is thrown | what to do |", "|---|---|---|", ...rows, ""].join("\n");
    })
    .join("\n");
}

/** The page with its tables replaced by `content`; what people wrote above them stays. */
export function pageWith(page: string, content: string): string {
  return `${page.slice(0, page.indexOf(BEGIN) + BEGIN.length)}\n\n${content}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, "utf8"), tables()));
