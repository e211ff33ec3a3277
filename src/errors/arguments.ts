/**
 * Arguments from a caller's code, where types may be missing: what they are in words, and checks of names.
 */
import { closest } from "./closest.ts";
import { quote } from "./text.ts";
import type { Evidence, VerdeError } from "./verde-error.ts";

/** Makes the error of the call that is checked. */
export type Refuse = (problem: string, evidence?: Evidence) => VerdeError;

/** Any value in a few words: `undefined`, `the text "abc"`, `a list of 3`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return `the text "${quote(value, 40)}"`;
  if (typeof value === "bigint") return `the bigint ${quote(String(value), 40)}`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const { constructor } = (Object.getPrototypeOf(value) ?? {}) as { constructor?: { name?: unknown } };
  const name = constructor?.name;
  return typeof name === "string" && !["", "Object"].includes(name) ? `a ${quote(name, 40)}` : "an object";
}

/**
 * Checks that an argument is an object of options, and that it has no other names than the known ones. Names
 * that every object inherits, such as `toString`, are not known.
 * @throws what `refuse` makes
 */
export function checkOptions(options: unknown, known: readonly string[], refuse: Refuse): void {
  if (!isPlainObject(options))
    throw refuse(`takes its options as an object, not ${describe(options)}; write { ${known[0]}: … }`);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const like = closest(name, known);
    const remedy = like === undefined ? `choose from ${known.join(", ")}` : `did you mean ${like}?`;
    throw refuse(`there is no option ${quote(name, 40)}; ${remedy}`, { name, known });
  }
}

/** An object as a literal makes it; `{ __proto__: … }` is none. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return (
    prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "toString"))
  );
}
