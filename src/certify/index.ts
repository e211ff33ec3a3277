export { type CaseResult, certify } from "./certify.ts";
export { type Certificate, certificateOf, parseCertificate } from "./certificate.ts";
export { conformanceCases } from "./vectors/all.ts";
export { everyCase } from "./vectors/operators.ts";
