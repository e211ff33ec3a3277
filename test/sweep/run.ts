/** Runs a sweep of this folder: Solidity tests in the engine of Hardhat, over files of cases. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Cases in a file; the first byte says what they are for. */
export interface CaseFile {
  kind: number;
  cases: Uint8Array;
}

/**
 * @param name of a file `name.t.sol` here
 * @param files of a few MB each, since the test holds one in memory
 * @throws {Error} with the output if a test of it fails
 */
export function runSweep(name: string, files: Iterable<CaseFile>): void {
  // Two sweeps at one time must not share a folder.
  const own = `${name}-${process.pid}`;
  const folder = new URL(`../../.hardhat/sweep/${own}/`, import.meta.url);
  const cases = new URL("cases/", folder);
  mkdirSync(cases, { recursive: true });
  let count = 0;
  for (const file of files)
    writeFileSync(new URL(`${count++}`, cases), Buffer.concat([Uint8Array.of(file.kind), file.cases]));
  writeFileSync(new URL("count", cases), new Uint8Array(count));
  const args = ["--config", "test/sweep/hardhat.config.ts", "test", "solidity", `test/sweep/${name}.t.sol`];
  const { status, stdout, stderr } = spawnSync(`${root}node_modules/.bin/hardhat`, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, VERDE_SWEEP: own, HARDHAT_DISABLE_TELEMETRY: "true", NO_COLOR: "1" },
  });
  rmSync(folder, { recursive: true });
  if (status !== 0 || !/[1-9]\d* passing/.test(stdout)) throw new Error(stdout + stderr);
}
