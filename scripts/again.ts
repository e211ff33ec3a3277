/** A second try for tests that a busy machine can fail. */
import type { Counts } from "./reporter.ts";

/**
 * Tests in these folders start processes and wait for them. All other files get one try: a bit that changes
 * from run to run is a fault.
 */
const PATIENT = /^test\/(bench|browser|cli|deploy|referee\/apart|services)\//;

/**
 * Runs each file that failed in one of those folders once more, alone. If it passes, its failures are
 * unsteady, and count as passed.
 * @param counts of the first run; changed
 * @param run runs the tests of one file
 * @returns the unsteady failures in short, each with its file
 */
export async function runAgain(counts: Counts, run: (file: string) => Promise<Counts>): Promise<string[]> {
  const unsteady: string[] = [];
  for (const [file, failures] of Object.entries(counts.failures)) {
    if (!PATIENT.test(file)) continue;
    console.log(`again, alone: ${file}`);
    const again = await run(file);
    if (again.failed > 0 || again.passed === 0) continue;
    unsteady.push(...failures.map((failure) => `${file} > ${failure}`));
    delete counts.failures[file];
    counts.failed -= failures.length;
    counts.passed += failures.length;
  }
  return unsteady;
}
