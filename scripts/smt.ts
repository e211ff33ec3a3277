/**
 * Proofs over contracts/: the SMT checker of the compiler tries to break what the functions in `test/smt/`
 * assert, for all states and operands at once. `node scripts/smt.ts` prints each assertion and each checked
 * operation that they reach, plants mistakes that the proofs have to notice, and writes
 * `test/smt/report.json`. It needs Z3, and takes some minutes, so run it by hand after a change of contracts;
 * the gate runs some of it.
 *
 * `--file Vault` takes the proofs of that name. `--report` runs nothing: it prints the last whole run.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compilerVersion } from "./compiler.ts";
import { failuresOf, targetsOf, unreached, type Mistake, type Target } from "./smt/check.ts";
import { ALL } from "./smt/proofs.ts";
import { solverVersion } from "./smt/queries.ts";

interface Planted extends Mistake {
  /** The first target that isn't proved any more, or nothing. */
  noticed: string;
}
export interface Report {
  compiler: string;
  solver: string;
  targets: Target[];
  /** Proofs whose end no state reaches, so that they prove nothing. */
  unreached: string[];
  mistakes: Planted[];
}

const FILE = fileURLToPath(new URL("../test/smt/report.json", import.meta.url));

const { values: options } = parseArgs({
  options: {
    file: { type: "string", default: "" },
    report: { type: "boolean", default: false },
  },
});

function print({ compiler, solver, targets, unreached: vacuous, mistakes }: Report): void {
  for (const { at, what, text, isProved } of targets)
    console.log(`${isProved ? "proved    " : "not proved"} ${what.toLowerCase()} ${at} ${text}`);
  for (const proof of vacuous) console.log(`proves nothing: no state reaches the end of ${proof}`);
  for (const { file, before, after, noticed } of mistakes)
    console.log(`${noticed !== "" ? "noticed    " : "not noticed"} ${file}\n  - ${before}\n  + ${after}`);
  const proved = targets.filter(({ isProved }) => isProved).length;
  const seen = mistakes.filter(({ noticed }) => noticed !== "").length;
  console.log(
    `${proved} of ${targets.length} targets proved, ${seen} of ${mistakes.length} mistakes noticed ` +
      `(solc ${compiler}, Z3 ${solver})`,
  );
  if (proved < targets.length || vacuous.length > 0 || seen < mistakes.length) process.exitCode = 1;
}

function run(): Report {
  const solver = solverVersion();
  if (solver === undefined) throw new Error("Z3 is missing: `apt-get install z3`, or scripts/optional.sh as root");
  const report: Report = { compiler: compilerVersion(), solver, targets: [], unreached: [], mistakes: [] };
  for (const proofs of ALL.filter(({ file }) => file.includes(options.file))) {
    console.error(proofs.file);
    report.targets.push(...targetsOf(proofs));
    report.unreached.push(...unreached(proofs));
    for (const mistake of proofs.mistakes) {
      const [noticed] = failuresOf(proofs, mistake).map(({ at, text }) => `${at} ${text}`);
      report.mistakes.push({ ...mistake, noticed: noticed ?? "" });
    }
  }
  return report;
}

const report = options.report ? (JSON.parse(readFileSync(FILE, "utf8")) as Report) : run();
print(report);
if (options.file === "" && !options.report) writeFileSync(FILE, `${JSON.stringify(report, null, 2)}\n`);
