// Starts the checkout where there is no POSIX shell: installs the packages of the lockfile if they are missing, then runs
// the command line, or with `test` the tests. It is plain JavaScript, so that an old Node can say what is wrong.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends with an exit code that no result of a comparison has. */
function stop(sentence) {
  process.stderr.write(`verde: ${sentence}\n`);
  process.exit(3);
}

function run(command, args, options) {
  const { status, signal, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error) stop(`${command} can't be started: ${error.message}`);
  return signal ? 128 : status;
}

if (Number.parseInt(process.versions.node, 10) < NEEDED)
  stop(
    `this needs Node ${NEEDED} or newer, and this is Node ${process.versions.node}; install Node ${NEEDED} and start again`,
  );

const lockfile = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const wanted = `${lockfile} node ${process.versions.modules} ${process.platform}-${process.arch}`;
const stamp = join(root, "node_modules", ".verde-launched");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  process.stderr.write("verde: installing the packages of package-lock.json (once)\n");
  // On Windows npm is a script, which only a shell starts. No package needs its own scripts.
  const windows = process.platform === "win32";
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  if (run(windows ? "npm.cmd" : "npm", args, { cwd: root, shell: windows }) !== 0)
    stop("the packages could not be installed (see above); check the network and start again");
  writeFileSync(stamp, wanted);
}

process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "verde-compiled");
const [first, ...rest] = process.argv.slice(2);
const start =
  first === "test"
    ? [join(root, "scripts", "test.ts"), ...rest]
    : [join(root, "src", "cli", "main.ts"), ...process.argv.slice(2)];
process.exitCode = run(process.execPath, ["--disable-warning=ExperimentalWarning", ...start]);
