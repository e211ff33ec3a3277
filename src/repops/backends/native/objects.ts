/**
 * Compiled objects by their source, in the user's cache folder. Each has a folder that is named by the hash
 * of source, compiler, flags and processor. No file in it is ever written again, because a process that has
 * loaded an object gets the old one for the same path; and a checksum stands beside it, because loading a cut
 * object ends the process.
 */
import { toHex } from "../../../encoding/bytes.ts";
import { sha256 } from "../../../encoding/hash.ts";
import { fs, path } from "../../../encoding/node.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";
import { makeFolder } from "../../../files/folder.ts";
import { cacheFolder } from "../../../files/places.ts";
import { compile, type Compiler } from "./compiler.ts";

const OBJECT = "object.so";
const CHECKSUM = "sha256";

/** What this process compiles now, or has compiled. */
const objects = new Map<string, Promise<string>>();

/**
 * The path of a compiled source.
 * @throws {BackendError} when it can't be compiled
 */
export function objectOf(compiler: Compiler, source: string): Promise<string> {
  const folder = folderOf(compiler, source);
  if (folder === undefined)
    throw new BackendError(
      "COMPILE",
      "this user has no home folder, in which compiled code would be kept; name a folder with VERDE_CACHE, or use wasm",
    );
  let object = objects.get(folder);
  if (!object) {
    object = findOrCompile(compiler, source, folder).catch((cause: unknown) => {
      throw cause instanceof BackendError ? cause : unkept(folder, cause);
    });
    objects.set(folder, object);
    object.catch(() => objects.delete(folder));
  }
  return object;
}

function folderOf(compiler: Compiler, source: string): string | undefined {
  const name = hexOf(new TextEncoder().encode(JSON.stringify([compiler.identity, source])));
  const cache = cacheFolder();
  return cache === undefined ? undefined : path.join(cache, "native", name);
}

/** Whether a compiled source is kept, so that nothing has to be compiled. */
export async function isKept(compiler: Compiler, source: string): Promise<boolean> {
  const folder = folderOf(compiler, source);
  return folder !== undefined && (await isWhole(folder));
}

/**
 * A folder that can't be written, a full disk, a compiler that wrote nothing: for each, WASM is a way out.
 */
function unkept(folder: string, cause: unknown): BackendError {
  const parent = path.dirname(folder);
  return new BackendError(
    "COMPILE",
    `compiled code can't be kept in ${parent} (${messageOf(cause)}); name a folder that can be written with VERDE_CACHE, or use wasm`,
    { folder: parent },
  );
}

async function findOrCompile(compiler: Compiler, source: string, folder: string): Promise<string> {
  const object = path.join(folder, OBJECT);
  if (await isWhole(folder)) return object;
  const parent = path.dirname(folder);
  // Others could put their own code into a folder that they may write to.
  await makeFolder(parent, 0o700);
  const work = await fs.mkdtemp(path.join(parent, "work-"));
  try {
    const file = path.join(work, "source.c");
    await fs.writeFile(file, source);
    await compile(compiler, file, path.join(work, OBJECT));
    await fs.writeFile(path.join(work, CHECKSUM), hexOf(await fs.readFile(path.join(work, OBJECT))));
    await take(work, folder);
  } finally {
    await fs.rm(work, { recursive: true, force: true });
  }
  return object;
}

/** Gives a folder its name. Another process may have been faster, or a damaged folder may be there. */
async function take(work: string, folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++)
    try {
      return await fs.rename(work, folder);
    } catch (cause) {
      if (await isWhole(folder)) return;
      if (attempt === 5) throw cause;
      await fs.rm(folder, { recursive: true, force: true });
    }
}

async function isWhole(folder: string): Promise<boolean> {
  try {
    const [object, checksum] = await Promise.all([
      fs.readFile(path.join(folder, OBJECT)),
      fs.readFile(path.join(folder, CHECKSUM), "utf8"),
    ]);
    return hexOf(object) === checksum;
  } catch {
    return false;
  }
}

const hexOf = (bytes: Uint8Array<ArrayBuffer>): string => toHex(sha256(bytes)).slice(2);
