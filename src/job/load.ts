/** Job modules: files whose default export is a `defineJob`. Loading one runs its code. */
import { path as paths, url } from "../encoding/node.ts";
import { isMissing, JobError, messageOf } from "../errors/index.ts";
import { expectRegular } from "../files/regular.ts";
import type { ClosedJob } from "./closed.ts";
import type { JobDefinition } from "./define.ts";
import type { Overrides } from "./options.ts";
import { placed, syntaxPlace } from "./place.ts";
import { resolveOwnPackage } from "./resolve.ts";

/** Why a module can't be loaded, and what to do. */
export function brokenText(cause: unknown): string {
  const text = messageOf(cause);
  // `npm init -y` writes "type": "commonjs", and then Node takes a `.ts` file for CommonJS.
  const isCommon = /import statement outside a module|Unexpected token 'export'/.test(text);
  const help = isCommon ? "run `npm pkg set type=module` in its folder, or let its name end with .mts" : "repair it";
  return `can't be loaded: ${text}; ${help}`;
}

/** @throws {JobError} when there is no such file, or it does not export a job */
export async function loadJobDefinition(path: string): Promise<JobDefinition> {
  const file = paths.resolve(path);
  await expectRegular(file).catch((cause: unknown) => {
    const problem = isMissing(cause)
      ? `there is no job module ${path}`
      : `the job module ${path} can't be read: ${messageOf(cause)}`;
    throw new JobError("MODULE_MISSING", `${problem}; give the path of a file that exports a job`, {
      path,
    });
  });
  resolveOwnPackage();
  const module = await placed(
    () => import(/* @vite-ignore */ url.pathToFileURL(file).href) as Promise<{ default?: Partial<JobDefinition> }>,
    (cause) => new JobError("MODULE_BROKEN", `the job module ${path} ${brokenText(cause)}`, { path }),
  ).catch(async (error: JobError) => {
    error.place ??= await syntaxPlace(error.cause, file);
    throw error;
  });
  const job = module.default;
  if (typeof job?.close !== "function" || typeof job.name !== "string" || typeof job.options !== "object")
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
  return closeJob(await loadJobDefinition(path), path, overrides);
}

/**
 * Closes a job that was loaded from a module. An error names the line of the module that led to it.
 * @param path the module's file, for messages
 * @throws {JobError} when the job can't be closed
 */
export function closeJob(job: JobDefinition, path: string, overrides: Overrides): Promise<ClosedJob> {
  return placed(
    () => job.close(overrides),
    (cause) => new JobError("THREW", `the job ${path} threw an error: ${messageOf(cause)}; repair it`, { path }),
  );
}
