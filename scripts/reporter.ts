/**
 * One line for each test file, and every failure in full; the counts are written to the file that
 * VERDE_TEST_COUNTS names.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** The failures in short, by the file they are in. What failed outside of a file has the name "". */
  failures: Record<string, string[]>;
}

/** A test that takes longer is named. */
const SLOW_MILLIS = 20_000;

export default class LineReporter implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()];
    const failures = tests.filter((test) => test.result().state === "failed");
    const bad = failures.length > 0 || module.state() === "failed";
    const duration = Math.round(module.diagnostic().duration);
    console.log(`${bad ? "FAIL" : "ok  "} ${module.relativeModuleId} (${tests.length} tests, ${duration} ms)`);
    for (const test of tests) {
      const millis = test.diagnostic()?.duration ?? 0;
      if (millis > SLOW_MILLIS) console.log(`     slow: ${test.fullName} (${Math.round(millis / 1000)} s)`);
    }
    for (const error of module.errors()) this.show(error);
    for (const suite of module.children.allSuites()) for (const error of suite.errors()) this.show(error);
    for (const test of failures) {
      console.log(`     FAILED: ${test.fullName}`);
      for (const error of test.result().errors ?? []) this.show(error);
    }
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const error of errors) this.show(error);
    const file = process.env.VERDE_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(countTests(modules, errors)));
  }

  private show(error: SerializedError): void {
    console.log(`${error.message}\n${error.diff ?? ""}\n${error.stack ?? ""}`.replace(/^/gm, "     "));
  }
}

/**
 * A file that fails without a failed test in it, because it cannot be loaded or a hook throws, counts as one
 * failure.
 */
function countTests(modules: readonly TestModule[], stray: readonly SerializedError[]): Counts {
  const counts: Counts = { passed: 0, failed: stray.length, skipped: 0, failures: {} };
  if (stray.length > 0) counts.failures[""] = stray.map(inShort);
  for (const module of modules) {
    const tests = [...module.children.allTests()];
    const count = (...states: string[]) => tests.filter((test) => states.includes(test.result().state)).length;
    const failures = tests
      .filter((test) => test.result().state === "failed")
      .map((test) => `${test.fullName}: ${inShort(test.result().errors?.[0])}`);
    if (failures.length === 0 && module.state() === "failed") failures.push(inShort(module.errors()[0]));
    if (failures.length > 0) counts.failures[module.relativeModuleId] = failures;
    counts.failed += failures.length;
    counts.passed += count("passed");
    // A test that never ran, because its file failed first, has not passed.
    counts.skipped += count("skipped", "pending");
  }
  return counts;
}

/** The first line of an error. */
function inShort(error: { readonly message?: string } | undefined): string {
  return (error?.message ?? "it failed without a message").split("\n")[0].slice(0, 300);
}
