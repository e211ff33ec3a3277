/** One line a test file, and every failure in full. */
import type { Reporter, SerializedError, TestModule } from "vitest/node";

export default class LineReporter implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()];
    const failures = tests.filter((test) => test.result().state === "failed");
    const bad = failures.length > 0 || module.state() === "failed";
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    console.log(`${bad ? "FAIL" : "ok  "} ${module.relativeModuleId} (${tests.length} tests, ${seconds} s)`);
    for (const error of module.errors()) this.show(error);
    for (const test of failures) {
      console.log(`     FAILED: ${test.fullName}`);
      for (const error of test.result().errors ?? []) this.show(error);
    }
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const error of errors) this.show(error);
  }

  private show(error: SerializedError): void {
    console.log(`${error.message}\n${error.diff ?? ""}\n${error.stack ?? ""}`.replace(/^/gm, "     "));
  }
}
