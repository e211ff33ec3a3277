/**
 * The Solidity tests under coverage: what passed, what failed, and which lines of contracts/ no test reached.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

interface SolidityResult {
  passed: number;
  failed: number;
  /** Empty if everything passed. */
  report: string;
}

/**
 * `contracts/StakeVault.sol:12` for every line that did not run; `undefined` if the report covers no
 * contract.
 */
function uncoveredLines(lcov: string): string[] | undefined {
  const missed: string[] = [];
  let file = "";
  let lines = 0;
  for (const line of lcov.split("\n")) {
    if (line.startsWith("SF:")) file = line.slice(3);
    const [, number, hits] = /^DA:(\d+),(\d+)/.exec(line) ?? [];
    if (number === undefined) continue;
    lines++;
    if (hits === "0") missed.push(`${file}:${number}`);
  }
  return lines === 0 ? undefined : missed;
}

/**
 * The tests of contracts among the arguments of `./verde test`: a file `….t.sol`, or all in a folder of
 * test/solidity. @returns them, and what is left for the other tests: for a folder, the tests in folders of
 * the same name, so that `test/solidity/attacks` runs the attacks in both languages
 */
export function divideTests(root: string, args: readonly string[]): { solidity: string[]; others: string[] } {
  const solidity: string[] = [];
  const others: string[] = [];
  for (const arg of args) {
    const isFile = arg.endsWith(".t.sol");
    const folder = !isFile && /^(\.\/)?test\/solidity(\/|$)/.test(arg) && existsSync(join(root, arg));
    if (isFile) solidity.push(arg);
    else others.push(folder ? `/${basename(arg)}/` : arg);
    if (!folder) continue;
    const names = readdirSync(join(root, arg), { recursive: true, encoding: "utf8" });
    solidity.push(...names.filter((name) => name.endsWith(".t.sol")).map((name) => join(arg, name)));
  }
  return { solidity, others };
}

/**
 * @param files some tests, which are run without coverage; without it all are run, and every line has to be
 *   reached
 */
export async function runSolidityTests(root: string, files: readonly string[] = []): Promise<SolidityResult> {
  const { status, stdout, stderr } = await new Promise<{ status: number; stdout: string; stderr: string }>(
    (resolve) => {
      execFile(
        join(root, "node_modules/.bin/hardhat"),
        ["test", "solidity", ...(files.length > 0 ? files : ["--coverage"])],
        {
          cwd: root,
          env: {
            ...process.env,
            // Beside it, other tests build the contracts.
            VERDE_HARDHAT_FOLDER: ".hardhat/coverage",
            VERDE_COVERAGE: "1",
            HARDHAT_DISABLE_TELEMETRY: "true",
            NO_COLOR: "1",
          },
          maxBuffer: 2 ** 28,
        },
        (error, out, err) => resolve({ status: error ? 1 : 0, stdout: out, stderr: err }),
      );
    },
  );
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(stdout)?.[1] ?? 0);
  const [passed, failed] = [count("passing"), count("failing")];
  if (status !== 0 || failed > 0 || passed === 0)
    return { passed, failed: Math.max(failed, 1), report: stdout + stderr };
  if (files.length > 0) return { passed, failed: 0, report: "" };
  const missed = uncoveredLines(readFileSync(join(root, "coverage/lcov.info"), "utf8"));
  if (missed?.length === 0) return { passed: passed + 1, failed: 0, report: "" };
  const report = missed ? `no test reached ${missed.join(", ")}` : "the coverage report is empty";
  return { passed, failed: 1, report };
}
