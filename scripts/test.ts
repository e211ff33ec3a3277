/**
 * `./verde test`: type check, linter, formatter and all tests; the last line counts what passed and failed. Arguments go to
 * the test runner, which then runs alone.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => join(root, "node_modules/.bin", name);
const CHECKS: readonly [string, string, string[]][] = [
  ["types", bin("tsc"), ["--noEmit"]],
  ["lint", bin("oxlint"), ["--deny-warnings"]],
  ["format", bin("prettier"), ["--check", "--log-level=warn", "."]],
];

let passed = 0;
let failed = 0;
let skipped = 0;
const extra = process.argv.slice(2);

if (extra.length === 0)
  for (const [name, command, args] of CHECKS) {
    const started = Date.now();
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
    console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (status === 0) passed++;
    else {
      failed++;
      console.log(stdout + stderr);
    }
  }

const report = join(tmpdir(), `verde-test-${process.pid}.json`);
const reporters = ["--reporter=./scripts/reporter.ts", "--reporter=json", `--outputFile.json=${report}`];
const { status } = spawnSync(bin("vitest"), ["run", ...reporters, ...extra], { cwd: root, stdio: "inherit" });
if (existsSync(report)) {
  const counts = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
  rmSync(report);
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  skipped += counts.numPendingTests + counts.numTodoTests;
  // A file that can't be loaded has failed without a test in it.
  if (status !== 0 && counts.numFailedTests === 0) failed++;
} else failed++;

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || status !== 0 ? 1 : 0;
