/** Installs the peers of the npm registry, for this benchmark alone: into the user's cache folder. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../src/files/places.ts";
import { Unable } from "./contender.ts";

const OWN = fileURLToPath(new URL(".", import.meta.url));
const FILES = ["package.json", "package-lock.json"];

/**
 * The folder with the packages. They are installed at the first call, without their install scripts.
 * @throws {Unable} when they can't be installed, as without a network
 */
export async function installPeers(say: (line: string) => void): Promise<string> {
  const cache = cacheFolder();
  if (cache === undefined) throw new Unable("this user has no cache folder; name one in VERDE_CACHE");
  const hash = createHash("sha256");
  for (const file of FILES) hash.update(readFileSync(join(OWN, file)));
  const folder = join(cache, "peers", hash.digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  say(`installing onnxruntime and TensorFlow.js into ${folder}, for the benchmark alone (about 740 MB)`);
  try {
    mkdirSync(partial, { recursive: true });
    for (const file of FILES) cpSync(join(OWN, file), join(partial, file));
    await npm(partial);
    if (!existsSync(folder)) renameSync(partial, folder);
    return folder;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** A registry that can't be reached is given up soon. */
const SETTINGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"];

function npm(folder: string): Promise<void> {
  const command = process.platform === "win32" ? "npm.cmd" : "npm";
  return new Promise((resolve, reject) => {
    const child = spawn(command, ["ci", ...SETTINGS], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const fail = (why: string): void =>
      reject(new Unable(`the packages can't be installed (${why}); connect to a registry of npm and try again`));
    child.on("error", ({ message }) => fail(message));
    child.on("close", (status) => (status === 0 ? resolve() : fail(reasonOf(stderr) ?? `npm ends with ${status}`)));
  });
}

/** The first line of npm's error that says what happened. */
function reasonOf(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim());
  return lines.find((line) => /^(code|network|request|connect)\b/i.test(line) || /E[A-Z]{4,}/.test(line));
}
