/**
 * Runs the sweeps of this folder, which read their cases from files that `cases.ts` writes. They are never
 * part of the gate's Solidity tests.
 */
import { defineConfig } from "hardhat/config";
import base from "../../hardhat.config.ts";

/** A folder for one sweep, which run.ts makes. */
const folder = `.hardhat/sweep/${process.env.VERDE_SWEEP ?? "none"}`;

export default defineConfig({
  ...base,
  paths: {
    sources: "test/sweep/sources",
    artifacts: `${folder}/artifacts`,
    cache: `${folder}/cache`,
    tests: { solidity: "test/sweep" },
  },
  test: { solidity: { fsPermissions: { readDirectory: [`${folder}/cases`] } } },
});
