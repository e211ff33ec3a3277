/**
 * The test before a device's first job: nothing runs on a device that does not have the bits of the
 * specification.
 */
import { escapeText } from "../errors/text.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import { isOwn } from "../repops/backends/index.ts";
import { keptCertificate } from "./kept.ts";
import { type CertificateStore, defaultStore } from "./store.ts";

/** Takes a line of text for the user, without a line end. */
export type Say = (line: string) => void;

export interface GateOptions {
  /** Receives messages; default: stderr in Node, nothing in a browser. */
  say?: Say;
  /** Where certificates are kept; default: the cache folder in Node, memory in a browser. */
  store?: CertificateStore;
  /**
   * Whether the code is one of Verde's own backends, to which certificates are bound; default: whether the
   * table of backends lists it.
   */
  own?: boolean;
}

const stderr = (globalThis as { process?: NodeJS.Process }).process?.stderr;

export const onStderr: Say = (line) => void stderr?.write(`${escapeText(line)}\n`);

/**
 * Decides whether a backend may run:
 *
 * - One of Verde's own backends is refused if there is a failed certificate, of the short form or of all
 *   vectors.
 * - Backends without a device (WASM and the reference) compute where this code runs, and the tests of this
 *   version cover them. They pass unless there is a failed certificate.
 * - A device passes with a good certificate. Without one it has to run the short form.
 * - Code from elsewhere may change without notice. In each process it has to run the short form once, and
 *   every vector that it failed before.
 *
 * @throws {DeviceError} when the device has other bits; the message names the first operator
 * @throws {BackendError} when the device is not available
 */
export async function ensureCertified(
  backend: Backend,
  { say = onStderr, store = defaultStore(), own = isOwn(backend) }: GateOptions = {},
): Promise<DeviceDescription | undefined> {
  const device = await backend.describe?.();
  const kept = await keptCertificate(backend, own, device, store);
  if (own && (kept ? kept.conforms : !device)) return device;
  // With it come all vectors, which few processes need.
  const { admit } = await import("./admission.ts");
  await admit(backend, device, kept, { say, store, own });
  return device;
}
