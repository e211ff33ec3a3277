/**
 * Certificates of devices that this machine has met, so that a device is put to the test once: again when its driver, the
 * engine, the specification or this project's code generators change.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { messageOf } from "../errors/index.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { type Certificate, factsOf, machine, parseCertificate, specificationProblems } from "./certificate.ts";

/** `VERDE_CACHE`, or what the system has for caches. */
export function cacheFolder(): string {
  const { VERDE_CACHE, XDG_CACHE_HOME } = process.env;
  return VERDE_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "verde");
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

let code: Promise<string> | undefined;

/** The digest of the sources that generate and run kernels: whatever changes there may change what a device is given. */
function codeDigest(): Promise<string> {
  return (code ??= (async () => {
    const folder = fileURLToPath(new URL("../repops", import.meta.url));
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts")).sort();
    const digests = await Promise.all(
      files.map(async (file) => `${file} ${toHex(sha256(await readFile(join(folder, file))))}`),
    );
    return toHex(sha256(utf8(digests.join("\n"))));
  })());
}

/** The file that holds, or would hold, the certificate of a backend on a device. */
async function placeOf(backend: Backend, device: DeviceDescription, folder: string): Promise<string> {
  const bound = [SPEC_VERSION, backend.name, factsOf(device, machine()), await codeDigest()];
  return join(folder, "certificates", `${toHex(sha256(utf8(JSON.stringify(bound)))).slice(2, 34)}.json`);
}

/** A certificate that still holds; a file that can't be read or is none counts as no certificate. */
export async function cachedCertificate(
  backend: Backend,
  device: DeviceDescription,
  folder: string,
): Promise<Certificate | undefined> {
  try {
    const place = await placeOf(backend, device, folder);
    const certificate = parseCertificate(await readFile(place, "utf8"), place);
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
    for (const level of [dirname(folder), folder, dirname(place)]) await makeFolder(level);
    await writeFile(place, `${JSON.stringify(certificate, null, 2)}\n`);
    return undefined;
  } catch (cause) {
    return `the certificate can't be kept in ${folder} (${messageOf(cause)}); the next run certifies again`;
  }
}

/** One level at a time: making all at once never ends where a file system denies that a folder is there, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
}
