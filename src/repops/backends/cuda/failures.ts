/** What the driver reports, as errors that say what to do (CUDA driver API, `CUresult`). */
import { BackendError, type BackendSubCode } from "../../../errors/index.ts";

interface Failure {
  readonly name: string;
  readonly subCode: BackendSubCode;
  /** Whether nothing can be done with the device in this process until it is opened anew. */
  readonly isLost: boolean;
}

const RESUME = "what was recorded is intact, and a run continues with --resume";
const REMEDIES: Partial<Record<BackendSubCode, string>> = {
  MEMORY: "take a smaller batch or model, or stop other programs on it",
  DEVICE_MISSING: "install a card and its driver, or use webgpu, native or wasm",
  DEVICE_REFUSED: "stop other programs that use it, or use another backend",
  DRIVER_OLD: "install a newer driver, or use webgpu or wasm",
  COMPILE: "update the driver, or use webgpu or wasm",
  DEVICE_ECC: `${RESUME}, on another card: this one may be broken`,
  DEVICE_LOST: RESUME,
};

const failure = (subCode: BackendSubCode, name: string, isLost = false): Failure => ({ subCode, name, isLost });

const FAILURES: Readonly<Record<number, Failure>> = {
  2: failure("MEMORY", "CUDA_ERROR_OUT_OF_MEMORY"),
  3: failure("DEVICE_REFUSED", "CUDA_ERROR_NOT_INITIALIZED"),
  34: failure("DEVICE_MISSING", "CUDA_ERROR_STUB_LIBRARY"),
  46: failure("DEVICE_REFUSED", "CUDA_ERROR_DEVICE_UNAVAILABLE"),
  100: failure("DEVICE_MISSING", "CUDA_ERROR_NO_DEVICE"),
  101: failure("DEVICE_MISSING", "CUDA_ERROR_INVALID_DEVICE"),
  209: failure("COMPILE", "CUDA_ERROR_NO_BINARY_FOR_GPU"),
  214: failure("DEVICE_ECC", "CUDA_ERROR_ECC_UNCORRECTABLE", true),
  218: failure("COMPILE", "CUDA_ERROR_INVALID_PTX"),
  221: failure("COMPILE", "CUDA_ERROR_JIT_COMPILER_NOT_FOUND"),
  222: failure("DRIVER_OLD", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
  802: failure("DEVICE_REFUSED", "CUDA_ERROR_SYSTEM_NOT_READY"),
  803: failure("DRIVER_OLD", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
  804: failure("DRIVER_OLD", "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"),
};

/** Everything else means that the device, or what runs on it, is gone. */
const failureOf = (code: number): Failure => FAILURES[code] ?? failure("DEVICE_LOST", `CUDA error ${code}`, true);

export const isLost = (code: number): boolean => failureOf(code).isLost;

/**
 * The error for a call that failed.
 * @param device the name of the device
 * @param doing what was attempted, as the end of a sentence: `it could not …`
 */
export function errorOf(code: number, device: string, doing: string): BackendError {
  const { name, subCode } = failureOf(code);
  return new BackendError(subCode, `${device} could not ${doing} (${name}); ${REMEDIES[subCode]}`, { code, device });
}
