/** One thing that `verde doctor` and `verde provider doctor` look at. */
import { colors, columnsOf, writeLine } from "../output.ts";
import { wrap } from "../table.ts";

export interface Check {
  name: string;
  /** `fail`: no run is possible. `warn`: something does not work, or soon will not. */
  result: "ok" | "warn" | "fail";
  /** What was found, for people. */
  found: string;
  /** What to install or to do. */
  remedy: string | null;
}

export const ok = (name: string, found: string): Check => ({ name, result: "ok", found, remedy: null });
export const warn = (name: string, found: string, remedy: string): Check => ({ name, result: "warn", found, remedy });
export const fail = (name: string, found: string, remedy: string): Check => ({ name, result: "fail", found, remedy });

const MARKS = { ok: colors.green("✓"), warn: colors.yellow("!"), fail: colors.red("✗") } as const;

/** For people: what was found, and what to do. */
export function writeCheck({ name, result, found, remedy }: Check): void {
  const lines = wrap(`${name}: ${found}`, (columnsOf(process.stdout) ?? Infinity) - 4);
  writeLine(`${MARKS[result]} ${lines[0]}`, ...lines.slice(1).map((line) => `    ${line}`));
  if (remedy !== null)
    writeLine(...wrap(remedy, (columnsOf(process.stdout) ?? Infinity) - 4).map((line) => colors.dim(`    ${line}`)));
}
