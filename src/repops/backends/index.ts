/** The backends by the names that the command line and traces use. */
import { UsageError } from "../../errors.ts";
import type { Backend } from "../backend.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";
import { webgpu } from "./webgpu.ts";

export const BACKENDS = { wasm, reference, webgpu } as const satisfies Record<string, Backend>;

export type BackendName = keyof typeof BACKENDS;

/** @throws {UsageError} for a name that no backend has */
export function backendByName(name: string): Backend {
  if (!Object.hasOwn(BACKENDS, name))
    throw new UsageError(`there is no backend ${name}; choose from ${Object.keys(BACKENDS).join(", ")}`, { name });
  return BACKENDS[name as BackendName];
}
