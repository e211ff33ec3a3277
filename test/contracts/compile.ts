/**
 * Contracts that only tests use, compiled in this process with the settings that `hardhat.config.ts` has for
 * the judge.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Abi, Hex } from "viem";
import config from "../../hardhat.config.ts";

interface Output {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>;
}
interface Compiler {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
}
interface Settings {
  solidity: { profiles: { default: { overrides: Record<string, { settings: Record<string, unknown> }> } } };
}

const require = createRequire(import.meta.url);
const root = new URL("../../", import.meta.url);

/** Files are named from the root of the checkout, packages by their names. */
function locate(path: string): string {
  const file = fileURLToPath(new URL(path, root));
  return existsSync(file) ? file : require.resolve(path);
}

function compile(file: string, content: string, settings: object): Output {
  const solc = require("solc") as Compiler;
  const source = { language: "Solidity", sources: { [file]: { content } }, settings };
  return JSON.parse(
    solc.compile(JSON.stringify(source), { import: (path) => ({ contents: readFileSync(locate(path), "utf8") }) }),
  ) as Output;
}

/** The compiler's errors about a source that imports from the root of the checkout. Generates no code. */
export function errorsIn(content: string): string[] {
  const { errors = [] } = compile("test/Snippet.sol", content, { evmVersion: "osaka" });
  return errors.filter(({ severity }) => severity === "error").map(({ formattedMessage }) => formattedMessage);
}

/**
 * @param file from the root of the checkout, such as `test/solidity/Batch.sol`, with a contract of its name
 * @throws {Error} with the compiler's message
 */
export function compileContract(file: string): { abi: Abi; bytecode: Hex } {
  const { settings } = (config as unknown as Settings).solidity.profiles.default.overrides["contracts/Judge.sol"];
  const output = compile(file, readFileSync(locate(file), "utf8"), {
    ...settings,
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  });
  const problem = output.errors?.find(({ severity }) => severity === "error");
  if (problem) throw new Error(problem.formattedMessage);
  const name = file.replace(/^.*\/|\.sol$/g, "");
  const { abi, evm } = output.contracts![file][name];
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}
