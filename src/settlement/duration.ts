/** Lengths of time as people write and read them. */
import { UsageError } from "../errors/index.ts";

const SECONDS: readonly (readonly [string, number])[] = [
  ["w", 604_800],
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/**
 * The seconds of `1d`, `2h`, `1d12h` or `90`.
 * @throws {UsageError} if the text is not a length of time
 */
export function parseDuration(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const [, ...amounts] =
    /^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$/.exec(text) ?? [];
  if (text === "" || amounts.length === 0)
    throw new UsageError(
      "VALUE",
      `${JSON.stringify(text)} is not a length of time; write it like 90s, 2h, 1d or 1d12h`,
      { found: text },
    );
  return amounts.reduce((sum, amount, i) => sum + Number(amount ?? 0) * SECONDS[i][1], 0);
}

/** `1 d 2 h`: the two largest parts. */
export function formatDuration(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of SECONDS.slice(1)) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)} ${unit}`);
    else if (parts.length > 0) break;
    rest %= size;
    if (parts.length === 2 || rest === 0) break;
  }
  return parts.join(" ") || "0 s";
}
