/**
 * The backend of a run: the one that was named, that of the trace to continue, or what `auto` takes for the
 * job.
 */
import type { OpenBackend } from "../certify/choose.ts";
import { openBackend, type OpenOptions } from "../certify/open-backend.ts";
import { VerdeError } from "../errors/index.ts";
import { exists } from "../files/regular.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { isBackendName } from "../repops/backends/index.ts";
import { folderSource } from "./folder.ts";
import { readManifest } from "./scan.ts";

export interface Chosen {
  /** A backend, its name, `auto`, or the file of a module that exports one; default: `auto`. */
  backend?: Backend | string;
  resume?: boolean;
  out?: string;
}

/**
 * Opens the backend for a run. A trace names one backend, so `auto` continues it on that one.
 * @throws {UsageError | BackendError | DeviceError} as `openBackend` does
 */
export async function openBackendFor(job: ClosedJob, chosen: Chosen, options: OpenOptions = {}): Promise<OpenBackend> {
  const { backend, resume = false, out } = chosen;
  const load = { list: job.step, times: job.steps };
  const isChoice = backend === undefined || backend === "auto";
  const recorded = isChoice && resume && out !== undefined ? await recordedBackend(out) : undefined;
  return openBackend(recorded ?? backend, { ...options, load });
}

/**
 * What the manifest of a trace says, if it is one of Verde's own backends. Errors are for who reads the
 * trace.
 */
async function recordedBackend(path: string): Promise<string | undefined> {
  try {
    if (!(await exists(path))) return undefined;
    const { backend } = await readManifest(folderSource(path));
    return isBackendName(backend) ? backend : undefined;
  } catch (error) {
    if (error instanceof VerdeError) return undefined;
    throw error;
  }
}
