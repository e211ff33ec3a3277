/**
 * What the terminal shows: results on stdout; failures and progress on stderr, the latter only if stderr is
 * a terminal. Nothing else in this folder writes to the two streams. Names from files may hold codes that
 * control a terminal. So everything that is written is escaped here, line breaks too, except our own colours.
 */
import { once } from "node:events";
import picocolors from "picocolors";
import { escapeJson, escapeText } from "../errors/text.ts";
import { formatNumber } from "../web/figures.ts";

export { formatBytes, formatCount, formatNumber, formatSeconds } from "../web/figures.ts";

/** Writes each text as a line of its own. A line break within a text is escaped. */
export function writeLine(first = "", ...more: readonly string[]): void {
  process.stdout.write(terminalText([first, ...more]));
}

/** Writes lines as they are made, no faster than they are taken. */
export async function writeLines(lines: AsyncIterable<string>): Promise<void> {
  const write = async (text: string): Promise<void> => {
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  };
  let text = "";
  for await (const line of lines) {
    text += terminalText([line]);
    if (text.length < 2 ** 16) continue;
    await write(text);
    text = "";
  }
  await write(text);
}

/** Writes each text as a line of its own to stderr. */
export function reportLine(first: string, ...more: readonly string[]): void {
  process.stderr.write(terminalText([first, ...more]));
}

/** One object on each line. */
export function writeJson(value: unknown): void {
  process.stdout.write(`${escapeJson(JSON.stringify(value))}\n`);
}

/** Lines as a terminal gets them, each with its end. */
export function terminalText(lines: readonly string[]): string {
  return lines.map((line) => `${terminalLine(line)}\n`).join("");
}

/** Stands before our own colour codes. Text from outside can't hold it: each process draws another one. */
const OWN = `\u001b${crypto.randomUUID()}`;
const CODE = /^\[\d+m/;

function terminalLine(text: string): string {
  const [before, ...coloured] = text.split(OWN);
  const pieces = coloured.map((piece) => {
    const code = CODE.exec(piece)?.[0] ?? "";
    return `${code === "" ? "" : `\u001b${code}`}${escapeText(piece.slice(code.length))}`;
  });
  return escapeText(before) + pieces.join("");
}

/** The columns that a text takes, without its colours. */
export function shownWidth(text: string): number {
  const [before, ...coloured] = text.split(OWN);
  return escapeText([before, ...coloured.map((piece) => piece.replace(CODE, ""))].join("")).length;
}

/**
 * One object on a line, with lists at its end that may be too long for memory: they are written as they are
 * made.
 */
export async function writeJsonLists(
  facts: object,
  lists: Readonly<Record<string, AsyncIterable<unknown> | Iterable<unknown>>>,
): Promise<void> {
  const write = async (text: string): Promise<void> => {
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  };
  let text = escapeJson(JSON.stringify(facts)).slice(0, -1);
  for (const [name, items] of Object.entries(lists)) {
    text += `${text === "{" ? "" : ","}${JSON.stringify(name)}:[`;
    let count = 0;
    for await (const item of items) {
      text += `${count++ === 0 ? "" : ","}${escapeJson(JSON.stringify(item))}`;
      if (text.length < 2 ** 16) continue;
      await write(text);
      text = "";
    }
    text += "]";
  }
  await write(`${text}}\n`);
}

/**
 * The columns of what shows the stream: COLUMNS, or the terminal's. `undefined` where no line is ever broken,
 * as in a file.
 */
export function columnsOf(stream: NodeJS.WriteStream): number | undefined {
  const { COLUMNS = "" } = process.env;
  if (/^[1-9]\d{0,4}$/.test(COLUMNS)) return Math.max(Number(COLUMNS), 20);
  return stream.isTTY ? stream.columns || 80 : undefined;
}

/**
 * Colours only on a terminal that has them, or if FORCE_COLOR asks for them. NO_COLOR counts for more than
 * both. The library alone would also write them to files and pipes whenever CI is set, and for FORCE_COLOR=0.
 */
export function isPainted({ NO_COLOR, FORCE_COLOR }: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && picocolors.isColorSupported;
}
const painted = isPainted(process.env, process.stdout.isTTY === true);
const paint =
  (on: number, off: number) =>
  (text: string): string =>
    painted ? `${OWN}[${on}m${text}${OWN}[${off}m` : text;

/** Colours for `writeLine`, and for nothing else: what they give is not yet text for a terminal. */
export const colors = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
} as const;

/** The bit of each dot of a braille character: for columns 0 and 1, rows from the top. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

/** As wide as fits beside labels of up to ten characters. */
const curveWidth = (): number => Math.max(10, Math.min(60, (columnsOf(process.stdout) ?? 80) - 13));

/**
 * A curve in braille dots, labelled with its highest and lowest value: one text for each row.
 * @param values at least one, finite
 * @param size in characters, without the labels
 */
export function plotCurve(values: readonly number[], { width = curveWidth(), height = 10 } = {}): string[] {
  // Not Math.min(...values): a long run has more losses than a call may have arguments.
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  const span = high - low || 1;
  const [columns, rows] = [2 * width, 4 * height];
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0));
  let before: number | undefined;
  for (let column = 0; column < columns; column++) {
    const value = values[Math.round((column / (columns - 1)) * (values.length - 1))];
    const row = Math.round(((high - value) / span) * (rows - 1));
    const [from, to] = [Math.min(row, before ?? row), Math.max(row, before ?? row)];
    for (let y = from; y <= to; y++) cells[y >> 2][column >> 1] |= DOTS[column & 1][y & 3];
    before = row;
  }
  const labels = [formatNumber(high), ...new Array<string>(Math.max(height - 2, 0)).fill(""), formatNumber(low)];
  const margin = Math.max(...labels.map((label) => label.length));
  return cells.map(
    (line, i) => `${labels[i].padStart(margin)} ┤${line.map((dots) => String.fromCharCode(0x2800 + dots)).join("")}`,
  );
}

/** A row of a summary: its name, a text, and whether something is wrong. */
export type Row = readonly [name: string, text: string, isWrong: boolean];

export function printRow([name, text, isWrong]: Row): void {
  writeLine((isWrong ? colors.red : colors.dim)(`  ${name.padEnd(14)} ${text}`));
}

/** Says what a service does, with the time: one line, or one object. @param about what else the object has */
export function sayNow(message: string, json = false, about: object = {}): void {
  const time = new Date().toISOString();
  if (json) writeJson({ schemaVersion: 1, time, message, ...about });
  else writeLine(`${colors.dim(time)} ${message}`);
}
