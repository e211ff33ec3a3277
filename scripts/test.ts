/**
 * `./verde test`: type check, linter, formatter, the tests of the contracts and all others. The last line
 * counts what passed and failed. With arguments only the tests that they name run, in both languages.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAgain } from "./again.ts";
import type { Counts } from "./reporter.ts";
import { divideTests, runSolidityTests } from "./solidity.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** On Windows the programs of packages are scripts, which only a shell starts. */
const windows = process.platform === "win32";
const bin = (name: string): string => join(root, "node_modules/.bin", windows ? `${name}.cmd` : name);
const CHECKS: readonly [string, string, string[]][] = [
  ["types", bin("tsc"), ["--noEmit"]],
  ["lint", bin("oxlint"), ["--deny-warnings"]],
  ["format", bin("prettier"), ["--check", "--log-level=warn", "."]],
];

let passed = 0;
let failed = 0;
let skipped = 0;
const extra = process.argv.slice(2);
const { solidity: chosen, others } = divideTests(root, extra);

if (extra.length === 0)
  for (const [name, command, args] of CHECKS) {
    const started = Date.now();
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", shell: windows });
    console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (status === 0) passed++;
    else {
      failed++;
      console.log(stdout + stderr);
    }
  }

/** The tests of the contracts compile for minutes on one core. They run beside the others. */
async function contracts(): Promise<void> {
  const started = Date.now();
  const solidity = await runSolidityTests(root, chosen);
  const what = chosen.length > 0 ? `${chosen.join(" ")}` : "all with full line coverage";
  console.log(
    `${solidity.failed === 0 ? "ok  " : "FAIL"} contracts (${((Date.now() - started) / 1000).toFixed(1)} s), ${solidity.passed} Solidity tests: ${what}`,
  );
  if (solidity.failed > 0) console.log(solidity.report);
  passed += solidity.passed;
  failed += solidity.failed;
}

const beside = extra.length === 0 || chosen.length > 0 ? contracts() : Promise.resolve();
const countsFile = join(tmpdir(), `verde-test-${process.pid}.json`);

/** The other tests. @returns what they gave */
async function everythingElse(files: readonly string[]): Promise<Counts> {
  // A folder of tests of contracts may have no other tests beside it.
  const none = chosen.length > 0 ? ["--passWithNoTests"] : [];
  const runner = spawn(bin("vitest"), ["run", "--reporter=./scripts/reporter.ts", ...none, ...files], {
    cwd: root,
    shell: windows,
    stdio: "inherit",
    env: { ...process.env, VERDE_TEST_COUNTS: countsFile },
  });
  const [status] = (await once(runner, "exit")) as [number | null];
  const counts: Counts = existsSync(countsFile)
    ? (JSON.parse(readFileSync(countsFile, "utf8")) as Counts)
    : { passed: 0, failed: 0, skipped: 0, failures: {} };
  rmSync(countsFile, { force: true });
  // The runner says that it failed, but no test does: it stopped early, or found no test.
  if (status !== 0 && counts.failed === 0) {
    counts.failed = 1;
    counts.failures[""] = [`the runner ended with the code ${status}`];
  }
  return counts;
}

let unsteady: string[] = [];
if (others.length > 0 || chosen.length === 0) {
  const counts = await everythingElse(others);
  await beside;
  if (extra.length === 0) unsteady = await runAgain(counts, (file) => everythingElse([file]));
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
  for (const [file, failures] of Object.entries(counts.failures))
    for (const failure of failures) console.log(`failed: ${file} > ${failure}`);
}
await beside;
for (const failure of unsteady) console.log(`unsteady, passed when run alone: ${failure}`);

console.log(
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}${unsteady.length > 0 ? `, ${unsteady.length} unsteady` : ""}`,
);
process.exitCode = failed > 0 ? 1 : 0;
