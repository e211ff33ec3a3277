/**
 * The backends by their names on the command line and in traces: `name`, or `name:mode` if there are several
 * modes.
 */
import { isNode } from "../../encoding/node.ts";
import { describe } from "../../errors/arguments.ts";
import { UsageError } from "../../errors/index.ts";
import type { Backend } from "./backend.ts";
import { cuda } from "./cuda/backend.ts";
import { gpujs } from "./gpujs/backend.ts";
import { native } from "./native/backend.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm/backend.ts";
import { webgpu, webgpuStrict } from "./webgpu/backend.ts";

/** The backends by name. All give the same bits; a device is certified before its first job. */
export const BACKENDS = {
  wasm,
  native,
  reference,
  cuda,
  webgpu,
  "webgpu:strict": webgpuStrict,
  ...gpujs,
} as const satisfies Record<string, Backend>;

/** The name of a backend: `wasm`, `native`, `webgpu` and others. */
export type BackendName = keyof typeof BACKENDS;

/**
 * The backends that `auto` tries before the default, the best first; where it knows the job, it measures
 * those that are there. CUDA and native code need Node.
 */
export const PREFERRED: readonly Backend[] = isNode ? [cuda, webgpu, native] : [webgpu];

/** The backend that every machine has. */
export const DEFAULT: Backend = wasm;

export const isBackendName = (name: string): name is BackendName => Object.hasOwn(BACKENDS, name);

/** Whether a backend is one of these. Others may have changed since their certificate was kept. */
export function isOwn(backend: Backend): boolean {
  return Object.values<Backend>(BACKENDS).includes(backend);
}

/** The names as a list for a sentence: `wasm, reference or webgpu`. */
export const BACKEND_NAMES = Object.keys(BACKENDS)
  .join(", ")
  .replace(/, ([^,]*)$/, " or $1");

/** @throws {UsageError} for an unknown name, or a mode that the backend of that name does not have */
export function backendByName(name: string): Backend {
  if (typeof name !== "string")
    throw new UsageError("UNKNOWN", `there is no backend ${describe(name)}; choose from ${BACKEND_NAMES}`);
  if (isBackendName(name)) return BACKENDS[name];
  const [family, mode] = name.split(":", 2);
  const known = mode !== undefined && Object.hasOwn(BACKENDS, family);
  const problem = known ? `the backend ${family} has no mode ${mode}` : `there is no backend ${name}`;
  throw new UsageError("UNKNOWN", `${problem}; choose from ${BACKEND_NAMES}`, { name });
}
