/** Compiles contracts and their tests in this process, without the optimizer's costly passes. */
import { createRequire } from "node:module";
import { readSource } from "../compiler.ts";
import type { Node } from "./sites.ts";

interface Code {
  object: string;
  linkReferences: Record<string, Record<string, { start: number; length: number }[]>>;
}
export interface BuiltContract {
  abi: { type: string; name?: string }[];
  evm: { bytecode: Code; deployedBytecode: Code };
}
export interface CompilerError {
  severity: string;
  type: string;
  formattedMessage: string;
  sourceLocation?: { file: string; start: number; end: number };
}
interface Output {
  errors?: CompilerError[];
  sources?: Record<string, { ast?: Node }>;
  contracts?: Record<string, Record<string, BuiltContract>>;
}
interface Compiler {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
}

const compiler = createRequire(import.meta.url)("solc") as Compiler;
const ARTIFACT = ["abi", ...["bytecode", "deployedBytecode"].flatMap((code) => [`evm.${code}.object`, `evm.${code}.linkReferences`])]; // prettier-ignore

/** What is needed for the stack to suffice. The other passes take longer than all tests. */
const QUICK = {
  inliner: false,
  orderLiterals: false,
  deduplicate: false,
  cse: false,
  constantOptimizer: false,
  yul: true,
  yulDetails: { stackAllocation: true },
};

/** A file of this checkout or a package, in which each character is a byte. */
export const readBytes = (path: string): string => Buffer.from(readSource(path), "utf8").toString("latin1");
const textOf = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

/** What else was read: sources by their names. */
export interface Built {
  errors: CompilerError[];
  trees: ReadonlyMap<string, Node>;
  contracts: Readonly<Record<string, Record<string, BuiltContract>>>;
}

/**
 * @param tests the files that are compiled, with all that they import
 * @param texts files with other texts than those on the disk; each character is a byte
 * @param output syntax trees, or code
 */
export function build(
  tests: readonly string[],
  texts: ReadonlyMap<string, string>,
  output: "trees" | "types" | "code",
): Built {
  const read = (path: string): string => textOf(texts.get(path) ?? readBytes(path));
  const wanted =
    output === "code"
      ? Object.fromEntries(tests.map((test) => [test, { "*": ARTIFACT }]))
      : { "*": { "": output === "trees" ? ["ast"] : [] } };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(tests.map((test) => [test, { content: read(test) }])),
    settings: {
      optimizer: { enabled: true, runs: 1, details: QUICK },
      evmVersion: "osaka",
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: wanted,
    },
  };
  const {
    errors = [],
    sources = {},
    contracts = {},
  } = JSON.parse(
    compiler.compile(JSON.stringify(input), {
      import: (path) => {
        try {
          return { contents: read(path) };
        } catch (error) {
          return { error: String(error) };
        }
      },
    }),
  ) as Output;
  const trees = new Map(
    Object.entries(sources).flatMap(([path, { ast }]) => (ast === undefined ? [] : [[path, ast] as const])),
  );
  return { errors: errors.filter(({ severity }) => severity === "error"), trees, contracts };
}
