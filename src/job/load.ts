/** Job modules: files whose default export is a `defineJob`. Loading one runs its code. */
import { fs, path as paths, url } from "../encoding/node.ts";
import { JobError, messageOf } from "../errors/index.ts";
import type { ClosedJob } from "./closed.ts";
import type { JobDefinition, Overrides } from "./define.ts";
import { placed, syntaxPlace } from "./place.ts";
import { resolveOwnPackage } from "./resolve.ts";

/** @throws {JobError} when there is no such file, or it does not export a job */
async function loadJobDefinition(path: string): Promise<JobDefinition> {
  const file = paths.resolve(path);
  await fs.access(file).catch(() => {
    throw new JobError("MODULE_MISSING", `there is no job module ${path}; give the path of a file that exports a job`, {
      path,
    });
  });
  resolveOwnPackage();
  const module = await placed(
    () => import(/* @vite-ignore */ url.pathToFileURL(file).href) as Promise<{ default?: Partial<JobDefinition> }>,
    (cause) =>
      new JobError("MODULE_BROKEN", `the job module ${path} can't be loaded: ${messageOf(cause)}; repair it`, { path }),
  ).catch(async (error: JobError) => {
    error.place ??= await syntaxPlace(error.cause, file);
    throw error;
  });
  const job = module.default;
  if (typeof job?.close !== "function" || typeof job.name !== "string")
    throw new JobError("MODULE_BROKEN", `${path} does not export a job; write \`export default defineJob({ … })\``, {
      path,
    });
  return job as JobDefinition;
}

/**
 * Loads a job module and closes it. The module's code runs.
 * @param path the file of a job module, relative to the working directory
 * @param overrides the values that differ from the job's defaults
 * @throws {JobError} when there is no such file, it does not export a job, or the job can't be closed
 */
export async function loadJob(path: string, overrides: Overrides = {}): Promise<ClosedJob> {
  const job = await loadJobDefinition(path);
  return placed(
    () => job.close(overrides),
    (cause) => new JobError("THREW", `the job ${path} threw an error: ${messageOf(cause)}; repair it`, { path }),
  );
}
