/**
 * The project's modules as browsers take them, without a bundle: TypeScript with its types blanked out, and bare names of
 * packages replaced by paths, since the import maps of a page do not reach its workers.
 */
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** What the modules that run in a browser import by name. */
export const DEPENDENCIES = ["@noble/hashes/sha2.js", "cborg"];

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ts: "text/javascript",
  js: "text/javascript",
  css: "text/css",
  html: "text/html",
  svg: "image/svg+xml",
};

export interface Asset {
  type: string;
  body: string;
}

/** Gives an asset by its path, such as `/src/errors/index.ts`; none for any path that is not listed. */
export type Assets = (path: string) => Asset | undefined;

/**
 * The files of whole folders of this checkout, and the packages that they need. A path is looked up among the names that
 * were found when this was called, so none leads elsewhere.
 * @param folders relative to the checkout
 */
export function moduleAssets(folders: readonly string[] = ["src"]): Assets {
  const files = new Map<string, string>();
  const packages = new Map<string, string>();
  for (const folder of folders) list(`/${folder}`, join(ROOT, folder), /(?<!\.d)\.(ts|js|css|html|svg)$/, files);
  for (const specifier of DEPENDENCIES) {
    const entry = fileURLToPath(import.meta.resolve(specifier));
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    const folder = entry.slice(0, entry.lastIndexOf(join("node_modules", name)));
    const path = `/node_modules/${name}`;
    list(path, join(folder, "node_modules", name), /\.js$/, files);
    packages.set(specifier, `/${entry.slice(folder.length).split(sep).join("/")}`);
  }
  return (path) => {
    // Where the page's modules were built, what asks for a source has the module that was made of it.
    const file = files.get(path) ?? files.get(path.replace(/\.ts$/, ".js"));
    if (file === undefined) return undefined;
    const ending = file.slice(file.lastIndexOf(".") + 1);
    const text = readFileSync(file, "utf8");
    return {
      type: TYPES[ending],
      body:
        path.startsWith("/node_modules/") || TYPES[ending] !== TYPES.js ? text : toJavaScript(text, ending, packages),
    };
  };
}

function list(path: string, folder: string, wanted: RegExp, files: Map<string, string>): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && wanted.test(entry.name))
      files.set(path + file.slice(folder.length).split(sep).join("/"), file);
  }
}

function toJavaScript(text: string, ending: string, packages: ReadonlyMap<string, string>): string {
  return (ending === "ts" ? stripTypes(text) : text).replace(
    /\b((?:from|import)\s*\(?\s*)"([^".][^"]*)"/g,
    (statement, before: string, specifier: string) => {
      const path = packages.get(specifier);
      return path === undefined ? statement : `${before}"${path}"`;
    },
  );
}

/** Node announces on stderr that this function is an experiment of its own; that is of no use to whoever opens a page. */
function stripTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
