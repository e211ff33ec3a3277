/**
 * Runs the conformance vectors on a backend, as a program of its own: all of them with `VERDE_SWEEP=1`, and a
 * share otherwise.
 *
 *     node test/gpu/conform.ts BACKEND
 *
 * Prints the certificate.
 */
import { certificateOf } from "../../src/certify/certificate.ts";
import { certify } from "../../src/certify/certify.ts";
import { backendByName } from "../../src/repops/backends/index.ts";
import { SHARE, vectorsFor } from "./vectors.ts";

const share = process.env.VERDE_SWEEP === undefined ? SHARE : 1;
const backend = backendByName(process.argv[2]);
const device = await backend.describe?.();
const results = await certify(backend, vectorsFor(share));
const form = share === 1 ? "full" : "short";
console.log(JSON.stringify(certificateOf(backend, form, device, results, (await backend.probe?.()) ?? [])));
