/** Packages that only some backends need: found beside Verde, or in the project of whoever runs it. */
import { BackendError, messageOf } from "../../errors/index.ts";
import { builtin } from "../../encoding/node.ts";

/**
 * Imports a package from Verde's own place or, where it is not there, from the working directory's.
 * @param install what `npm install` is given to have it, such as `webgpu@0.6.2`
 * @param purpose who needs it, as the beginning of a sentence
 * @throws {BackendError} naming both places when it is in neither, or why the one that was found can't be loaded
 */
export async function importPackage(name: string, install: string, purpose: string): Promise<object> {
  try {
    return (await import(name)) as object;
  } catch (cause) {
    if (!builtin || !isMissing(cause, name))
      throw new BackendError(
        "PACKAGE_BROKEN",
        `${purpose} needs the package ${name}, which can't be loaded: ${messageOf(cause)}`,
        {
          package: name,
        },
      );
  }
  const project = process.cwd();
  const entry = resolveFrom(project, name);
  if (entry === undefined)
    throw new BackendError(
      "PACKAGE_MISSING",
      `${purpose} needs the package ${name}, which is neither installed beside Verde (${ownPlace()}) nor in ${project}: ` +
        `\`npm install ${install}\``,
      { package: name, places: [ownPlace(), project] },
    );
  try {
    return (await import(entry)) as object;
  } catch (cause) {
    throw new BackendError(
      "PACKAGE_BROKEN",
      `${purpose} needs the package ${name}, but ${entry} can't be loaded: ${messageOf(cause)}`,
      {
        package: name,
      },
    );
  }
}

/** Whether it is the package itself that was not found, not something that it imports in turn. */
function isMissing(cause: unknown, name: string): boolean {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return code === "ERR_MODULE_NOT_FOUND" && messageOf(cause).includes(`'${name}'`);
}

/** The URL of a package's entry as a module in `folder` would find it. */
function resolveFrom(folder: string, name: string): string | undefined {
  const { createRequire } = builtin!("node:module");
  const { pathToFileURL } = builtin!("node:url");
  try {
    return pathToFileURL(createRequire(`${folder}/package.json`).resolve(name)).href;
  } catch {
    return undefined;
  }
}

/** Three folders up from this file. Not a literal in the URL itself, which bundlers would try to resolve. */
const UP = "../../..";
const ownPlace = (): string => builtin!("node:url").fileURLToPath(new URL(UP, import.meta.url));
