import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../fixtures/folder.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const path = temporaryFolder();

/** A command's stdout; a failure throws with its stderr. */
const verde = (...args: string[]): string =>
  execFileSync(process.execPath, [MAIN, ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });

test("the demo catches the cheat, and what it tells people to type works", () => {
  const story = verde("demo", "--steps", "6", "--out", path("demo"));
  expect(story).toContain("flip:step=4,operator=");
  expect(story).toMatch(/operator +blocks\.1\/mlp\.in\/matmul \(fold, operator \d+\)/);
  expect(story).toMatch(/element +\[\d+, \d+\]/);
  expect(story).toMatch(/fold index +63/);
  expect(story).toMatch(/cheating\.trace +0x[0-9a-f]{8} .*✗/);
  expect(story).toMatch(/recomputed +0x[0-9a-f]{8}/);
  expect(story).toMatch(/cheating\.trace is wrong\.\nThe referee executed 1 scalar step of the [\d,]+ of the run/);
  for (const file of ["honest.trace", "cheating.trace", "verdict.json"])
    expect(existsSync(path(`demo/${file}`))).toBe(true);

  const [, claims] = /verde check \S+ (--a 0x\w{64}@0x\w{40} --b 0x\w{64}@0x\w{40})/.exec(story)!;
  const checked = verde("check", path("demo/verdict.json"), ...claims.split(" "));
  expect(checked).toContain("b is wrong.");
  expect(verde("inspect", path("demo/honest.trace"))).toContain("136,960 parameters");
  expect(JSON.parse(readFileSync(path("demo/verdict.json"), "utf8"))).toMatchObject({
    schemaVersion: 3,
    kind: "proof",
  });
});
