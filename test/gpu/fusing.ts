/**
 * Does a real GPU's compiler fuse what must not be fused? Mesa compiles every shader of the WebGPU backend
 * for AMD's GPUs, and the instructions are searched. No GPU is needed.
 *
 *     node test/gpu/fusing.ts [--json] [FAMILY…]
 *
 * Exits with 0 if nothing is fused, with 1 if something is or the planted products are not seen, with 3 if
 * this machine lacks what it needs.
 */
import { FAMILIES, type Fusing, fusingOf, Radv } from "./radv.ts";

const json = process.argv.includes("--json");
const named = process.argv.slice(2).filter((argument) => argument !== "--json");
const families: readonly string[] = named.length > 0 ? named : FAMILIES;

const sees = ({ planted }: Fusing): boolean => Object.values(planted).every((fused) => fused.length > 0);

function print(fusing: Fusing): void {
  const { family, shaders, products, sums, found, planted } = fusing;
  const count = `${shaders} shaders, ${products} products, ${sums} sums`;
  const fused = found.length === 0 ? "nothing fused" : `FUSED in ${found.length} places`;
  const seen = Object.entries(planted).map(([name, all]) => `${all.length} ${all[0] ?? ""} in the ${name}`);
  console.log(`${family.padEnd(10)} ${count}: ${fused}; without the guard ${seen.join(", ")}`);
  for (const { part, fused: instructions } of found) console.log(`           ${part}: ${instructions.join(" ")}`);
}

const radv = Radv.open();
if (typeof radv === "string") {
  console.error(`skipped: ${radv}`);
  process.exitCode = 3;
} else
  try {
    for (const family of families) {
      const fusing = fusingOf(family, await radv.compile(family));
      if (json) console.log(JSON.stringify(fusing));
      else print(fusing);
      if (fusing.found.length > 0 || !sees(fusing)) process.exitCode = 1;
    }
  } finally {
    radv.close();
  }
