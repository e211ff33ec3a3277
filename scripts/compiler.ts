/**
 * Compiles contracts in this process, with the settings that `hardhat.config.ts` has for the judge: the
 * contracts of tests, and the portable build (`scripts/portable.ts`).
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Abi, Hex } from "viem";
import config from "../hardhat.config.ts";
import type { DeployedCode } from "./code-hash.ts";

interface Contract {
  abi: Abi;
  evm: {
    bytecode: { object: string };
    deployedBytecode: { object: string; immutableReferences?: DeployedCode["immutableReferences"] };
  };
}
export interface Output<C = Contract> {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, C>>;
}
/** Answers a question of the compiler: for the text of a file, or of its SMT checker. */
type Answer = (question: string) => { contents: string };
interface Compiler {
  compile(input: string, callbacks: { import: Answer; smtSolver?: Answer }): string;
}
interface Settings {
  solidity: { profiles: { default: { overrides: Record<string, { settings: Record<string, unknown> }> } } };
}
export interface Compiled extends DeployedCode {
  abi: Abi;
  bytecode: Hex;
}

const require = createRequire(import.meta.url);
const root = new URL("../", import.meta.url);

/** Which source takes another's place, and for which chains, in the portable build. */
export const PORTABLE = {
  evmVersion: "cancun",
  swapped: { "contracts/libraries/LeadingZeros.sol": "contracts/portable/LeadingZeros.sol" },
} as const satisfies { evmVersion: string; swapped: Readonly<Record<string, string>> };

/** Files are named from the root of the checkout, packages by their names. */
export function readSource(path: string, portable = false): string {
  const swapped: Readonly<Record<string, string>> = portable ? PORTABLE.swapped : {};
  const name = swapped[path] ?? path;
  const file = fileURLToPath(new URL(name, root));
  return readFileSync(existsSync(file) ? file : require.resolve(name), "utf8");
}

/** The compiler's settings for a contract that has its own, or those for the judge. */
export function settingsOf(portable = false, file = "contracts/Judge.sol"): Record<string, unknown> {
  const { overrides } = (config as unknown as Settings).solidity.profiles.default;
  const { settings } = overrides[file] ?? overrides["contracts/Judge.sol"];
  return portable ? { ...settings, evmVersion: PORTABLE.evmVersion } : settings;
}

/** Compiles one source. Others are read when it imports them. */
export function compile(file: string, content: string, settings: object, portable = false): Output {
  return compileAll([file], settings, (path) => (path === file ? content : readSource(path, portable))) as Output;
}

/**
 * @param files what is compiled, with all that it imports
 * @param read the text of a file
 * @param solve answers the queries of the SMT checker, if the settings ask for it
 * @returns what the compiler gives, with the errors that it has found
 */
export function compileAll(
  files: readonly string[],
  settings: object,
  read: (path: string) => string,
  solve?: Answer,
): unknown {
  const solc = require("solc") as Compiler;
  const sources = Object.fromEntries(files.map((file) => [file, { content: read(file) }]));
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const reading: Answer = (path) => ({ contents: read(path) });
  return JSON.parse(solc.compile(input, { import: reading, ...(solve ? { smtSolver: solve } : {}) }));
}

/** The compiler's version, such as `0.8.37`. */
export const compilerVersion = (): string => (require("solc/package.json") as { version: string }).version;

/** Every file that a contract imports, itself too, by its name. */
export function sourcesOf(file: string, portable = false, found = new Map<string, string>()): Map<string, string> {
  if (found.has(file)) return found;
  const content = readSource(file, portable);
  found.set(file, content);
  for (const [, path] of content.matchAll(/^import [^;]*"([^"]+)";/gm)) {
    const name = path.startsWith(".") ? new URL(path, `file:///${file}`).pathname.slice(1) : path;
    sourcesOf(name, portable, found);
  }
  return found;
}

/** SHA-256 of what is compiled: the sources without comments, and the compiler's settings and version. */
export function digestOf(sources: ReadonlyMap<string, string>, portable: boolean): string {
  const code = [...sources].map(([name, text]) => {
    const bare = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    return [name, bare.replace(/\s+/g, " ")];
  });
  const all = ["contracts/Judge.sol", "contracts/DisputeGame.sol"].map((file) => settingsOf(portable, file));
  const text = JSON.stringify([compilerVersion(), all, code.sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Compiling takes half a minute, and several tests need the same contract. So the result is kept under the
 * digest of what was compiled.
 * @param file from the root of the checkout, such as `test/solidity/Batch.sol`, with a contract of its name
 * @param portable for chains without CLZ
 * @throws {Error} with the compiler's message
 */
export function compileContract(file: string, portable = false): Compiled {
  const folder = new URL(".hardhat/compiled/", root);
  const kept = new URL(`${digestOf(sourcesOf(file, portable), portable)}-deployed.json`, folder);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Compiled;
  const compiled = compileNow(file, portable);
  mkdirSync(folder, { recursive: true });
  // Another test may write the same file.
  const own = new URL(`${process.pid}-${Math.random()}`, folder);
  writeFileSync(own, JSON.stringify(compiled));
  renameSync(own, kept);
  return compiled;
}

function compileNow(file: string, portable: boolean): Compiled {
  const wanted = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
  ];
  const settings = { ...settingsOf(portable, file), outputSelection: { "*": { "*": wanted } } };
  const output = compile(file, readSource(file, portable), settings, portable);
  const problem = output.errors?.find(({ severity }) => severity === "error");
  if (problem) throw new Error(problem.formattedMessage);
  const name = file.replace(/^.*\/|\.sol$/g, "");
  const { abi, evm } = output.contracts![file][name];
  const { object, immutableReferences = {} } = evm.deployedBytecode;
  return { abi, bytecode: `0x${evm.bytecode.object}`, deployedBytecode: `0x${object}`, immutableReferences };
}
