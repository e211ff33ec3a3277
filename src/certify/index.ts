export { type CaseResult, certify } from "./certify.ts";
export type { Load, OpenBackend } from "./choose.ts";
export { type Certificate, certificateOf, parseCertificate } from "./certificate.ts";
export { openBackend, type OpenOptions } from "./open-backend.ts";
export { type CertificateStore, folderStore, memoryStore } from "./store.ts";
export { conformanceCases } from "./vectors/all.ts";
export { everyCase } from "./vectors/operators.ts";
