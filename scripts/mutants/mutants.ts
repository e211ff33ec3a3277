/** The mutants of a contract: small changes of its lines. */

export interface Mutant {
  /** From the root of the checkout. */
  file: string;
  line: number;
  /** The line without its margins. */
  before: string;
  after: string;
}

/** A mutant, and where it changes the file. */
export interface Edit {
  mutant: Mutant;
  /** What is replaced, as offsets in the file. For a statement that is removed: all of it. */
  start: number;
  end: number;
  replacement: string;
}

/** Pattern and replacement; every match on a line of code makes a mutant of its own. */
const OPERATORS: readonly [RegExp, string][] = [
  [/ == /g, " != "],
  [/ != /g, " == "],
  [/ <= /g, " < "],
  [/ >= /g, " > "],
  [/ < /g, " <= "],
  [/ > /g, " >= "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ \* /g, " + "],
  [/ \+= /g, " -= "],
  [/ -= /g, " += "],
  [/ & /g, " | "],
  [/ \| /g, " & "],
  [/ & ~/g, " & "],
  [/ \^ /g, " & "],
  [/\+\+;/g, "--;"],
  [/\bif \(!/g, "if ("],
  [/\bcontinue;/g, ""],
  [/\breturn (_\w+\(.*\));/g, "$1;"],
  [/ onlyManager\b/g, ""],
  [/ nonReentrant\b/g, ""],
  // In assembly.
  [/(?<!function |\.)\badd\(/g, "sub("],
  [/(?<!function |\.)\bsub\(/g, "add("],
  [/\blt\(/g, "gt("],
  [/\bs?gt\(/g, "lt("],
  [/\bshl\(/g, "shr("],
  [/\bshr\(/g, "shl("],
  [/\band\(/g, "or("],
  [/\bx?or\(/g, "and("],
  [/(0x[0-9a-f]*)0\b/g, "$11"],
  [/(0x[0-9a-f]*)f\b/g, "$1e"],
];
/**
 * Statements whose removal a test has to notice: `require`, plain calls and assignments. Tests in TypeScript
 * check events.
 */
const STATEMENT = /^ *(require\(.*\);|_\w+\(.*\);|vault\.\w+\(.*\);|\S.* (\+|-|\|)?= .*;|delete .*;|\S+(\+\+|--);)$/;
const DECLARATION =
  /^\s*((uint|bool|bytes|address|mapping|[\w.]+(\[\])? (memory|storage|calldata)) ?\w* ?.*=|\(.*\w \w+[,)].* = |[A-Z]\w* \w+ =)/;

/** @returns where one of `ends` follows, outside the brackets that open after `from`; -1 if nowhere */
function balanced(line: string, from: number, ends: RegExp): number {
  let depth = 0;
  for (let i = from; i < line.length; i++) {
    if (depth === 0 && ends.test(line.slice(i))) return i;
    if ("([{".includes(line[i])) depth++;
    if (")]}".includes(line[i])) depth--;
  }
  return -1;
}

/** The two results of each condition, swapped. */
function swaps(line: string): { start: number; end: number; replacement: string }[] {
  return [...line.matchAll(/ \? /g)].flatMap(({ index }) => {
    const start = index + 3;
    const colon = balanced(line, start, /^ : /);
    const end = colon < 0 ? -1 : balanced(line, colon + 3, /^[;,)\]]/);
    if (end < 0) return [];
    return [{ start, end, replacement: `${line.slice(colon + 3, end)} : ${line.slice(start, colon)}` }];
  });
}

/** What a removal takes from a line that is a statement: after a condition, only what follows it. */
function removal(line: string): { start: number; end: number; replacement: string } {
  const margin = line.length - line.trimStart().length;
  const isElse = line.startsWith("else ", margin);
  let start = isElse ? margin + 5 : margin;
  let isAfter = isElse;
  while (/^(if|for) \(/.test(line.slice(start))) {
    start = balanced(line, line.indexOf("(", start) + 1, /^\)/) + 2;
    isAfter = true;
  }
  return { start, end: line.length, replacement: isAfter ? "{}" : "" };
}

/** @param text the file, in which each character is a byte (latin1), as the compiler counts */
export function mutantsOf(file: string, text: string): Edit[] {
  const found: Edit[] = [];
  let inBody = false;
  let begin = 0;
  for (const [i, line] of text.split("\n").entries()) {
    const from = begin;
    begin += line.length + 1;
    if (/^(library|contract|abstract contract)/.test(line)) inBody = true;
    if (!inBody || /^\s*(\/\/|\*|\/\*|error |event |using |modifier )/.test(line) || /\bconstant\b/.test(line))
      continue;
    const add = (start: number, end: number, replacement: string): void => {
      const after = line.slice(0, start) + replacement + line.slice(end);
      if (after === line) return;
      const mutant = { file, line: i + 1, before: line.trim(), after: after.trim() };
      found.push({ mutant, start: from + start, end: from + end, replacement });
    };
    for (const [pattern, replacement] of OPERATORS)
      for (const match of line.matchAll(pattern)) {
        // No test can see what a revert for lack of gas returns.
        if (line.lastIndexOf("revert(", match.index) >= 0) continue;
        const changed = match[0].replace(new RegExp(pattern.source), replacement);
        add(match.index, match.index + match[0].length, changed);
      }
    for (const { start, end, replacement } of swaps(line)) add(start, end, replacement);
    if (!STATEMENT.test(line) || DECLARATION.test(line)) continue;
    const { start, end, replacement } = removal(line);
    add(start, end, replacement);
  }
  return found;
}

export const sameMutant = (a: Mutant, b: Mutant): boolean =>
  a.file === b.file && a.before === b.before && a.after === b.after;

/** @returns the file with one change */
export const changed = (text: string, { start, end, replacement }: Edit): string =>
  text.slice(0, start) + replacement + text.slice(end);
