/** `--limit`: the most that a folder may hold. */
import { UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";

const SIZES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** The bytes that a text names, such as `500MiB`. @throws {UsageError} when it names none */
export function limitOf(text: string): number {
  const [, number, unit]: (string | undefined)[] = /^(\d{1,9})(KiB|MiB|GiB|TiB)?$/.exec(text) ?? [];
  if (number === undefined)
    throw new UsageError("VALUE", `--limit ${quote(text)} is no size; write 500MiB, 64GiB or 2TiB`, { found: text });
  return Number(number) * (unit === undefined ? 1 : SIZES[unit]);
}
