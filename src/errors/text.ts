/**
 * Text from outside as people may see it. Names, labels and reasons in files are somebody else's: they can
 * hold codes that move a terminal's cursor, marks that reverse the order of letters, or a million characters.
 */

/** Controls (line breaks too), marks without a shape, halves of characters, separators of lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** The most characters of one value from outside within a message. */
const MAX_VALUE = 200;
/** The most characters of a message. */
const MAX_MESSAGE = 2_000;

/** The text with everything escaped that is not seen, as in JSON: `\u001b`. Escaped text stays the same. */
export function escapeText(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT[character] ?? codesOf(character));
}

/** JSON with the same characters escaped, most of which JSON may hold as they are. It is the same value. */
export function escapeJson(json: string): string {
  return json.replace(UNSEEN, codesOf);
}

function codesOf(character: string): string {
  return Array.from({ length: character.length }, (_, i) => {
    const code = character.charCodeAt(i).toString(16);
    return `\\u${code.padStart(4, "0")}`;
  }).join("");
}

/**
 * A value from outside, to be named in a message: escaped, and cut after 200 characters. It never throws,
 * whatever the value is.
 */
export function quote(value: unknown, most = MAX_VALUE): string {
  const text = textOf(value);
  const shown = escapeText(text.slice(0, most));
  return text.length > most || shown.length > most ? `${shown.slice(0, most)}… (${text.length} characters)` : shown;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? "an object";
  } catch {
    // It holds itself, or a bigint.
    return "an object";
  }
}

/**
 * A message as it may be shown: escaped, and with its middle left out if it is too long. The first words say
 * what is wrong, and the last ones what to do.
 */
export function boundedMessage(message: string): string {
  if (message.length <= MAX_MESSAGE) return escapeText(message);
  const end = MAX_MESSAGE / 4;
  const left = message.length - MAX_MESSAGE;
  const [first, last] = [message.slice(0, MAX_MESSAGE - end), message.slice(-end)];
  return `${escapeText(first)} … (${left} characters are left out) … ${escapeText(last)}`;
}
