/** Failures of backends and devices. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const BACKEND = {
  PACKAGE_MISSING: {
    when: "An optional package is not installed.",
    remedy: "Install it as the message says, or use `--backend wasm`.",
  },
  PACKAGE_BROKEN: {
    when: "A package that the backend needs is there, but it can't be loaded or lacks what is needed.",
    remedy: "Install the version that the message names, or use `--backend wasm`.",
  },
  COMPILER_MISSING: {
    when: "There is no C compiler, or the one in `VERDE_CC` can't be run.",
    remedy: "Install gcc or clang, or name one in `VERDE_CC`; or use `--backend wasm`.",
  },
  DEVICE_MISSING: {
    when: "This machine has no such device or mode.",
    remedy: "Install a driver, or use `--backend wasm`.",
  },
  DEVICE_REFUSED: {
    when: "The device exists, but it can't be opened.",
    remedy: "Stop other programs that use it, or use `--backend wasm`.",
  },
  DRIVER_OLD: {
    when: "A device's driver is too old for the backend.",
    remedy: "Install the newer driver that the message names, or use `--backend wasm`.",
  },
  DEVICE_ECC: {
    when: "A device's memory has an error that it can't correct.",
    remedy: "Continue with `verde run JOB --out FILE --resume`, on another device if it happens again.",
  },
  DEVICE_LOST: {
    when: "The device was lost during the run.",
    remedy: "Continue with `verde run JOB --out FILE --resume`.",
  },
  MEMORY: { when: "There is too little memory.", remedy: "Use a smaller batch or model, or free memory." },
  KERNEL_UNKNOWN: {
    when: "Roots or outputs are requested of a kernel that the list does not have.",
    remedy: "Name kernels of the list; the message names the last one.",
  },
  UNSUPPORTED: { when: "The backend can't run this kernel.", remedy: "Use `--backend wasm`." },
  COMPILE: {
    when: "A compiler refuses generated code: a driver's a shader, or the C compiler a loop.",
    remedy: "Update the driver or the compiler, or use `--backend wasm`.",
  },
  INEXACT: {
    when: "The device changes numbers that it only copies.",
    remedy: "Use another device or mode, or `--backend wasm`.",
  },
  CLOSED: { when: "A session is used after it was closed.", remedy: "Prepare a new session." },
  MOVED: {
    when: "An output is read after a session moved it into an input.",
    remedy: "Read the input, or execute the list again first.",
  },
  INPUT: {
    when: "A session is given a tensor for an input that it does not have, or of another type.",
    remedy: "Give each input a tensor of the type that the message names.",
  },
  FAILED: { when: "A kernel failed on the device.", remedy: "Try another mode, or use `--backend wasm`." },
  BYTE_ORDER: {
    when: "This machine stores numbers with their highest byte first (big-endian).",
    remedy: "Use a little-endian machine: x86, ARM and RISC-V are.",
  },
  PORT: { when: "A server can't use the port.", remedy: "Choose another port, or 0 for any free port." },
} as const satisfies SubCodes;

/** A key of `BACKEND`. */
export type BackendSubCode = keyof typeof BACKEND;

/**
 * A backend can't do what is requested: a missing package or device, too little memory, an unsupported
 * program.
 */
export class BackendError extends VerdeError<"VERDE_BACKEND", BackendSubCode> {
  constructor(subCode: BackendSubCode, message: string, evidence?: Evidence) {
    super("VERDE_BACKEND", subCode, message, evidence);
  }
}

export const DEVICE = {
  BITS: {
    when: "A device's results differ from the specification's.",
    remedy: "Use `--backend wasm`; `verde certify --backend NAME` shows all differences.",
  },
} as const satisfies SubCodes;

/** A key of `DEVICE`. */
export type DeviceSubCode = keyof typeof DEVICE;

/** A device does not have the bits of the specification (`verde certify`): nothing may run on it. */
export class DeviceError extends VerdeError<"VERDE_DEVICE", DeviceSubCode> {
  constructor(subCode: DeviceSubCode, message: string, evidence?: Evidence) {
    super("VERDE_DEVICE", subCode, message, evidence);
  }
}
