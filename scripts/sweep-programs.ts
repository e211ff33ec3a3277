/**
 * Compares every scalar program in the EVM bit for bit with the interpreter of the definition, on many
 * adversarial inputs: `node scripts/sweep-programs.ts [inputs for each program, 4000] [seed, 1]`. The gate
 * runs a sample.
 */
import { fileURLToPath } from "node:url";
import type { Program } from "../src/repops/programs/program.ts";
import { everyProgram, outputBits, patterns } from "../test/contracts/every-program.ts";
import { openPoints, type Points } from "../test/contracts/points.ts";

/**
 * Runs a program on `count` adversarial inputs.
 * @returns the first inputs whose results differ, with both results
 */
export async function firstMismatch(
  points: Points,
  program: Program,
  count: number,
  seed: number,
): Promise<{ inputs: number[]; wanted: number; got: number } | undefined> {
  const next = patterns(seed);
  const rows = Array.from({ length: count }, () => program.inputs.map(next));
  const results = await points.run(program, rows);
  const at = rows.findIndex((inputs, i) => outputBits(program, inputs) !== results[i]);
  return at < 0 ? undefined : { inputs: rows[at], wanted: outputBits(program, rows[at]), got: results[at] };
}

async function sweep(count: number, seed: number): Promise<boolean> {
  const points = await openPoints();
  const programs = await everyProgram();
  let wrong = 0;
  for (const [i, { name, program }] of programs.entries()) {
    const mismatch = await firstMismatch(points, program, count, seed + 10 * i);
    if (mismatch) wrong++;
    console.log(mismatch ? `DIFFERS ${name}: ${JSON.stringify(mismatch)}` : `ok ${name}`);
  }
  console.log(`${programs.length} programs on ${count} inputs each (seed ${seed}), ${wrong} differ`);
  return wrong === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count = 4000, seed = 1] = process.argv.slice(2).map(Number);
  process.exitCode = (await sweep(count, seed)) ? 0 : 1;
}
