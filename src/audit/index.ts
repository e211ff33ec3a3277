export { type Audit, audit, type AuditOptions, type Finding, inWords, rangesOf, type Scope } from "./audit.ts";
export { type Difference, diffTraces } from "./diff.ts";
export { type CheckedReceipt, checkReceipt, isReceipt, type Receipt, receiptOf } from "./receipt.ts";
export { sampledSegments } from "./sample.ts";
export { type Validation, validateTrace } from "./validate.ts";
