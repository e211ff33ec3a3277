/**
 * Mesa's RADV as a compiler for AMD's GPUs on a machine without one: its device without hardware, under a
 * layer that accepts the commands that it cannot record.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Part, partsOf } from "./disassembly.ts";
import { hasPackage, installedDrivers } from "./drivers.ts";

/** GCN 4 and 5, CDNA 2, RDNA 1 to 4. */
export const FAMILIES = ["polaris10", "vega10", "mi200", "navi10", "navi21", "navi31", "gfx1150", "gfx1201"] as const;

const SOURCE = fileURLToPath(new URL("null-queue.c", import.meta.url));
const COMPILE_ALL = fileURLToPath(new URL("compile-all.ts", import.meta.url));
const LAYER = "VK_LAYER_VERDE_null_queue";

const radeon = (): string | undefined => installedDrivers().find((path) => /radeon_icd[^/]*\.json$/.test(path));

/** The layer, compiled into a folder of its own. */
export class Radv {
  private readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Returns a sentence that says why there is no RADV here, if so. */
  static open(): Radv | string {
    if (!hasPackage()) return "the package webgpu is not installed (npm ci)";
    if (!radeon()) return "Mesa's RADV is not installed (Debian: mesa-vulkan-drivers, of the backports in Debian 12)";
    const folder = mkdtempSync(join(tmpdir(), "verde-radv-"));
    const library = join(folder, "null-queue.so");
    const flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"];
    const { status, error, stderr } = spawnSync("cc", [...flags, "-o", library, SOURCE], { encoding: "utf8" });
    if (status !== 0) {
      rmSync(folder, { recursive: true });
      return `the layer ${SOURCE} does not compile; it takes cc and Vulkan's headers (Debian: gcc, libc6-dev, libvulkan-dev): ${error?.message ?? stderr.trim()}`;
    }
    const layer = {
      name: LAYER,
      type: "GLOBAL",
      library_path: library,
      api_version: "1.3.0",
      implementation_version: "1",
      description: "Commands and queues that do nothing",
    };
    writeFileSync(join(folder, `${LAYER}.json`), JSON.stringify({ file_format_version: "1.1.2", layer }));
    return new Radv(folder);
  }

  /**
   * Every shader of the backend, as RADV compiles it for a family of GPUs.
   * @throws {Error} when the compiling process fails, with the end of what it wrote
   */
  async compile(family: string): Promise<Part[]> {
    const env = {
      ...process.env,
      VK_ICD_FILENAMES: radeon(),
      VK_LAYER_PATH: this.folder,
      VK_INSTANCE_LAYERS: LAYER,
      RADV_FORCE_FAMILY: family,
      RADV_DEBUG: "asm,nocache",
    };
    const { stderr } = await promisify(execFile)(process.execPath, [COMPILE_ALL], { env, maxBuffer: 2 ** 28 });
    return partsOf(stderr);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A family's outcome. */
export interface Fusing {
  family: string;
  shaders: number;
  products: number;
  sums: number;
  /** Where something is fused that must not be. */
  found: readonly { part: string; fused: readonly string[] }[];
  /**
   * What is fused in products without a guard: each must have fused instructions, or the search does not see
   * them.
   */
  planted: Readonly<Record<string, readonly string[]>>;
}

const PLANTED = "planted: ";

export function fusingOf(family: string, parts: readonly Part[]): Fusing {
  const own = parts.filter(({ name }) => !name.startsWith(PLANTED));
  const total = (count: (part: Part) => number): number => own.reduce((sum, part) => sum + count(part), 0);
  return {
    family,
    shaders: total(({ shaders }) => shaders),
    products: total(({ products }) => products),
    sums: total(({ sums }) => sums),
    found: own.filter(({ fused }) => fused.length > 0).map(({ name, fused }) => ({ part: name, fused })),
    planted: Object.fromEntries(
      parts
        .filter(({ name }) => name.startsWith(PLANTED))
        .map(({ name, fused }) => [name.slice(PLANTED.length), fused]),
    ),
  };
}
