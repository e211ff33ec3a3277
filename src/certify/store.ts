/** Where certificates are kept from one job to the next: a folder in Node, memory elsewhere. */
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { fs, isNode, path as paths, url } from "../encoding/node.ts";
import { makeFolder } from "../files/folder.ts";
import { cacheFolder } from "../files/places.ts";
import { replaceFile } from "../files/replace.ts";

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
export function folderStore(folder: string | undefined = cacheFolder()): CertificateStore {
  if (folder === undefined) return NO_FOLDER;
  const certificates = paths.join(folder, "certificates");
  const fileOf = (name: string): string => paths.join(certificates, `${name}.json`);
  return {
    place: folder,
    read: (name) => fs.readFile(fileOf(name), "utf8").catch(() => undefined),
    write: async (name, text) => {
      await makeFolder(certificates);
      await replaceFile(fileOf(name), text);
    },
  };
}

const NO_FOLDER: CertificateStore = {
  place: "a cache folder",
  read: async () => undefined,
  write: async () => {
    throw new Error("this user has no home folder; name a folder with VERDE_CACHE");
  },
};

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
