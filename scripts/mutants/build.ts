/** Compiles contracts and their tests in this process, without the optimizer's costly passes. */
import { compileAll, type Output, readSource } from "../compiler.ts";
import type { Node } from "./sites.ts";

interface Code {
  object: string;
  linkReferences: Record<string, Record<string, { start: number; length: number }[]>>;
}
export interface BuiltContract {
  abi: { type: string; name?: string }[];
  evm: { bytecode: Code; deployedBytecode: Code };
}
interface BuildOutput extends Output<BuiltContract> {
  sources?: Record<string, { ast?: Node }>;
}

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

/** What the compiler gives: by files, and contracts also by names. */
export interface Built {
  errors: NonNullable<Output["errors"]>;
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
  const settings = {
    optimizer: { enabled: true, runs: 1, details: QUICK },
    evmVersion: "osaka",
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: wanted,
  };
  const { errors = [], sources = {}, contracts = {} } = compileAll(tests, settings, read) as BuildOutput;
  const trees = new Map(
    Object.entries(sources).flatMap(([path, { ast }]) => (ast === undefined ? [] : [[path, ast] as const])),
  );
  return { errors: errors.filter(({ severity }) => severity === "error"), trees, contracts };
}
