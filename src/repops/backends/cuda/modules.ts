/** Modules of PTX, which the driver compiles for its device and keeps for the next process. */
import type { CudaDevice } from "./device.ts";
import { type Driver, Result } from "./driver.ts";

/** Options of the driver's compiler (`CUjit_option`): where it writes what it refuses, and how much. */
const [LOG, LOG_BYTES] = [5, 6];
const MOST_LOG = 4096;
const OPTIONS = 32;

/**
 * The functions `k0`, `k1`, … of a module.
 * @throws {BackendError} with the compiler's first line where it refuses the text
 */
export function compileModule(device: CudaDevice, driver: Driver, text: string, entries: number): number[] {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const log = Math.ceil(bytes.length / 8) * 8;
  const options = log + MOST_LOG;
  // The driver reads and writes this while the call lasts.
  const memory = device.pinned.take(options + OPTIONS);
  try {
    const view = new DataView(memory.buffer);
    new Uint8Array(memory.buffer).set(bytes);
    view.setUint8(log, 0);
    for (const [i, option] of [LOG, LOG_BYTES].entries()) view.setInt32(options + 4 * i, option, true);
    for (const [i, value] of [memory.address + log, MOST_LOG].entries())
      view.setBigUint64(options + 8 + 8 * i, BigInt(value), true);
    const at = memory.address + options;
    const code = driver.call("cuModuleLoadDataEx", driver.results, memory.address, 2, at, at + 8);
    if (code !== Result.success) {
      const [first] = new TextDecoder().decode(new Uint8Array(memory.buffer, log, MOST_LOG)).split(/[\n\0]/, 1);
      throw device.failed(code, `compile ${entries} kernels${first ? `: ${first}` : ""}`);
    }
    const module = driver.number();
    return Array.from({ length: entries }, (_, i) => functionOf(device, driver, module, `k${i}`));
  } finally {
    device.pinned.give(memory);
  }
}

function functionOf(device: CudaDevice, driver: Driver, module: number, name: string): number {
  // The name is after the result.
  new Uint8Array(driver.scratch.buffer).set(new TextEncoder().encode(`${name}\0`), 64);
  device.run(`find ${name}`, "cuModuleGetFunction", driver.results, module, driver.results + 64);
  return driver.number();
}
