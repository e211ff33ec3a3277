/**
 * Mutation run over contracts/: each mutant is one small change, and the Solidity tests have to fail on it.
 * `node scripts/mutate.ts` prints the survivors and writes `test/solidity/mutants.json`. Each survivor there
 * has a reason, or the script fails. It takes hours on a machine of its own, so run it by hand, in a copy of
 * the checkout, after a change of contracts. `--file Exits` takes one contract, `--alone` runs only the test
 * that is named after it, `--every 10 --from 3` takes a sample, `--match "^require"` takes the mutants of
 * some lines. On a busy machine `--timeout 600` gives each run of tests more than a minute. `--report` runs
 * nothing: it prints how many mutants there were, how many were killed, and why the others were not.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface Mutant {
  file: string;
  line: number;
  before: string;
  after: string;
}
interface Survivor extends Mutant {
  /** Why no test can tell it from the original. */
  reason: string;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const FILE = join(root, "test/solidity/mutants.json");
/** Interfaces and ids have no code, constants are generated, the token is OpenZeppelin's. */
const SKIPPED = /interfaces|local|(Ids|Opcodes|SaleTypes|Tags)\.sol/;

/** Pattern and replacement; every match on a line of code makes a mutant of its own. */
const OPERATORS: readonly [RegExp, string][] = [
  [/ == /g, " != "],
  [/ != /g, " == "],
  [/ <= /g, " < "],
  [/ >= /g, " > "],
  [/ < /g, " <= "],
  [/ > /g, " >= "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ \* /g, " + "],
  [/ \+= /g, " -= "],
  [/ -= /g, " += "],
  [/ & /g, " | "],
  [/ \| /g, " & "],
  [/ & ~/g, " & "],
  [/ \^ /g, " & "],
  [/\+\+;/g, "--;"],
  [/\bif \(!/g, "if ("],
  [/ \? (.+?) : (.+?);/g, " ? $2 : $1;"],
  [/\bcontinue;/g, ""],
  [/\breturn (_\w+\(.*\));/g, "$1;"],
  [/ onlyManager\b/g, ""],
  [/ nonReentrant\b/g, ""],
  // In assembly.
  [/(?<!function )\badd\(/g, "sub("],
  [/(?<!function )\bsub\(/g, "add("],
  [/\blt\(/g, "gt("],
  [/\bs?gt\(/g, "lt("],
  [/\bshl\(/g, "shr("],
  [/\bshr\(/g, "shl("],
  [/\band\(/g, "or("],
  [/\bx?or\(/g, "and("],
  [/(0x[0-9a-f]*)0\b/g, "$11"],
  [/(0x[0-9a-f]*)f\b/g, "$1e"],
];
/**
 * Statements whose removal a test has to notice: `require`, plain calls and assignments. Tests in TypeScript
 * check events.
 */
const STATEMENT = /^ *(require\(.*\);|_\w+\(.*\);|vault\.\w+\(.*\);|\S.* (\+|-|\|)?= .*;|delete .*;|\S+(\+\+|--);)$/;

function mutantsOf(file: string, text: string): Mutant[] {
  const found: Mutant[] = [];
  const lines = text.split("\n");
  let inBody = false;
  for (const [i, line] of lines.entries()) {
    if (/^(library|contract|abstract contract)/.test(line)) inBody = true;
    if (!inBody || /^\s*(\/\/|\*|\/\*|error |event |using )/.test(line) || /\bconstant\b/.test(line)) continue;
    const add = (after: string): void => {
      if (after !== line) found.push({ file, line: i + 1, before: line.trim(), after: after.trim() });
    };
    for (const [pattern, replacement] of OPERATORS)
      for (const match of line.matchAll(pattern)) {
        // No test can see what a revert for lack of gas returns.
        if (line.lastIndexOf("revert(", match.index) >= 0) continue;
        const changed = match[0].replace(new RegExp(pattern.source), replacement);
        add(line.slice(0, match.index) + changed + line.slice(match.index + match[0].length));
      }
    if (
      STATEMENT.test(line) &&
      !/^\s*(uint|bool|bytes|address|mapping|\w+ (memory|storage|calldata)) ?\w* ?.*=/.test(line)
    )
      add("");
  }
  return found;
}

const sameMutant = (a: Mutant, b: Mutant): boolean => a.file === b.file && a.before === b.before && a.after === b.after;

/** The test that most probably notices a change of the file. The others run only if it does not. */
const FIRST: readonly [RegExp, string][] = [
  [/StakeVault/, "StakeVault"],
  [/SeatDraw|EarlyWord/, "SeatDraw"],
  [/SeatList/, "SeatList"],
  [/Canaries/, "Canaries"],
  [/RoundGame/, "RoundGame"],
  [/RoundManager|rounds\/Performances/, "Performances"],
  [/rounds\/InstanceStore/, "RoundAttacks"],
  [/rounds\/Rolls|rounds\/HandedOn|RoundQuestions/, "RoundRolls"],
  [/rounds\//, "RoundVerdicts"],
  [/SaleMoney|ExactTransfer/, "SaleMoney"],
  [/Sealing/, "Sealing"],
  [/Exchange/, "Exchange"],
  [/RefereeCommittee/, "RefereeCommittee"],
  [/Commitments|MerkleTree|TensorType/, "Commitments"],
  [/Terms|TaskWord/, "Terms"],
  [/Float32/, "Float32"],
  [/MicroStep/, "MicroStep"],
  [/KernelPoint/, "KernelPoint"],
  [/Delivery/, "Delivery"],
  [/Disputes/, "Disputes"],
  [/Exits|Payouts/, "Exits"],
  [/KernelHead/, "KernelHead"],
  [/Tape/, "Tape"],
  [/Judge|Operands|Leaves|TaggedHash/, "Operands"],
  [/GasBonds/, "GasBonds"],
  [/DisputeGame|Brackets/, "DisputeGame"],
  [/Clocks/, "Clocks"],
  [/JobHash/, "JobHash"],
  [/Agreed/, "Agreed"],
  [/Rounds|GameWord|StateHash/, "Moves"],
  [/TreeShape|Answers|Descent/, "Counter"],
  [/game\/|training\//, "Bisection"],
  [/./, "Seats"],
];

/** All tests except the invariants, which take longer than all others together. */
const TESTS = [...new Set([...FIRST.map(([, test]) => test), "attacks/Attack15_ForeignBracket"])];
const fileOf = (test: string): string => `test/solidity/${test}.t.sol`;

/** True when the mutant does not compile, or a test fails on it. */
function killed(copy: string, mutant: Mutant): boolean {
  const path = join(copy, mutant.file);
  const original = readFileSync(path, "utf8");
  const lines = original.split("\n");
  lines[mutant.line - 1] = mutant.after;
  writeFileSync(path, lines.join("\n"));
  const first = FIRST.find(([pattern]) => pattern.test(mutant.file))![1];
  const fails = (...tests: string[]): boolean =>
    spawnSync(join(root, "node_modules/.bin/hardhat"), ["test", "solidity", ...tests], {
      cwd: copy,
      timeout: 1000 * Number(options.timeout),
      env: { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" },
    }).status !== 0;
  const others = TESTS.filter((test) => test !== first);
  const noticed = fails(fileOf(first)) || (!options.alone && fails(...others.map(fileOf)));
  writeFileSync(path, original);
  return noticed;
}

const { values: options } = parseArgs({
  options: {
    file: { type: "string" },
    alone: { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    match: { type: "string", default: "" },
    timeout: { type: "string", default: "60" },
    report: { type: "boolean", default: false },
  },
});
if (options.report) {
  const {
    run,
    mutants: count,
    survivors: left,
  } = JSON.parse(readFileSync(FILE, "utf8")) as {
    run: string;
    mutants: number;
    survivors: Survivor[];
  };
  console.log(`${count} mutants, ${count - left.length} killed, ${left.length} survived (${run})`);
  for (const { file, line, before, after, reason } of left)
    console.log(`\n${file}:${line}\n  - ${before}\n  + ${after}\n  ${reason || "no reason is given"}`);
  process.exit(left.some(({ reason }) => reason === "") ? 1 : 0);
}
const only = options.file;
const [every, from] = [Number(options.every), Number(options.from)];
const files = readdirSync(join(root, "contracts"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".sol") && !SKIPPED.test(file) && (only === undefined || file.includes(only)))
  .sort();
const mutants = files
  .flatMap((file) => mutantsOf(join("contracts", file), readFileSync(join(root, "contracts", file), "utf8")))
  .filter(({ before }) => new RegExp(options.match).test(before))
  .filter((_, i) => i % every === from);
const copy = mkdtempSync(join(tmpdir(), "verde-mutants-"));
for (const part of ["contracts", "test/solidity", "test/vectors", "hardhat.config.ts", "package.json"])
  cpSync(join(root, part), join(copy, part), { recursive: true });
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

const known = (JSON.parse(readFileSync(FILE, "utf8")) as { survivors: Survivor[] }).survivors;
const survivors: Survivor[] = [];
if (killed(copy, { file: mutants[0].file, line: 1, before: "", after: "// no change" }))
  throw new Error("the tests fail without any mutation");
for (const [i, mutant] of mutants.entries()) {
  if (i % 20 === 0) console.error(`${i}/${mutants.length} ${mutant.file}`);
  if (killed(copy, mutant)) continue;
  const reason = known.find((survivor) => sameMutant(survivor, mutant))?.reason ?? "";
  survivors.push({ ...mutant, reason });
  console.log(
    `${i + 1}/${mutants.length} survived: ${mutant.file}:${mutant.line}\n  - ${mutant.before}\n  + ${mutant.after}\n  ${reason}`,
  );
}
rmSync(copy, { recursive: true });
console.log(`${mutants.length} mutants, ${mutants.length - survivors.length} killed, ${survivors.length} survived`);
if (only === undefined && every === 1 && options.match === "")
  writeFileSync(FILE, `${JSON.stringify({ run: "all mutants", mutants: mutants.length, survivors }, null, 2)}\n`);
if (survivors.some(({ reason }) => reason === "")) process.exitCode = 1;
