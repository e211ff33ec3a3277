/**
 * The words of the project, as a test: plain English in the pages and in all comments, comments that fit 110
 * columns, tables that render, and links that lead somewhere. What it finds reads `file:line: rule: excerpt`.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const WIDTH = 110;

/** Words to avoid, each with what to write instead. A pattern has to be free of false alarms. */
const WORDS: readonly [pattern: RegExp, instead: string][] = [
  [/\bdearest\b/gi, "most expensive"],
  [/\breckon(s|ed|ing)?\b/gi, "estimate, compute"],
  [/\bin vain\b/gi, "without effect"],
  [/\b(go|goes|going|went) on (with|without|against|from|until|after|working|as)\b/gi, "continue"],
  [/\b(goes|went) on(?=[.,;:)]|$)/gi, "continue"],
  [/\b(come|comes|coming|came) out\b/gi, "is, gives"],
  [/\b(they|sides|both|two|claims|traces|runs|trees|devices|backends) part\b(?! of)/gi, "differ"],
  [/\bparts? at (step|the first|the last|the same|an? |leaf|level|which|operator)/g, "differ"],
  [/\b(sides|claims|traces|runs|they|have|has) parted\b/g, "differed"],
  // A server behind a command, a person behind several accounts, or what is left behind, is no "after".
  [/(?<!\b(server|worker|job|file on the disk|person|left|leaves?) )\bbehind\b/gi, "after"],
  [/\b(brings?|brought|bringing) (a|the|its|their|both|no) (\w+ )?(bonds?|stakes?)\b/gi, "post"],
  [/\bWhoever\b/g, "a party that, anyone who"],
  [/\b(and|or) the like\b/gi, "and similar ones"],
  [/\bsuch as are\b/gi, "that are"],
  [/\branging\b(?! from)/gi, "clamp range"],
];

/** Uses that are right as they stand: the end of a file's path, an excerpt, and the reason. */
const ALLOWED: readonly [file: string, excerpt: string, reason: string][] = [];

/**
 * A run of lines that are read as one text, such as a paragraph or a comment. `lines[i]` is line `first + i`.
 */
interface Passage {
  first: number;
  lines: string[];
}

/** The pages that are read: `CHANGELOG.md` only up to the end of its newest section. */
function pages(): Map<string, string> {
  const files = [...globSync("docs/**/*.md"), "README.md", "CONTRIBUTING.md", "SECURITY.md"].map((file) =>
    file.replaceAll("\\", "/"),
  );
  const texts = new Map(files.sort().map((file) => [file, readFileSync(file, "utf8")]));
  const [intro, newest] = readFileSync("CHANGELOG.md", "utf8").split(/^(?=## )/m);
  return texts.set("CHANGELOG.md", intro + newest);
}

/** The sources whose comments are read. */
function sources(): Map<string, string> {
  const tests = "test/{contracts,e2e,fixtures,gpu,repops,solidity,sweep}/**/*.{ts,sol}";
  const files = globSync(["src/**/*.ts", "contracts/**/*.sol", "{bench,scripts,examples}/*.ts", tests]);
  return new Map(files.map((file) => [file.replaceAll("\\", "/"), readFileSync(file, "utf8")]));
}

/** Lines of comments that stand alone, and comments at the ends of lines of code. */
function comments(text: string): Passage[] {
  const found: Passage[] = [];
  let kind = "";
  text.split("\n").forEach((line, i) => {
    const before = kind;
    const start = /^\s*(\/\*|\/\/)/.exec(line)?.[1];
    const trailing = /[;,{}()\]]\s+\/\/ (.*)$/.exec(line)?.[1];
    if (before === "/*" || start !== undefined) {
      kind = before === "/*" ? before : start!;
      const content = line.replace(/^\s*(\/\*\*?|\/\/\/?|\*(?!\/))? ?/, "").replace(/\s*\*\/\s*$/, "");
      const last = found.at(-1);
      if (last && before === kind && last.first + last.lines.length === i + 1) last.lines.push(content);
      else found.push({ first: i + 1, lines: [content] });
      if (kind === "/*" && line.includes("*/")) kind = "";
    } else {
      kind = "";
      if (trailing !== undefined) found.push({ first: i + 1, lines: [trailing] });
    }
  });
  return found;
}

/** The paragraphs of a page, lists and code included. */
function paragraphs(text: string): Passage[] {
  const found: Passage[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const last = found.at(-1);
    if (last && last.first + last.lines.length === i + 1) last.lines.push(line.trim());
    else found.push({ first: i + 1, lines: [line.trim()] });
  });
  return found;
}

