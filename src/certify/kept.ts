/**
 * The certificates that a machine keeps: one for each backend and device, good or failed. It is valid for
 * this driver, engine and specification, and for these code generators. A new certificate replaces the old
 * one, whichever of the two forms it has.
 */
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import { messageOf } from "../errors/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import type { Certificate } from "./certificate.ts";
import { factsOf, machine } from "./machine.ts";
import { type CertificateStore, codeDigest } from "./store.ts";

/** The name under which the certificate of a backend on a device is kept. */
function nameOf(backend: Backend, own: boolean, device: DeviceDescription | undefined): string {
  // Foreign code may call itself what it likes; its certificates never count for a backend of Verde's own.
  const bound = JSON.stringify([SPEC_VERSION, own ? "own" : "foreign", backend.name, factsOf(device, machine())]);
  return toHex(sha256(new TextEncoder().encode(bound))).slice(2, 34);
}

/**
 * @returns a certificate that is still valid; a text that can't be read, or is not a certificate, counts as
 * none
 */
export async function keptCertificate(
  backend: Backend,
  own: boolean,
  device: DeviceDescription | undefined,
  store: CertificateStore,
): Promise<Certificate | undefined> {
  const text = await store.read(nameOf(backend, own, device));
  if (text === undefined) return undefined;
  // With it come the digests of all operators. Most processes have no certificate to read.
  const { parseCertificate, specificationProblems } = await import("./certificate.ts");
  try {
    const certificate = parseCertificate(text, store.place);
    const { code } = certificate as { code?: string };
    if (certificate.backend !== backend.name || code !== (await codeDigest())) return undefined;
    // Only its digests decide whether it conforms, not what it says about itself.
    const wrong = specificationProblems(certificate).length > 0;
    return wrong === certificate.conforms ? undefined : certificate;
  } catch {
    return undefined;
  }
}

/** Keeps a certificate, also a failed one. @returns the problem, if it can't be kept */
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
