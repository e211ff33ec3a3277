/** Columns of text for terminals. */
import { colors, shownWidth } from "./output.ts";

/**
 * Rows under a heading, one text for each. Columns are as wide as they need to be; all but the first are
 * aligned to the right.
 * @param rows cells, possibly coloured
 */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => shownWidth(row[column] ?? ""))));
  const lines = all.map((row) =>
    row
      .map((cell, column) => {
        const gap = " ".repeat(widths[column] - shownWidth(cell));
        return column === 0 ? cell + gap : gap + cell;
      })
      .join("  ")
      .trimEnd(),
  );
  return [colors.dim(lines[0]), ...lines.slice(1)].map((line) => `  ${line}`);
}

/** Names with their values: one text for each. */
export function formatFields(fields: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, text]) => `  ${colors.dim(name.padEnd(width))}  ${text}`);
}
