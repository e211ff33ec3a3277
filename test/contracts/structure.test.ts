/**
 * The structure of contracts/: constants come from TypeScript, interfaces are in one folder, and the game
 * knows no machine learning.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { generateConstants } from "../../scripts/constants.ts";
import { errorsIn } from "./compile.ts";

const root = fileURLToPath(new URL("../../contracts/", import.meta.url));
const sources = new Map(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => [file, readFileSync(root + file, "utf8")]),
);
const generated = generateConstants();

/** The code without comments. */
const codeOf = (text: string): string => text.replace(/\/\/.*/g, "");

/** `file: what` for everything in the contracts' code that a pattern matches. */
function found(pattern: RegExp, files: RegExp = /./): string[] {
  return [...sources]
    .filter(([file]) => files.test(file))
    .flatMap(([file, text]) => [...codeOf(text).matchAll(pattern)].map(([match]) => `${file}: ${match.trim()}`));
}

test("the constants are generated from TypeScript (npm run contracts)", () => {
  for (const [name, text] of generated) expect(sources.get(`libraries/${name}`), name).toBe(text);
});

test("no other contract writes a tag, a version or a code as a number", () => {
  const written = found(/\bbytes1 [^;]*= 0x\w\w;|mstore8\([^)]*0x\w\w\)|SPEC_VERSION = \d|\bhex"/g);
  expect(written.filter((line) => !line.startsWith("libraries/Tags.sol"))).toEqual([]);
  expect(found(/\bcode == (?!Opcodes\.)\w+/g)).toEqual([]);
  expect(new Set(found(/\bOpcodes\.[A-Z]\w+/g, /MicroStep/)).size).toBe(
    [...generated.get("Opcodes.sol")!.matchAll(/ constant /g)].length,
  );
});

test("every interface is in interfaces/", () => {
  const elsewhere = found(/^interface \w+/gm).filter((line) => !line.startsWith("interfaces/"));
  expect(elsewhere).toEqual([]);
  expect(found(/^(abstract )?contract \w+/gm, /^interfaces\//)).toEqual([]);
});

/** Interfaces in which every event, function and parameter has its NatSpec. */
const DOCUMENTED = ["ICommittee", "IExchange", "IRotatingCommittee", "ISeatDraw", "IStakeVault"];

test.each(DOCUMENTED)("%s says what each event and each parameter is", (name) => {
  const text = sources.get(`interfaces/${name}.sol`)!;
  const items = [...text.matchAll(/((?: +\/\/\/.*\n)*) +(event|function) (\w+)\(([^)]*)\)([^;]*);/g)];
  expect(items.length).toBeGreaterThan(8);
  const missing = items.flatMap(([, comment, kind, item, parameters, rest]) => {
    const names = parameters.split(",").flatMap((one) => one.trim().split(/\s+/).slice(1).at(-1) ?? []);
    const wanted = ["@notice", ...names.map((parameter) => `@param ${parameter} `)];
    if (kind === "function" && /\breturns\b/.test(rest)) wanted.push("@return ");
    return wanted.filter((tag) => !comment.includes(tag)).map((tag) => `${item}: ${tag}`);
  });
  expect(missing).toEqual([]);
});

test("errors and events of contracts are in their interfaces", () => {
  const contracts = [...sources].filter(([, text]) => /^(abstract )?contract /m.test(text)).map(([file]) => file);
  const own = found(/^ +(error|event) \w+/gm).filter((line) => contracts.includes(line.split(":")[0]));
  expect(own).toEqual([]);
});

test("the game imports nothing of training, and reads none of the machine's fields", () => {
  const allowed =
    /"(\.\/\w+|\.\.\/interfaces\/(IBisection|IGasBonds)|\.\.\/libraries\/(LeadingZeros|MerkleTree|Signatures|Tags))\.sol"/;
  expect(
    found(/^import .*/gm, /^(game\/|interfaces\/(IBisection|IGasBonds))/).filter(
      (line) => !allowed.test(line) && !/"\.\.\/game\//.test(line),
    ),
  ).toEqual([]);
  expect(found(/\.(job|graph|kernel|place|sizes|past|head|trees|kernelProof)\b/g, /^game\//)).toEqual([]);
  expect(found(/\b(segment|tensor|chunk|fold|judge|training)\b/gi, /^game\//)).toEqual([]);
});

const USES_WORDS = `
  pragma solidity 0.8.37;
  import {Claim, Context, GameState, Level, Place, Sizes} from "contracts/game/GameTypes.sol";
  import {GameWord} from "contracts/game/GameWord.sol";
  import {JobId, RunRoot, TaskId} from "contracts/libraries/Ids.sol";
  import {TaskWord} from "contracts/libraries/TaskWord.sol";
  import {PlaceLib} from "contracts/training/Place.sol";
  import {SizesLib} from "contracts/training/Sizes.sol";
  using PlaceLib for Place;
  using SizesLib for Sizes;`;

/** One function over words and hashes. */
type Function = readonly [parameters: string, result: string, body: string, problem?: RegExp];

const sourceOf = (functions: readonly Function[]): string =>
  USES_WORDS +
  functions
    .map(
      ([parameters, result, body], i) => `\nfunction f${i}(${parameters}) pure returns (${result}) { return ${body}; }`,
    )
    .join("");

test("a word or hash cannot be passed as another", () => {
  const right: readonly Function[] = [
    ["Context calldata c", "uint256", "c.sizes.kernels() + c.place.kernel()"],
    ["GameState calldata s", "uint256", "s.word.turn()"],
    ["RunRoot a, RunRoot b", "bool", "a == b && !(a != b)"],
  ];
  expect(errorsIn(sourceOf(right))).toEqual([]);
  // The compiler stops at the first member that it does not find.
  const unknown: readonly Function[] = [
    ["Context calldata c", "uint256", "c.place.kernels()", /Member "kernels" not found/],
    ["GameState calldata s", "uint256", "s.word.segment()", /Member "segment" not found/],
    ["TaskWord word", "uint256", "word.turn()", /Member "turn" not found/],
  ];
  const mixed: readonly Function[] = [
    ["Place place", "Sizes", "place", /not implicitly convertible/],
    ["TaskId task", "RunRoot", "task", /not implicitly convertible/],
    ["JobId job, TaskId task", "bool", "job == task", /does not match the type of the first operand/],
    ["bytes32 node", "Claim", "node", /not implicitly convertible/],
    ["Context calldata c, RunRoot root", "bool", "c.claims[0] == root", /does not match the type/],
  ];
  for (const wrong of [...unknown.map((one) => [one]), mixed]) {
    const errors = errorsIn(sourceOf(wrong));
    expect(errors).toHaveLength(wrong.length);
    for (const [i, [, , body, problem]] of wrong.entries()) {
      expect(errors[i]).toMatch(problem!);
      expect(errors[i]).toContain(`return ${body};`);
    }
  }
});
