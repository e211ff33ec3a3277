/**
 * The certificates that a machine has already: one a backend and device, good or bad, for this driver, engine,
 * specification and these code generators. A full certificate replaces what the short form found, and the other way round.
 */
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import { messageOf } from "../errors/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { type Certificate, factsOf, machine, parseCertificate, specificationProblems } from "./certificate.ts";
import { type CertificateStore, codeDigest } from "./store.ts";

/** The name under which the certificate of a backend on a device is kept. */
function nameOf(backend: Backend, own: boolean, device: DeviceDescription | undefined): string {
  // Foreign code may call itself what it likes; its certificates never count for a backend of Verde's own.
  const bound = JSON.stringify([SPEC_VERSION, own ? "own" : "foreign", backend.name, factsOf(device, machine())]);
  return toHex(sha256(new TextEncoder().encode(bound))).slice(2, 34);
}

/** @returns a certificate that still says something; a text that can't be read or is none counts as no certificate */
export async function keptCertificate(
  backend: Backend,
  own: boolean,
  device: DeviceDescription | undefined,
  store: CertificateStore,
): Promise<Certificate | undefined> {
  const text = await store.read(nameOf(backend, own, device));
  if (text === undefined) return undefined;
  try {
    const certificate = parseCertificate(text, store.place);
    const { code } = certificate as { code?: string };
    if (certificate.backend !== backend.name || code !== (await codeDigest())) return undefined;
    // It conforms when its bits do, whatever it says of itself.
    const wrong = specificationProblems(certificate).length > 0;
    return wrong === certificate.conforms ? undefined : certificate;
  } catch {
    return undefined;
  }
}

/** Keeps a certificate, a failed one too; gives the problem where that can't be done. */
export async function keepCertificate(
  certificate: Certificate,
  backend: Backend,
  own: boolean,
  store: CertificateStore,
): Promise<string | undefined> {
  try {
    const text = `${JSON.stringify({ ...certificate, code: await codeDigest() }, null, 2)}\n`;
    await store.write(nameOf(backend, own, certificate.device), text);
    return undefined;
  } catch (cause) {
    return `the certificate can't be kept in ${store.place} (${messageOf(cause)}); the next run certifies again`;
  }
}
