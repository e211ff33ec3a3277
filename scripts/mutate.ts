/**
 * Mutation run over contracts/: each mutant is one small change, and the Solidity tests have to fail on it.
 * `node scripts/mutate.ts` prints the survivors and writes `test/solidity/mutants.json`. Each survivor there
 * has a reason, or the script fails. It takes an hour, so run it by hand after a change of contracts.
 *
 * All mutants are compiled once, into one build, in which the block's coinbase chooses the one that runs
 * (`mutants/schema.ts`). The few that this can't hold are compiled alone. A fuzzed test has all its inputs on
 * the contracts that it is named after, and fewer on the others.
 *
 * `--file Exits` takes the contracts of that name, `--alone` runs only the tests that are named after each,
 * `--every 10 --from 3` takes a sample, `--match "^require"` takes the mutants of some lines. `--report` runs
 * nothing: it prints how many mutants there were, how many were killed, and why the others were not.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, readBytes } from "./mutants/build.ts";
import { closures } from "./mutants/closures.ts";
import { firstOf } from "./mutants/first.ts";
import { changed, mutantsOf, sameMutant, type Edit, type Mutant } from "./mutants/mutants.ts";
import { schemaOf, viewed, type Numbered } from "./mutants/schema.ts";
import { Runner } from "./mutants/runner.ts";
import { ALL_RUNS, type Suite } from "./mutants/suites.ts";

interface Survivor extends Mutant {
  /** Why no test can tell it from the original. */
  reason: string;
}
interface Report {
  /** Which mutants there were. */
  run: string;
  mutants: number;
  survivors: Survivor[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const FILE = join(root, "test/solidity/mutants.json");
/** Interfaces and ids have no code, constants are generated, the token is OpenZeppelin's. */
const SKIPPED = /interfaces|local|portable|(Ids|Opcodes|SaleTypes|Tags)\.sol/;

const { values: options } = parseArgs({
  options: {
    file: { type: "string", default: "" },
    alone: { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    match: { type: "string", default: "" },
    report: { type: "boolean", default: false },
  },
});

function print({ run, mutants, survivors }: Report): void {
  console.log(`${mutants} mutants, ${mutants - survivors.length} killed, ${survivors.length} survived (${run})`);
  for (const { file, line, before, after, reason } of survivors)
    console.log(`\n${file}:${line}\n  - ${before}\n  + ${after}\n  ${reason || "no reason is given"}`);
  if (survivors.some(({ reason }) => reason === "")) process.exitCode = 1;
}

const solidityIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => join(folder, file))
    .sort();

/** Files of contracts that have mutants. */
const files = solidityIn("contracts").filter((file) => !SKIPPED.test(file) && file.includes(options.file));
const isNamed = (test: string): boolean => files.some((file) => test.endsWith(`/${firstOf(file)}.t.sol`));
/** All tests except the invariants, which take longer than all others together. */
const tests = solidityIn("test/solidity").filter(
  (file) => /(?<!nvariants?)\.t\.sol$/.test(file) && (!options.alone || isNamed(file)),
);

async function run(): Promise<Report> {
  const [every, from] = [Number(options.every), Number(options.from)];
  const parsed = build(tests, new Map(), "trees");
  // A number below 0x10000 could be an address that the EVM treats in a special way.
  const mutants: Numbered[] = files
    .filter((file) => parsed.trees.has(file))
    .flatMap((file) => mutantsOf(file, readBytes(file)))
    .filter(({ mutant }) => new RegExp(options.match).test(mutant.before))
    .filter((_, i) => i % every === from)
    .map((edit, i) => ({ edit, number: 0x10000 + i }));
  const texts = new Map([...parsed.trees.keys()].filter((file) => !file.startsWith("@")).map((file) => [file, readBytes(file)])); // prettier-ignore
  const alone = new Set<number>();
  for (const file of new Set(mutants.map(({ edit }) => edit.mutant.file))) {
    const own = mutants.filter(({ edit }) => edit.mutant.file === file);
    const schema = schemaOf(readBytes(file), parsed.trees.get(file)!, own);
    texts.set(file, schema.text);
    for (const { number } of schema.alone) alone.add(number);
  }
  console.error(`${mutants.length} mutants, of which ${alone.size} are compiled alone; the others are compiled now`);
  const runner = runnerOf(build(tests, viewed(texts), "code"));
  const passing = await runner.passing();
  const reads = closures(parsed.trees);

  /** The tests that can notice a change of a file, those named after it first. */
  const inOrder = (file: string, all: readonly Suite[]): Suite[] => {
    const first = firstOf(file);
    const isNamed = (suite: Suite): boolean => suite.file.endsWith(`/${first}.t.sol`);
    const named = all.filter(isNamed);
    // Most mutants fall to a few inputs, and the others are left to all of them.
    const own = [...named, ...named.map((suite) => ({ ...suite, runs: ALL_RUNS }))];
    const others = all.filter((suite) => !isNamed(suite) && reads.get(suite.file)!.has(file));
    return options.alone ? own : [...own, ...others];
  };
  const known = (JSON.parse(readFileSync(FILE, "utf8")) as Report).survivors;
  const survivors: Survivor[] = [];
  for (const [i, { edit, number }] of mutants.entries()) {
    const { mutant } = edit;
    if (i % 100 === 0) console.error(`${i}/${mutants.length} ${mutant.file}`);
    const isAlone = alone.has(number);
    const noticed = isAlone
      ? await killsAlone(edit, inOrder(mutant.file, passing))
      : await runner.notices(inOrder(mutant.file, passing), number);
    if (noticed) continue;
    const reason = known.find((survivor) => sameMutant(survivor, mutant))?.reason ?? "";
    survivors.push({ ...mutant, reason });
    print({ run: `${i + 1} so far`, mutants: i + 1, survivors: survivors.slice(-1) });
  }
  runner.close();
  const isWhole = options.file === "" && every === 1 && options.match === "" && !options.alone;
  return { run: isWhole ? "all mutants" : "some mutants", mutants: mutants.length, survivors };
}

function runnerOf({ errors, contracts }: ReturnType<typeof build>): Runner {
  if (errors.length > 0) throw new Error(errors[0].formattedMessage);
  return new Runner(root, contracts);
}

/**
 * @param order the tests that can notice it
 * @returns true when a mutant that is compiled alone does not compile, or a test fails on it
 */
async function killsAlone(edit: Edit, order: readonly Suite[]): Promise<boolean> {
  const { file } = edit.mutant;
  const texts = new Map([[file, changed(readBytes(file), edit)]]);
  if (build(tests, texts, "types").errors.length > 0) return true;
  const first = tests.filter((test) => test.endsWith(`/${firstOf(file)}.t.sol`));
  for (const some of options.alone ? [first] : [first, tests]) {
    const runner = runnerOf(build(some, texts, "code"));
    const can = order.filter((suite) => some.includes(suite.file));
    const isNoticed = await runner.notices(can, 0);
    runner.close();
    if (isNoticed) return true;
  }
  return false;
}

const report = options.report ? (JSON.parse(readFileSync(FILE, "utf8")) as Report) : await run();
print(report);
if (report.run === "all mutants" && !options.report) writeFileSync(FILE, `${JSON.stringify(report, null, 2)}\n`);
