/** Backends that are not Verde's own: modules whose default export is a backend. */
import { messageOf, UsageError } from "../errors/index.ts";
import { expectRegular } from "../files/regular.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { isNode, path as paths, url } from "../encoding/node.ts";

/** Whether a value can be taken for a backend. */
export function isBackend(value: unknown): value is Backend {
  const { name, prepare } = (value ?? {}) as Partial<Backend>;
  return typeof name === "string" && typeof prepare === "function";
}

/** Whether a name is the path of a module's file. */
export const isFile = (name: string): boolean => /\.[cm]?[jt]s$/.test(name);

/**
 * Imports a module, so its code runs. Use it only for files that the user names, never for a name from a
 * trace or a peer.
 * @param path the path of the module, relative to the working directory
 * @throws {UsageError} when there is no such module, or it exports no backend
 */
export async function backendFromFile(path: string): Promise<Backend> {
  if (!isNode)
    throw new UsageError(
      "MODULE",
      `${path} can't be loaded: only Node can load backends from files; name one of Verde's own`,
      { path },
    );
  const { href } = url.pathToFileURL(paths.resolve(path));
  const load = async () => (await expectRegular(path), import(href));
  const module = (await load().catch((cause: unknown) => {
    throw new UsageError(
      "MODULE",
      `the module ${path} can't be loaded: ${messageOf(cause)}; repair it (docs/guides/port-a-backend.md)`,
      { path },
    );
  })) as { default?: Partial<Backend> };
  const backend = module.default;
  if (!isBackend(backend))
    throw new UsageError("MODULE", `${path} exports no backend; see docs/guides/port-a-backend.md`, { path });
  return backend;
}
