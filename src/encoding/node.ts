/**
 * The modules of Node that Verde uses when it runs on Node. No module that a browser may load imports them by
 * name, so a bundle for browsers contains neither these modules nor replacements for them.
 */
import { UsageError } from "../errors/index.ts";

/** Whether Node's modules are there. */
export const isNode = (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule !== undefined;

interface NodeModules {
  "node:child_process": typeof import("node:child_process");
  "node:fs": typeof import("node:fs");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:module": typeof import("node:module");
  "node:os": typeof import("node:os");
  "node:path": typeof import("node:path");
  "node:url": typeof import("node:url");
  "node:worker_threads": typeof import("node:worker_threads");
}

/**
 * The module, or in a browser a substitute that fails at the first use. So code that needs Node can be loaded
 * anywhere.
 */
function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const found = process?.getBuiltinModule?.(name as "node:path") as NodeModules[Name] | undefined;
  return found ?? (new Proxy({}, { get: (_, member) => missing(name, String(member)) }) as NodeModules[Name]);
}

function missing(name: string, member: string): never {
  throw new UsageError(
    "NO_NODE",
    `this needs ${member} of ${name}, which exists in Node and not in browsers; ` +
      "in a browser run without `out`, and read traces from blobs (`readTrace` and `blobSource`)",
    { module: name, member },
  );
}

export const childProcess = nodeModule("node:child_process");
export const fs = nodeModule("node:fs/promises");
/** For what must happen in one piece, such as taking a lock, or before the process ends. */
export const syncFs = nodeModule("node:fs");
export const modules = nodeModule("node:module");
export const os = nodeModule("node:os");
export const path = nodeModule("node:path");
export const url = nodeModule("node:url");
export const workerThreads = nodeModule("node:worker_threads");
