import { describe, expect, test } from "vitest";
import { snippetsOf } from "./snippets.ts";

const block = (...lines: string[]): string => ["```ts", ...lines, "```", ""].join("\n");

describe("the snippets of a document", () => {
  test("are modules of their own, by line or by name", () => {
    const text = `# A\n${block("const a = 1;")}\n${block("// sine.ts", "const b = 2;")}`;
    expect(snippetsOf("docs/guides/a.md", text)).toEqual([
      { file: "docs-guides-a/line-2.ts", code: "const a = 1;\n" },
      { file: "docs-guides-a/sine.ts", code: "// sine.ts\nconst b = 2;\n" },
    ]);
  });

  test("are joined where one continues the other", () => {
    const text = `${block("const a = 1;")}\nThen:\n\n<!-- snippet: continues -->\n\n${block("console.log(a);")}`;
    expect(snippetsOf("a.md", text)).toEqual([{ file: "a/line-1.ts", code: "const a = 1;\nconsole.log(a);\n" }]);
  });

  test("leave out what is no code, and refuse code that nothing checks", () => {
    expect(snippetsOf("a.md", "```\n./verde demo\n```\n```sh\nls\n```\n")).toEqual([]);
    expect(() => snippetsOf("a.md", "```js\nx\n```\n")).toThrow("a.md:1 is a block in js");
    expect(() => snippetsOf("a.md", `<!-- snippet: continues -->\n${block("x")}`)).toThrow("continues a block");
  });
});
