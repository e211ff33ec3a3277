/** Columns of text for terminals. */
import { colors, columnsOf, shownWidth } from "./output.ts";

/**
 * Rows under a heading, one text for each. Columns are as wide as they need to be; all but the first are
 * aligned to the right. On a terminal that is too narrow for that, each cell has a line of its own, after the
 * heading of its column.
 * @param rows cells, possibly coloured
 */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  columns = columnsOf(process.stdout) ?? Infinity,
): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => shownWidth(row[column] ?? ""))));
  if (2 + widths.reduce((sum, width) => sum + width + 2, -2) > columns) return stacked(heading, rows, columns);
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

/** A block for each row: its first cell, and the others as fields. */
function stacked(heading: readonly string[], rows: readonly (readonly string[])[], columns: number): string[] {
  return rows.flatMap(([first, ...cells]) => {
    const named = cells.map((cell, i) => [heading[i + 1], cell] as const).filter(([, cell]) => shownWidth(cell) > 0);
    return [`  ${first}`, ...(named.length > 0 ? formatFields(named, true, columns, 4) : [])];
  });
}

/**
 * Names with their values: one text for each line. A value that is too long for the terminal continues under
 * its beginning, or under its name where the terminal is very narrow.
 * @param dimmed whether the names are dimmed
 */
export function formatFields(
  fields: readonly (readonly [string, string])[],
  dimmed = true,
  columns = columnsOf(process.stdout) ?? Infinity,
  indent = 2,
): string[] {
  const width = Math.max(...fields.map(([name]) => name.length));
  const paint = dimmed ? colors.dim : (text: string): string => text;
  const margin = " ".repeat(indent);
  const room = columns - indent - width - 2;
  return fields.flatMap(([name, text]) => {
    const [first, ...more] = wrap(text, room);
    return [
      `${margin}${paint(name.padEnd(width))}  ${first}`,
      ...more.map((line) => `${margin}${" ".repeat(width + 2)}${line}`),
    ];
  });
}

/** The text in lines of at most this width, broken at spaces. A longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  if (shownWidth(text) <= width) return [text];
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && shownWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
