/** A job module that fails: the error says what is wrong and names the line of the module, not of Verde. */
import { mkdirSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { describe, expect, test } from "vitest";
import { VerdeError } from "../../src/errors/index.ts";
import { loadJob } from "../../src/job/load.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { verdeIn } from "../fixtures/verde.ts";

const path = temporaryFolder();
mkdirSync(path("jobs"));
let files = 0;

interface Parts {
  data?: string;
  loss?: string;
  optimizer?: string;
}

/** Writes a job module. Its `loss` stands in line 7, `data` in line 4, and `optimizer` in line 9. */
function moduleOf({ data = "", loss = "", optimizer = "" }: Parts): string {
  return `import { defineJob, linear, mean, sgd, square, tensor } from "@verde-ml/verde/job";
export default defineJob({
  name: "j", steps: 3,
  data: ${data || "() => ({ x: tensor([2, 1], [1, 2]) })"},
  loss(job): any {
    const h = linear(job, "a", job.data.x, 3);
    ${loss || "return mean(h);"}
  },
  ${optimizer || "optimizer: () => sgd({ learningRate: 0.1 }),"}
});
`;
}

function write(text: string, ending = "ts"): string {
  const file = path(`jobs/${files++}.${ending}`);
  writeFileSync(file, text);
  return file;
}

async function failure(file: string): Promise<VerdeError> {
  const error: unknown = await loadJob(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VerdeError);
  return error as VerdeError;
}

/** What is wrong, the code without VERDE_ or VERDE_JOB_, words of the message, and line and column. */
const CASES: readonly [string, Parts, string, string, string | undefined][] = [
  ["an error of the loss", { loss: 'throw new Error("boom");' }, "THREW", "boom", "7:11"],
  ["a text that is thrown", { loss: 'throw "boom";' }, "THREW", "boom", undefined],
  ["a member of undefined", { loss: "return (undefined as any).x;" }, "THREW", "undefined", "7:31"],
  ["a misspelt tensor", { loss: "return mean((job.data as any).y);" }, "DATA", "called y; it has x", "7:35"],
  ["data that fail later", { data: 'async () => { await 0; throw new Error("late"); }' }, "THREW", "late", "4:38"],
  ["data that are missing", { data: "() => undefined as any" }, "DATA", "the data of j is undefined", undefined],
  ["data that are no tensors", { data: "() => ({ x: [1] }) as any" }, "VALUE_TYPE", "data/x", undefined],
  ["a loss that is missing", { loss: "return;" }, "SETTING", "the loss is undefined", undefined],
  ["a loss that is a number", { loss: "return 3;" }, "SETTING", "the loss is 3", undefined],
  ["an optimizer that is missing", { optimizer: "optimizer: () => undefined as any," }, "SETTING", "adamW", undefined],
  ["an optimizer that throws", { optimizer: "optimizer: () => { throw new Error('opt'); }," }, "THREW", "opt", "9:28"],
  ["memory that is not there", { loss: "new ArrayBuffer(2 ** 53 - 1);" }, "BACKEND_MEMORY", "too little memory", "7:5"],
  ["an optimizer that is no function", { optimizer: "optimizer: 3 as any," }, "SETTING", "optimizer", "2:16"],
];

describe("a job module that fails", () => {
  test.each(CASES)("by %s", async (_, parts, code, words, place) => {
    const file = write(moduleOf(parts));
    const error = await failure(file);
    expect(error.code).toMatch(new RegExp(`^VERDE_(JOB_)?${code}$`));
    expect(error.message).toContain(words);
    expect(error.place).toBe(place && `${shown(file)}:${place}`);
  });

  test("by an operator that refuses a shape names the line that called it", async () => {
    const file = write(moduleOf({ loss: "return mean(h, [7]);" }));
    const error = await failure(file);
    expect(error.family).toBe("VERDE_SHAPE");
    expect(error.place).toBe(`${shown(file)}:7:12`);
  });

  // In processes of their own: the runner of tests has a loader of its own.
  test.each([
    ["ts", "const a = f(1 2);", "1:15"],
    ["mjs", "export default 1;\nconst a = f(1 2);", "2:13"],
    ["ts", "export enum A { B }", "1:8"],
    ["ts", 'throw new Error("top");', "1:7"],
  ])("by its syntax, or when it is loaded (%s: %s)", async (ending, text, place) => {
    const file = write(text, ending);
    const { stderr, code } = await verdeIn(path("."))(["run", file]);
    expect(code).toBe(2);
    expect(stderr).toContain("repair it (VERDE_JOB_MODULE_BROKEN)\n");
    expect(stderr).toContain(`  at jobs/${files - 1}.${ending}:${place}\n`);
  });

  test("in a file that it imports", async () => {
    const imported = write("export const f = () => {\n  throw new Error('deep');\n};", "mjs");
    const name = imported.split("/").at(-1)!;
    const text = moduleOf({ loss: "return f();" });
    const error = await failure(write(`import { f } from "./${name}";${text}`));
    expect(error.place).toBe(`${shown(imported)}:2:9`);
  });

  test("leaves the length of stacks as it was", async () => {
    const before = Error.stackTraceLimit;
    await failure(write(moduleOf({ loss: "throw 1;" })));
    expect(Error.stackTraceLimit).toBe(before);
  });

  test("is reported by the command with its place, and in JSON", async () => {
    const file = write(moduleOf({ loss: 'throw new Error("boom");' }));
    const { stderr, stdout, code } = await verdeIn(path("."))(["run", file, "--json"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`boom; repair it (VERDE_JOB_THREW)\n  at jobs/${files - 1}.ts:7:11\n`);
    expect(JSON.parse(stdout).error.place).toBe(`jobs/${files - 1}.ts:7:11`);
  });
});

function shown(file: string): string {
  const from = relative(process.cwd(), file);
  return from.startsWith("..") ? file : from;
}
