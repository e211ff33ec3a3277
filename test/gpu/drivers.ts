/**
 * The Vulkan drivers of this machine that have an adapter. The driver is chosen for a whole process, so each
 * is asked in a process of its own.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DESCRIBE = fileURLToPath(new URL("describe.ts", import.meta.url));
/** Where distributions and vendors install the descriptions of Vulkan's drivers. */
const FOLDERS = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

export const hasPackage = (): boolean => {
  try {
    return createRequire(import.meta.url).resolve("webgpu") !== "";
  } catch {
    return false;
  }
};

/** Every installed driver: paths of descriptions. */
export function installedDrivers(): string[] {
  const paths = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => join(folder, name)),
  );
  return [SWIFTSHADER, ...paths].filter((path) => existsSync(path));
}

/** Why a driver has no adapter here, in its own words; undefined if it has one, or if it crashes. */
function whyNone(driver: string): string | undefined {
  const env = { ...process.env, VK_ICD_FILENAMES: driver };
  const { stdout } = spawnSync(process.execPath, [DESCRIBE], { env, encoding: "utf8" });
  // A driver that crashes is not left out: the tests have to show it.
  return stdout.startsWith("{") ? (JSON.parse(stdout) as { none?: string }).none : undefined;
}

/** The drivers with an adapter; `say` is called with the reason for each other driver. */
export function driversWithAdapter(say: (line: string) => void): string[] {
  if (!hasPackage()) {
    say("skipped: WebGPU, since the package webgpu is not installed (npm ci)");
    return [];
  }
  const installed = installedDrivers();
  if (installed.length === 0)
    say("skipped: WebGPU, since no Vulkan driver is installed (Debian: chromium has SwiftShader)");
  return installed.filter((driver) => {
    const why = whyNone(driver);
    if (why !== undefined) say(`skipped: ${driver}: ${why}`);
    return why === undefined;
  });
}
