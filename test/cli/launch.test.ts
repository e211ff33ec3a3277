/** The start on a machine without a POSIX shell: scripts/launch.js, in a checkout of its own with an npm that only notes. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../fixtures/folder.ts";

const path = temporaryFolder();
for (const folder of ["scripts", "src", "src/cli", "tools"]) mkdirSync(path(folder));
copyFileSync(fileURLToPath(new URL("../../scripts/launch.js", import.meta.url)), path("scripts/launch.js"));
writeFileSync(path("package.json"), '{"type":"module"}');
writeFileSync(path("package-lock.json"), "{}");
writeFileSync(path("src/cli/main.ts"), "console.log('main', ...process.argv.slice(2)); process.exitCode = 7;");
writeFileSync(path("scripts/test.ts"), "console.log('test', ...process.argv.slice(2));");
writeFileSync(path("tools/npm"), '#!/bin/sh\necho "$@" >>"$NOTES"\n[ -z "$BROKEN" ] && mkdir -p node_modules\n');
chmodSync(path("tools/npm"), 0o755);

function launch(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path("scripts/launch.js"), ...args], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${path("tools")}${delimiter}${process.env["PATH"]}`, NOTES: path("notes"), ...env },
  });
  return { status, stdout, stderr };
}
const installs = (): number =>
  existsSync(path("notes")) ? readFileSync(path("notes"), "utf8").split("\n").length - 1 : 0;

test("packages that can't be installed are said, with no result's exit code", () => {
  const { status, stderr } = launch(["--version"], { BROKEN: "1" });
  expect(status).toBe(3);
  expect(stderr).toContain("could not be installed");
});

test("the packages are installed once, and again when the lockfile changes", () => {
  const before = installs();
  expect(launch(["run", "a b"])).toMatchObject({ status: 7, stdout: "main run a b\n" });
  expect(installs()).toBe(before + 1);
  expect(launch([]).stderr).toBe("");
  expect(installs()).toBe(before + 1);
  writeFileSync(path("package-lock.json"), "{ }");
  launch([]);
  expect(installs()).toBe(before + 2);
  expect(readFileSync(path("notes"), "utf8")).toContain("ci --ignore-scripts");
});

test("test starts the tests, with their arguments", () => {
  expect(launch(["test", "test/graph"])).toMatchObject({ status: 0, stdout: "test test/graph\n" });
});

test("verde.cmd starts it", () => {
  const script = readFileSync(new URL("../../verde.cmd", import.meta.url), "utf8");
  expect(script).toContain('node "%~dp0scripts\\launch.js" %*');
});
