/** How long native code takes to start for the demo's job: at first, compiler included, and later. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../src/errors/index.ts";
import { median } from "../measure.ts";
import { Unable } from "./contender.ts";
import type { Report } from "./groups.ts";

const SCRIPT = fileURLToPath(new URL(`start${import.meta.url.slice(-3)}`, import.meta.url));
const FIRST = 3;
const LATER = 7;

/** @returns the seconds until the first training step could begin */
function start(backend: string, folder: string): Promise<number> {
  const inside = (name: string): string => join(folder, name);
  const kept = { VERDE_CACHE: inside("cache"), VERDE_STATE: inside("state") };
  // The launcher has Node keep the modules that it has compiled.
  const env = { ...process.env, ...kept, NODE_COMPILE_CACHE: inside("modules") };
  const child = spawn(process.execPath, [SCRIPT, backend], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve((JSON.parse(stdout) as { seconds: number }).seconds);
      else if (status === 2) reject(new Unable(stderr.trim()));
      else reject(new Error(`the start on ${backend} fails: ${stderr.trim()}`));
    });
  });
}

async function inFolders<T>(count: number, use: (folders: string[]) => Promise<T>): Promise<T> {
  const folders = Array.from({ length: count }, () => mkdtempSync(join(tmpdir(), "verde-bench-")));
  try {
    return await use(folders);
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Each first start has empty folders; later ones follow it in the same. WASM starts in turn. */
export async function compareStarts(report: Report): Promise<void> {
  try {
    await inFolders(FIRST, async (folders) => {
      const first: [number, number][] = [];
      for (const folder of folders) first.push([await start("native", folder), await start("wasm", folder)]);
      report.result(comparisonOf("first start for the demo's job, compiler included", first));
      const later: [number, number][] = [];
      for (let i = 0; i < LATER; i++) later.push([await start("native", folders[0]), await start("wasm", folders[0])]);
      report.result(comparisonOf("later start for the demo's job", later));
    });
  } catch (error) {
    report.skip("starts of native", messageOf(error), !(error instanceof Unable));
  }
}

function comparisonOf(name: string, pairs: readonly (readonly [number, number])[]) {
  const ratios = pairs.map(([ours, peer]) => peer / ours).sort((a, b) => a - b);
  const [ours, peer] = [0, 1].map((side) => median(pairs.map((pair) => pair[side])));
  const spread = [ratios[0], ratios[ratios.length - 1]] as const;
  return { name, ours, peer, peerName: "WASM", unit: "s", ratio: median(ratios), threads: 1, spread };
}