/** `file:line: "words": what to write` for every use of a word to avoid, also across the end of a line. */
function wordsIn(file: string, passages: readonly Passage[], allowed = ALLOWED): string[] {
  const found: string[] = [];
  for (const { first, lines } of passages) {
    const text = lines.join(" ");
    for (const [pattern, instead] of WORDS)
      for (const { 0: words, index } of text.matchAll(pattern)) {
        const excerpt = text.slice(Math.max(0, index - 40), index + words.length + 40);
        if (allowed.some(([where, part]) => file.endsWith(where) && excerpt.includes(part))) continue;
        let line = 0;
        for (let end = lines[0].length; end < index; end += 1 + lines[line].length) line++;
        found.push(`${file}:${first + line}: "${words}": ${instead}: ${excerpt}`);
      }
  }
  return found;
}

/** Lines that hold nothing but a comment and are too wide; an address can't be broken. */
function wideIn(file: string, text: string): string[] {
  const inside = new Set(comments(text).flatMap(({ first, lines }) => lines.map((_, i) => first + i)));
  return text.split("\n").flatMap((line, i) => {
    const wide = [...line].length > WIDTH && /^\s*(\/\*|\/\/|\*)/.test(line) && inside.has(i + 1);
    return wide && !line.includes("://") ? [`${file}:${i + 1}: wider than ${WIDTH} columns`] : [];
  });
}

/**
 * The page with code replaced by blanks, so that lines keep their numbers: fenced blocks, and with `inline`
 * spans too.
 */
