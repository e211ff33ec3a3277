import { expect, it } from "vitest";
import { runAgain } from "../../scripts/again.ts";
import type { Counts } from "../../scripts/reporter.ts";

const passes: Counts = { passed: 3, failed: 0, skipped: 0, failures: {} };

function failed(failures: Counts["failures"]): Counts {
  return { passed: 10, failed: Object.values(failures).flat().length, skipped: 1, failures };
}

it("counts a failure as unsteady if its file waits for processes, and passes when it runs alone", async () => {
  const counts = failed({ "test/services/a.test.ts": ["late: 1", "later: 2"], "test/cli/b.test.ts": ["wrong: 3"] });
  const run = async (file: string): Promise<Counts> =>
    file === "test/cli/b.test.ts" ? failed({ [file]: ["wrong: 3"] }) : passes;
  expect(await runAgain(counts, run)).toEqual([
    "test/services/a.test.ts > late: 1",
    "test/services/a.test.ts > later: 2",
  ]);
  expect(counts).toEqual({ passed: 12, failed: 1, skipped: 1, failures: { "test/cli/b.test.ts": ["wrong: 3"] } });
});

it("gives one try to tests of bits, to what fails outside of files, and to a file that runs nothing the second time", async () => {
  const failures = {
    "": ["stray"],
    "test/repops/bits.test.ts": ["0 is not 1"],
    "test/referee/dispute.test.ts": ["bit"],
    "test/cli/empty.test.ts": ["x"],
  };
  const counts = failed(failures);
  const ran: string[] = [];
  const run = async (file: string): Promise<Counts> => (ran.push(file), { ...passes, passed: 0 });
  expect(await runAgain(counts, run)).toEqual([]);
  expect(ran).toEqual(["test/cli/empty.test.ts"]);
  expect(counts).toEqual(failed(failures));
});
