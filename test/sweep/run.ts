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
 * @throws {Error} with the output when a test of it fails
 */
export function runSweep(name: string, files: Iterable<CaseFile>): void {
  const folder = new URL(`../../.hardhat/sweep/${name}/cases/`, import.meta.url);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let count = 0;
  for (const { kind, cases } of files)
    writeFileSync(new URL(`${count++}`, folder), Buffer.concat([Uint8Array.of(kind), cases]));
  writeFileSync(new URL("count", folder), new Uint8Array(count));
  const args = ["--config", "test/sweep/hardhat.config.ts", "test", "solidity", `test/sweep/${name}.t.sol`];
  const { status, stdout, stderr } = spawnSync(`${root}node_modules/.bin/hardhat`, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, VERDE_SWEEP: name, HARDHAT_DISABLE_TELEMETRY: "true", NO_COLOR: "1" },
  });
  rmSync(folder, { recursive: true });
  if (status !== 0 || !/[1-9]\d* passing/.test(stdout)) throw new Error(stdout + stderr);
}
