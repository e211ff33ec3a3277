/** Where certificates are kept between one job and the next: a folder in Node, memory elsewhere. */
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { builtin } from "../encoding/node.ts";

/** A place for certificates, by name. */
export interface CertificateStore {
  /** For people. */
  readonly place: string;
  /** @returns the text that was kept under this name, if it can be read */
  read(name: string): Promise<string | undefined>;
  /** Keeps a text in the place of an earlier one; throws where that can't be done. */
  write(name: string, text: string): Promise<void>;
}

/** Forgets everything with the process or the tab. */
export function memoryStore(): CertificateStore {
  const texts = new Map<string, string>();
  return {
    place: "memory",
    read: async (name) => texts.get(name),
    write: async (name, text) => void texts.set(name, text),
  };
}

/**
 * A folder, made when something is kept.
 * @param folder beside other things that Verde may keep; the certificates have a folder of their own in it
 */
export function folderStore(folder: string = cacheFolder()): CertificateStore {
  const { mkdir, readFile, writeFile } = builtin!("node:fs/promises");
  const { dirname, join } = builtin!("node:path");
  const certificates = join(folder, "certificates");
  /** One level at a time: making all at once never ends where a file system denies that a folder is there, as /proc does. */
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

/** `VERDE_CACHE`, or what the system has for caches. */
function cacheFolder(): string {
  const { join } = builtin!("node:path");
  const { VERDE_CACHE, XDG_CACHE_HOME } = process.env;
  return VERDE_CACHE || join(XDG_CACHE_HOME || join(builtin!("node:os").homedir(), ".cache"), "verde");
}

const memory = memoryStore();

/** The cache folder in Node; in a browser what this tab remembers. */
export function defaultStore(): CertificateStore {
  return builtin ? folderStore() : memory;
}

let code: Promise<string> | undefined;

/**
 * The digest of the modules that generate, run and test kernels: whatever changes there may change what a device is given. A
 * browser keeps nothing beyond the modules that it has loaded, so there it is the same for all.
 */
export function codeDigest(): Promise<string> {
  return (code ??= builtin ? digestOfModules(new URL("..", import.meta.url)) : Promise.resolve("loaded"));
}

async function digestOfModules(place: URL): Promise<string> {
  const { readdir, readFile } = builtin!("node:fs/promises");
  const { join } = builtin!("node:path");
  const folder = builtin!("node:url").fileURLToPath(place);
  const files = (await readdir(folder, { recursive: true }))
    .filter((file) => /^(repops|certify)[/\\].*(?<!\.d)\.[jt]s$/.test(file))
    .sort();
  const digests = await Promise.all(
    files.map(async (file) => `${file} ${toHex(sha256(await readFile(join(folder, file))))}`),
  );
  return toHex(sha256(new TextEncoder().encode(digests.join("\n"))));
}
