/**
 * Certificates of devices that this machine has met, so that a device is put to the test once: again when its driver, the
 * engine, the specification or this project's code generators change.
 */
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { fs, os, path as paths, url } from "../encoding/node.ts";
import { messageOf } from "../errors/index.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { type Certificate, factsOf, machine, parseCertificate, specificationProblems } from "./certificate.ts";

/** `VERDE_CACHE`, or what the system has for caches. */
export function cacheFolder(): string {
  const { VERDE_CACHE, XDG_CACHE_HOME } = process.env;
  return VERDE_CACHE || paths.join(XDG_CACHE_HOME || paths.join(os.homedir(), ".cache"), "verde");
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Sources as they are run: of the checkout, or built. */
const CODE = /(?<!\.d)\.[jt]s$/;

let code: Promise<string> | undefined;

/** The digest of the sources that generate and run kernels: whatever changes there may change what a device is given. */
function codeDigest(): Promise<string> {
  return (code ??= (async () => {
    const folder = url.fileURLToPath(new URL("../repops", import.meta.url));
    const files = (await fs.readdir(folder, { recursive: true })).filter((file) => CODE.test(file)).sort();
    const digests = await Promise.all(
      files.map(async (file) => `${file} ${toHex(sha256(await fs.readFile(paths.join(folder, file))))}`),
    );
    return toHex(sha256(utf8(digests.join("\n"))));
  })());
}

/** The file that holds, or would hold, the certificate of a backend on a device. */
async function placeOf(backend: Backend, device: DeviceDescription, folder: string): Promise<string> {
  const bound = [SPEC_VERSION, backend.name, factsOf(device, machine()), await codeDigest()];
  return paths.join(folder, "certificates", `${toHex(sha256(utf8(JSON.stringify(bound)))).slice(2, 34)}.json`);
}

/** A certificate that still holds; a file that can't be read or is none counts as no certificate. */
export async function cachedCertificate(
  backend: Backend,
  device: DeviceDescription,
  folder: string,
): Promise<Certificate | undefined> {
  try {
    const place = await placeOf(backend, device, folder);
    const certificate = parseCertificate(await fs.readFile(place, "utf8"), place);
    const holds = certificate.conforms && specificationProblems(certificate).length === 0;
    return holds && certificate.backend === backend.name ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a certificate, a failed one too; gives the problem where that can't be done. */
export async function keepCertificate(
  certificate: Certificate,
  backend: Backend,
  folder: string,
): Promise<string | undefined> {
  if (!certificate.device) return undefined;
  try {
    const place = await placeOf(backend, certificate.device, folder);
    for (const level of [paths.dirname(folder), folder, paths.dirname(place)]) await makeFolder(level);
    await fs.writeFile(place, `${JSON.stringify(certificate, null, 2)}\n`);
    return undefined;
  } catch (cause) {
    return `the certificate can't be kept in ${folder} (${messageOf(cause)}); the next run certifies again`;
  }
}

/** One level at a time: making all at once never ends where a file system denies that a folder is there, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  try {
    await fs.mkdir(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
}
