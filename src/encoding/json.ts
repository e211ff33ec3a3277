/** JSON from files, whose errors distinguish between a cut file and a malformed one, and values for JSON. */
import { FormatError, messageOf } from "../errors/index.ts";

/**
 * @param what names the file, for errors
 * @throws {FormatError} TRUNCATED for a text that ends inside of its value, MALFORMED for any other text that
 * is not JSON
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (isCut(text))
      throw new FormatError("TRUNCATED", `${what} is cut: its JSON ends before it is complete; write it again`, {
        what,
        length: text.length,
      });
    throw new FormatError("MALFORMED", `${what} is not JSON (${messageOf(cause)}); write it again`, { what });
  }
}

/** Whether a text that is not JSON leaves a bracket or a string open. */
function isCut(text: string): boolean {
  let open = 0;
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inText && character === "\\") at++;
    else if (character === '"') inText = !inText;
    else if (inText) continue;
    else if (character === "{" || character === "[") open++;
    else if (character === "}" || character === "]") open--;
  }
  return inText || open > 0 || text.trim() === "";
}

/** The value as JSON holds it: amounts, which are great whole numbers, become texts. */
export function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_name, item: unknown) => (typeof item === "bigint" ? `${item}` : item)));
}
