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
    if (file !== undefined) writeFileSync(file, JSON.stringify(countTests(modules, errors.length)));
  }

  private show(error: SerializedError): void {
    console.log(`${error.message}\n${error.diff ?? ""}\n${error.stack ?? ""}`.replace(/^/gm, "     "));
  }
}

/**
 * A file that fails without a failed test in it, because it cannot be loaded or a hook throws, counts as one
 * failure.
 */
function countTests(modules: readonly TestModule[], strayErrors: number): Counts {
  const counts = { passed: 0, failed: strayErrors, skipped: 0 };
  for (const module of modules) {
    const states = [...module.children.allTests()].map((test) => test.result().state);
    const failed = states.filter((state) => state === "failed").length;
    counts.failed += failed > 0 || module.state() !== "failed" ? failed : 1;
    counts.passed += states.filter((state) => state === "passed").length;
    // A test that never ran, because its file failed first, has not passed.
    counts.skipped += states.filter((state) => state === "skipped" || state === "pending").length;
  }
  return counts;
}
