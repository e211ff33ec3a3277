/** Finds the NVIDIA card of this process, and opens it once for all sessions. */
import { fs } from "../../../encoding/node.ts";
import { BackendError } from "../../../errors/index.ts";
import { quote } from "../../../errors/text.ts";
import { CARD_VARIABLE } from "./card.ts";
import { CudaDevice } from "./device.ts";
import { Driver, Result } from "./driver.ts";
import { errorOf } from "./failures.ts";
import { LEAST_CAPABILITY, PTX_VERSION } from "./ptx.ts";

/** The oldest driver interface that compiles the emitted PTX, as the driver counts: CUDA 11.4. */
const LEAST_DRIVER = 11_040;
/** Attributes of a device (`CUdevice_attribute`). */
const Attribute = { processors: 16, major: 75, minor: 76 } as const;
const MOST_NAME = 256;

const versionText = (version: number): string => `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;

let current: Promise<CudaDevice> | undefined;
/** Whether a device was lost: the next attempt that succeeds opens it anew. */
let isLost = false;

/**
 * The device that all sessions of this process share: the driver's first, or the one that `VERDE_CUDA_DEVICE`
 * names; opened anew when it was lost. `CUDA_VISIBLE_DEVICES` says which ones the driver shows, and in which
 * order.
 * @throws {BackendError} when there is no driver, no such device, or the driver is too old
 */
export function openCuda(): Promise<CudaDevice> {
  // Set before anything is awaited: of two callers at once, the second one waits for the first.
  return (current = usableAfter(current));
}

async function usableAfter(known: Promise<CudaDevice> | undefined): Promise<CudaDevice> {
  const before = await known?.catch(() => undefined);
  if (before?.usable) return before;
  isLost ||= before !== undefined;
  const device = await open();
  isLost = false;
  return device;
}

function expect(code: number, doing: string): void {
  if (code !== Result.success) throw errorOf(code, "the NVIDIA driver", doing);
}

/** Starts the driver. @returns the version of its interface, and how many cards it shows: at least one */
function start(driver: Driver): { version: number; count: number } {
  expect(driver.call("cuInit", 0), "start");
  expect(driver.call("cuDriverGetVersion", driver.results), "tell its version");
  const version = driver.integer();
  if (version < LEAST_DRIVER)
    throw new BackendError(
      "DRIVER_OLD",
      `the NVIDIA driver has the interface of CUDA ${versionText(version)}, and ${versionText(LEAST_DRIVER)} is the oldest that compiles PTX ${PTX_VERSION}; install a newer driver, or use webgpu or wasm`,
      { expected: LEAST_DRIVER, found: version },
    );
  expect(driver.call("cuDeviceGetCount", driver.results), "count its devices");
  const count = driver.integer();
  if (count === 0)
    throw new BackendError("DEVICE_MISSING", "the NVIDIA driver has no device; install a card, or use native or wasm");
  return { version, count };
}

/**
 * How many cards the driver shows.
 * @throws {BackendError} when there is no driver, no card, or the driver is too old
 */
export async function countCards(): Promise<number> {
  return start(await Driver.load()).count;
}

/** The number of the card that this process uses. */
function cardOf(count: number): number {
  const text = process.env[CARD_VARIABLE] ?? "0";
  if (/^\d{1,4}$/.test(text) && Number(text) < count) return Number(text);
  throw new BackendError(
    "DEVICE_MISSING",
    `there is no card ${quote(text)}, which ${CARD_VARIABLE} names: the NVIDIA driver shows ${count}; write a number from 0 to ${count - 1}`,
    { expected: count, found: text },
  );
}

async function open(): Promise<CudaDevice> {
  const driver = await Driver.load();
  const { results } = driver;
  const { version, count } = start(driver);
  expect(driver.call("cuDeviceGet", results, cardOf(count)), "give its device");
  const device = driver.integer();
  expect(driver.call("cuDeviceGetName", results, MOST_NAME, device), "tell its device's name");
  const name = driver.text(MOST_NAME);
  const attribute = (number: number): number => {
    expect(driver.call("cuDeviceGetAttribute", results, number, device), "tell what its device can do");
    return driver.integer();
  };
  const [major, minor, processors] = [Attribute.major, Attribute.minor, Attribute.processors].map(attribute);
  if (10 * major + minor < LEAST_CAPABILITY)
    throw new BackendError(
      "DEVICE_REFUSED",
      `${name} has compute capability ${major}.${minor}, and kernels need ${LEAST_CAPABILITY / 10}; use webgpu, native or wasm`,
      { expected: LEAST_CAPABILITY, found: 10 * major + minor },
    );
  expect(driver.call("cuDeviceTotalMem_v2", results, device), "tell its device's memory");
  const memory = driver.number();
  if (isLost) expect(driver.call("cuDevicePrimaryCtxReset_v2", device), "open its device anew");
  expect(driver.call("cuDevicePrimaryCtxRetain", results, device), "open its device");
  expect(driver.call("cuCtxSetCurrent", driver.number()), "use its device");
  const facts = {
    name,
    cuda: versionText(version),
    release: await releaseOf(),
    capability: `${major}.${minor}`,
    ptx: PTX_VERSION,
    memory,
    processors,
  };
  return new CudaDevice(driver, facts);
}

/** The driver's release, such as `550.54.14`; `unknown` where the system does not tell it. */
async function releaseOf(): Promise<string> {
  const text = await fs.readFile("/proc/driver/nvidia/version", "utf8").catch(() => "");
  return /\b\d+\.\d+(\.\d+)?\b/.exec(text)?.[0] ?? "unknown";
}
