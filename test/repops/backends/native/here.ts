/** Whether this machine can run the native backend, and the builds of it that it can test. */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../../../src/files/places.ts";
import type { Backend } from "../../../../src/repops/backends/backend.ts";
import { type NativeOptions, nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { BackendError } from "../../../../src/errors/index.ts";

/** Builds whose bits have to be equal: levels of optimization, narrower vectors, other compilers. */
const BUILDS: readonly NativeOptions[] = [
  { name: "native" },
  { name: "native without shortcuts", always: true, flags: ["-O1"] },
  { name: "native, cc -O1", flags: ["-O1"] },
  { name: "native, cc -O3", flags: ["-O3"] },
  { name: "native, cc without AVX-512", flags: ["-mno-avx512f"] },
  { name: "native, cc without AVX2 and SHA", flags: ["-mno-avx512f", "-mno-avx2", "-mno-sha"] },
  { name: "native, cc without AVX", flags: ["-mno-avx512f", "-mno-avx2", "-mno-avx", "-mno-sha"] },
  { name: "native, clang", command: "clang" },
];

/** The builds that this machine can make; for each other one, a line is printed. */
export async function nativeBuilds(): Promise<Backend[]> {
  const found: Backend[] = [];
  for (const options of BUILDS) {
    const backend = nativeWith(options);
    const wide = options.flags?.join() === "-mno-avx512f";
    try {
      const device = await backend.describe!();
      if (wide && (await nativeWith({}).describe!()).limits.lanes === device.limits.lanes)
        console.log(`skipped: ${options.name}: this processor has no AVX-512`);
      else found.push(backend);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      console.log(`skipped: ${options.name}: ${error.message}`);
    }
  }
  return found;
}

/** Fused multiply-adds and -subtracts of x86 and arm64. */
const FUSED = /\bv?fn?m(?:add|sub)\w*|\bfml[as]\b|\bfn?m(?:add|sub)\b/;

/**
 * The first fused instruction of each compiled object in the cache; `undefined` where there is no objdump.
 */
export async function fusedIn(least: number): Promise<string[] | undefined> {
  const folder = join(cacheFolder()!, "native");
  const objects = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith("object.so"));
  if (objects.length < least) throw new Error(`only ${objects.length} objects are in ${folder}`);
  const found: string[] = [];
  for (const object of objects)
    try {
      const disassemble = promisify(execFile)("objdump", ["-d", "--no-show-raw-insn", join(folder, object)], {
        maxBuffer: 2 ** 28,
      });
      const [fused] = FUSED.exec((await disassemble).stdout) ?? [];
      if (fused !== undefined) found.push(`${object}: ${fused}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  return found;
}
