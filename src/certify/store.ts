/** Where certificates are kept from one job to the next: a folder in Node, memory elsewhere. */
import { toHex } from "../encoding/bytes.ts";
import { cacheFolder } from "../encoding/cache-folder.ts";
import { sha256 } from "../encoding/hash.ts";
import { fs, isNode, path as paths, url } from "../encoding/node.ts";

/** A place for certificates, by name. */
export interface CertificateStore {
  /** The place as a text for the user. */
  readonly place: string;
  /** @returns the text that was kept under this name, if it can be read */
  read(name: string): Promise<string | undefined>;
  /** Keeps a text, and replaces an earlier one of this name; throws if it can't. */
  write(name: string, text: string): Promise<void>;
}

/** A store in memory: it is lost when the process or the tab ends. */
export function memoryStore(): CertificateStore {
  const texts = new Map<string, string>();
  return {
    place: "memory",
    read: async (name) => texts.get(name),
    write: async (name, text) => void texts.set(name, text),
  };
}

/**
 * A store in a folder, which is made when the first text is kept.
 * @param folder the folder for everything that Verde keeps; certificates have a folder of their own inside it
 */
export function folderStore(folder: string = cacheFolder()): CertificateStore {
  const { mkdir, readFile, writeFile } = fs;
  const { dirname, join } = paths;
  const certificates = join(folder, "certificates");
  /**
   * Makes one level at a time. Making all levels at once never ends where a file system denies that a folder
   * exists, as /proc does.
   */
  const make = async (path: string): Promise<void> => {
    try {
      await mkdir(path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    }
  };
  return {
    place: folder,
    read: (name) => readFile(join(certificates, `${name}.json`), "utf8").catch(() => undefined),
    write: async (name, text) => {
      for (const level of [dirname(folder), folder, certificates]) await make(level);
      await writeFile(join(certificates, `${name}.json`), text);
    },
  };
}

const memory = memoryStore();

/** The cache folder in Node; the memory of the tab in a browser. */
export function defaultStore(): CertificateStore {
  return isNode ? folderStore() : memory;
}

let code: Promise<string> | undefined;

/**
 * The digest of the modules that generate, run and test kernels: a change there may change the code that a
 * device gets. A browser keeps certificates only as long as its loaded modules, so there it is a constant.
 */
export function codeDigest(): Promise<string> {
  return (code ??= isNode ? digestOfModules(new URL("..", import.meta.url)) : Promise.resolve("loaded"));
}

async function digestOfModules(place: URL): Promise<string> {
  const { readdir, readFile } = fs;
  const folder = url.fileURLToPath(place);
  const files = (await readdir(folder, { recursive: true }))
    .filter((file) => /^(repops|certify)[/\\].*(?<!\.d)\.[jt]s$|^repops[/\\].*\.[ch]$/.test(file))
    .sort();
  const digests = await Promise.all(
    files.map(async (file) => `${file} ${toHex(sha256(await readFile(paths.join(folder, file))))}`),
  );
  return toHex(sha256(new TextEncoder().encode(digests.join("\n"))));
}
