/** Finds packages that only some backends need: next to Verde, or in the user's project. */
import { BackendError, messageOf } from "../../errors/index.ts";
import { isNode, modules, path, url } from "../../encoding/node.ts";

/**
 * Imports a package from Verde's own folder or, if it is not there, from the working directory's.
 * @param install the argument of `npm install` for the package, such as `webgpu@0.6.2`
 * @param purpose what needs the package, as the beginning of a sentence
 * @throws {BackendError} when it is in neither folder (the message names both), or when it can't be loaded
 * (with the reason)
 */
export async function importPackage(name: string, install: string, purpose: string): Promise<object> {
  try {
    return (await import(name)) as object;
  } catch (cause) {
    if (!isNode || !isMissing(cause, name))
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
      `${purpose} needs the package ${name}, which is installed neither with Verde (${ownPlace()}) nor in ${project}: ` +
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

/** Whether the package itself was not found, and not another package that it imports. */
function isMissing(cause: unknown, name: string): boolean {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return code === "ERR_MODULE_NOT_FOUND" && messageOf(cause).includes(`'${name}'`);
}

/** The URL of a package's entry as a module in `folder` would find it. */
function resolveFrom(folder: string, name: string): string | undefined {
  try {
    return url.pathToFileURL(modules.createRequire(`${folder}/package.json`).resolve(name)).href;
  } catch {
    return undefined;
  }
}

/** Three folders up from this one. Only in Node, where a module knows its folder. */
const ownPlace = (): string => path.resolve(import.meta.dirname, "../../..");