function withoutCode(text: string, inline: boolean): string {
  let fence = "";
  const lines = text.split("\n").map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? "";
    if (fence === "" && mark === "") return line;
    if (fence === "") fence = mark;
    else if (mark !== "" && mark.startsWith(fence)) fence = "";
    return "";
  });
  return inline ? lines.join("\n").replace(/`[^`\n]*`/g, (code) => "x".repeat(code.length)) : lines.join("\n");
}

/** Cells of a row: bars split it, also inside of code, unless they are escaped. */
const cells = (row: string): number =>
  row
    .trim()
    .replace(/^\||(?<!\\)\|$/g, "")
    .split(/(?<!\\)\|/).length;

/**
 * Rows that no table holds, since a blank line or a text cuts them off, and rows that don't fit their header.
 */
function tablesIn(file: string, text: string): string[] {
  const found: string[] = [];
  const lines = withoutCode(text, false).split("\n");
  let columns = 0;
  lines.forEach((line, i) => {
    if (!/^\s*\|/.test(line)) columns = 0;
    else if (columns > 0) {
      if (cells(line) !== columns)
        found.push(`${file}:${i + 1}: a row of ${cells(line)} cells in a table of ${columns}`);
    } else if (/^\s*\|?(\s*:?-+:?\s*\|)+\s*(:?-+:?\s*)?$/.test(lines[i + 1] ?? "")) columns = cells(line);
    else found.push(`${file}:${i + 1}: a row outside of any table`);
  });
  return found;
}

/** The anchors of a page as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const { 1: id } of text.matchAll(/<[^>]+\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
  for (const { 1: heading } of withoutCode(text, false).matchAll(/^#{1,6} +(.*?) *#*$/gm)) {
    const plain = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Links to files that do not exist, and to headings that their page does not have. */
function linksIn(file: string, text: string, read: (file: string) => string | undefined): string[] {
  const found: string[] = [];
  withoutCode(text, true)
    .split("\n")
    .forEach((line, i) => {
      const inText = line.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\s*\[[^\]]+\]: (\S+)|\b(?:href|src)="([^"]+)"/g);
      for (const [, inline, reference, html] of inText) {
        const target = inline ?? reference ?? html;
        if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
        const [path, anchor] = target.split("#");
        const there = path === "" ? file : normalize(join(dirname(file), decodeURI(path))).replaceAll("\\", "/");
        const page = there === file ? text : read(there);
        if (page === undefined) found.push(`${file}:${i + 1}: no file for the link ${target}`);
        else if (anchor !== undefined && there.endsWith(".md") && !anchorsOf(page).has(decodeURI(anchor)))
          found.push(`${file}:${i + 1}: no heading for the link ${target}`);
      }
    });
  return found;
}

/** A page's text, "" for another file or a folder, nothing where there is none. */
const onDisk = (file: string): string | undefined =>
  existsSync(file) ? (file.endsWith(".md") ? readFileSync(file, "utf8") : "") : undefined;

describe("the pages", () => {
  const all = [...pages()];
  test("use plain words", () => {
    expect(all.flatMap(([file, text]) => wordsIn(file, paragraphs(text)))).toEqual([]);
  });

  test("have tables that render", () => {
    expect(all.flatMap(([file, text]) => tablesIn(file, text))).toEqual([]);
  });

  test("have links that lead somewhere", () => {
    expect(all.flatMap(([file, text]) => linksIn(file, text, onDisk))).toEqual([]);
  });
});

describe("the comments", () => {
  const all = [...sources()];
  test("use plain words", () => {
    expect(all.length).toBeGreaterThan(300);
    expect(all.flatMap(([file, text]) => wordsIn(file, comments(text)))).toEqual([]);
  });

  test("fit their columns", () => {
    expect(all.flatMap(([file, text]) => wideIn(file, text))).toEqual([]);
  });
});

describe("the checks", () => {
  test("see words in every kind of comment, across lines, and let exceptions pass", () => {
    const text = "/**\n * It goes\n * on with it.\n */\nconst part = 1; // behind\n/// They\n/// part.\n// part of it";
    const found = wordsIn("a.ts", comments(text));
    expect(found.map((line) => line.split(": ").slice(0, 2).join(" "))).toEqual([
      'a.ts:2 "goes on with"',
      'a.ts:5 "behind"',
      'a.ts:6 "They part"',
    ]);
    expect(wordsIn("src/a.ts", comments(text), [["/a.ts", "behind", "a test"]])).toHaveLength(2);
    expect(wordsIn("a.md", paragraphs("One part of the sum.\n\nTwo parts at once. It goes on the chain."))).toEqual([]);
  });

  test("see wide comments, and no code", () => {
    const wide = "w ".repeat(60);
    const text = `const a = 1 * ${wide};\n// ${wide}\n/*\n * ${wide}\n   ${wide}*/\n  * ${wide}\n// https://a.b/${wide}`;
    expect(wideIn("a.ts", text).map((line) => line.split(":")[1])).toEqual(["2", "4"]);
  });

  test("see tables that do not render", () => {
    const table = "| a | b |\n|---|---|\n| `x \\| y` | 2 |\n";
    expect(tablesIn("a.md", `${table}\n\`\`\`\n| code |\n\`\`\`\n`)).toEqual([]);
    expect(tablesIn("a.md", `${table}| 1 | 2 | 3 |\n\n| 4 | 5 |\n`)).toEqual([
      "a.md:4: a row of 3 cells in a table of 2",
      "a.md:6: a row outside of any table",
    ]);
  });

  test("see links to nothing", () => {
    const files: Readonly<Record<string, string>> = { "docs/b.md": "# One `two`, three\n\n# Same\n\n# Same\n" };
    const text = "# Top\n[a](b.md#one-two-three) [b](b.md#same-1) [c](#top) [d](https://x.y/#z) `[e](f.md)`\n";
    expect(linksIn("docs/a.md", text, (file) => files[file])).toEqual([]);
    const wrong = "[a](c.md)\n[b](b.md#two)\n\n[c]: ../b.md\n";
    expect(linksIn("docs/a.md", wrong, (file) => files[file])).toEqual([
      "docs/a.md:1: no file for the link c.md",
      "docs/a.md:2: no heading for the link b.md#two",
      "docs/a.md:4: no file for the link ../b.md",
    ]);
  });
});
