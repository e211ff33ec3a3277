/** NVIDIA's own assembler, which compiles PTX without a GPU, where it is installed. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Entry, moduleText } from "../../src/repops/backends/cuda/ptx.ts";

/** Turing, Ampere, Hopper, Blackwell. */
export const PROCESSORS = ["sm_75", "sm_80", "sm_90", "sm_100"] as const;

/** Whether it is there; where it is not, a line is printed. */
export function hasPtxas(): boolean {
  try {
    execFileSync("ptxas", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.log("skipped: there is no ptxas (CUDA's toolkit), so no emitted kernel is assembled");
    return false;
  }
}

export interface Assembled {
  /** What it refuses, or nothing. */
  errors: string;
  /** Of each kernel, in the order of the entries: registers, and bytes that were moved to memory for want of them. */
  registers: number[];
  spilled: number[];
}

export async function assemble(
  entries: readonly Entry[] | string,
  processor: string,
  folder: string,
): Promise<Assembled> {
  const work = await mkdtemp(join(folder, "ptx-"));
  const source = join(work, "module.ptx");
  await writeFile(source, typeof entries === "string" ? entries : moduleText(entries));
  const child = spawn("ptxas", ["-v", "--gpu-name", processor, "-o", join(work, "module.cubin"), source]);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const found = text.matchAll(
    /Compiling entry function 'k(\d+)'[\s\S]*?(\d+) bytes spill stores, (\d+) bytes[\s\S]*?Used (\d+) registers/g,
  );
  const [registers, spilled]: number[][] = [[], []];
  for (const [, number, stores, loads, used] of found) {
    registers[Number(number)] = Number(used);
    spilled[Number(number)] = Number(stores) + Number(loads);
  }
  return { errors: status === 0 ? "" : text.slice(0, 2000), registers, spilled };
}
