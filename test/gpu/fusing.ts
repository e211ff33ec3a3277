/**
 * Does a real GPU's compiler fuse what must not be fused? Every shader of the WebGPU backend, compiled for AMD's GPUs by
 * Mesa, and the instructions searched. No GPU is needed.
 *
 *     node test/gpu/fusing.ts [--json] [FAMILY…]
 *
 * Exits 0 when nothing is fused, 1 when something is or the planted products are not seen, 3 when it can't be done here.
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
