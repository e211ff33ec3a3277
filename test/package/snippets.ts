/** The TypeScript that stands in the documentation, as modules that a compiler can check. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Snippet {
  /** Of the module: a folder for each document, and the line on which the block begins, or the name in its first line. */
  file: string;
  code: string;
}

/** Stands on the line above a block that continues the block before it. */
const CONTINUES = "<!-- snippet: continues -->";
const LANGUAGES = new Set(["sh", "bash", "console", "text", "json", "solidity", "html", "toml"]);

/**
 * Every block that is marked as TypeScript. A block is a module of its own, unless it continues the one before. One whose
 * first line is a comment with a file's name has that name, so that another block can import it.
 * @throws {Error} for a block that continues nothing, and for a language that nothing would check
 */
export function snippetsOf(document: string, text: string): Snippet[] {
  const snippets: Snippet[] = [];
  const lines = text.split("\n");
  const folder = document.replace(/\.md$/, "").replaceAll("/", "-");
  for (let at = 0; at < lines.length; at++) {
    const language = /^\s*```(\w+)/.exec(lines[at])?.[1];
    const fence = /^\s*```/.test(lines[at]);
    if (!fence) continue;
    const begin = at + 1;
    do at++;
    while (at < lines.length && !/^\s*```\s*$/.test(lines[at]));
    if (language === undefined || LANGUAGES.has(language)) continue;
    if (language !== "ts")
      throw new Error(`${document}:${begin} is a block in ${language}; mark code as ts, so that it is checked`);
    const code = `${lines.slice(begin, at).join("\n")}\n`;
    const before = lines.slice(0, begin - 1).findLast((line) => line.trim() !== "");
    if (before?.trim() !== CONTINUES) {
      const name = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1] ?? `line-${begin}.ts`;
      snippets.push({ file: `${folder}/${name}`, code });
      continue;
    }
    const previous = snippets.at(-1);
    if (!previous) throw new Error(`${document}:${begin} continues a block, but there is none before it`);
    previous.code += code;
  }
  return snippets;
}

/** The snippets of a checkout's documents. */
export function allSnippets(checkout: string): Snippet[] {
  const docs = readdirSync(join(checkout, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", "CONTRIBUTING.md", ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)]
    .sort()
    .flatMap((document) => snippetsOf(document, readFileSync(join(checkout, document), "utf8")));
}
