/**
 * The project's modules in a form for browsers, without a bundle: types are blanked out of TypeScript, and
 * names of packages are replaced by paths, since the import map of a page does not apply to its workers.
 */
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The packages that modules for browsers import by name. */
export const DEPENDENCIES = [
  "@noble/curves/bls12-381.js",
  "@noble/curves/secp256k1.js",
  "@noble/hashes/sha2.js",
  "@noble/hashes/sha3.js",
  "cborg",
];
/** What these packages import from each other by name. */
const AMONG_PACKAGES = ["@noble/hashes/hmac.js", "@noble/hashes/utils.js"];

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

/**
 * Returns an asset by its path, for example `/src/errors/index.ts`. `undefined` for a path that is not
 * listed.
 */
export type Assets = (path: string) => Asset | undefined;

/**
 * The files of whole folders of this checkout, and the packages that they need. A path is looked up in the
 * list of files that were found when this was called, so no path leads elsewhere.
 * @param folders relative to the checkout
 */
export function moduleAssets(folders: readonly string[] = ["src"]): Assets {
  const files = new Map<string, string>();
  const packages = new Map<string, string>();
  for (const folder of folders) list(`/${folder}`, join(ROOT, folder), /(?<!\.d)\.(ts|js|css|html|svg)$/, files);
  for (const specifier of [...DEPENDENCIES, ...AMONG_PACKAGES]) {
    const entry = fileURLToPath(import.meta.resolve(specifier));
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    const folder = entry.slice(0, entry.lastIndexOf(join("node_modules", name)));
    const path = `/node_modules/${name}`;
    list(path, join(folder, "node_modules", name), /\.js$/, files);
    packages.set(specifier, `/${entry.slice(folder.length).split(sep).join("/")}`);
  }
  return (path) => {
    // In a built package, a request for a source file gets the module that was built from it.
    const file = files.get(path) ?? files.get(path.replace(/\.ts$/, ".js"));
    if (file === undefined) return undefined;
    const ending = file.slice(file.lastIndexOf(".") + 1);
    const text = readFileSync(file, "utf8");
    return {
      type: TYPES[ending],
      body: TYPES[ending] === TYPES.js ? toJavaScript(text, ending, packages) : text,
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
    /\b((?:from|import)\s*\(?\s*)["']([^"'.][^"']*)["']/g,
    (statement, before: string, specifier: string) => {
      const path = packages.get(specifier);
      return path === undefined ? statement : `${before}"${path}"`;
    },
  );
}

/** Strips the types, without Node's warning on stderr that this function is experimental. */
function stripTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
