/**
 * The one rule for names (spec 5.5): jobs, units, entries of a state, tensors of a dataset, metrics, inputs,
 * outputs and labels. A name goes into hashes, files and messages. So it has one encoding, it is seen as it
 * is, and it is bounded.
 */
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";

/** The most bytes of a name in UTF-8. Many names are paths of layers. */
export const MAX_NAME_BYTES = 1_024;

/**
 * Code points that no name has: controls, halves of characters, marks that are not seen or change the order
 * of letters, separators of lines, and code points that are never characters. Unicode promises that the three
 * classes never change; the marks are listed, because their class grows. The two joiners U+200C and U+200D
 * are allowed: some languages are not written without them.
 */
const FORBIDDEN =
  /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e0fff}]/u;
/**
 * The header of a safetensors file has this key for notes, so a checkpoint can't hold a tensor of this name.
 */
const RESERVED = "__metadata__";

/**
 * Checks a name that comes from a file. Whether it is in normal form is not checked: that depends on a
 * version of Unicode, and two readers of one file have to agree.
 * @param what says whose name it is, for the error: `the name of an input`
 * @throws {FormatError} NAME for anything but a text that the rule allows
 */
export function checkName(name: unknown, what: string): asserts name is string {
  const problem = problemOf(name);
  if (problem) throw refused(name, what, problem);
}

/**
 * Checks a name where it is made. Beside the rule for files, it has to be in Unicode's normal form C, so that
 * two names that look the same are the same.
 * @throws {FormatError} NAME for anything but a text that the rule allows
 */
export function checkNewName(name: unknown, what: string): asserts name is string {
  checkName(name, what);
  if (name.normalize("NFC") !== name)
    throw refused(name, what, 'it is not in Unicode\'s normal form C; write name.normalize("NFC")');
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== "string") return `it is ${name === null ? "null" : `of type ${typeof name}`}; give a text`;
  if (name === "") return "it is empty; give at least one character";
  if (name === RESERVED) return "files of checkpoints use this name for their notes; choose another";
  // No character takes less than one byte, so a long text is refused before it is counted.
  const bytes = name.length > MAX_NAME_BYTES ? name.length : utf8Length(name);
  if (bytes > MAX_NAME_BYTES) return `it takes ${bytes} bytes or more, and ${MAX_NAME_BYTES} are allowed; shorten it`;
  const found = FORBIDDEN.exec(name);
  if (!found) return undefined;
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return `it has the code point U+${code} at position ${found.index}, which no name may have; remove it`;
}

/** The number of bytes in UTF-8. Half of a character counts as three. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

function refused(name: unknown, what: string, problem: string): FormatError {
  return new FormatError("NAME", `${what} can't be ${quote(name)}: ${problem}`, { what, found: quote(name) });
}
