/** Tasks on a chain: the contracts' interfaces, their deployment, tasks as they are read, rulings and signatures. */
export { formatAmount, parseAmount, type Token } from "./amount.ts";
export { ABIS, type Contract } from "./contracts.ts";
export { type ChunkPlace, type ChunkProof, layoutRoot, proveChunk, proveType, runRootFromChunk } from "./delivery.ts";
export { deployContracts, type DeployOptions } from "./deploy.ts";
export { type Deployment, parseDeployment } from "./deployment.ts";
export { openKeystore, parsePrivateKey, sealKey } from "./keystore.ts";
export { type Bench, type Ruling, rulingFrom, signerOfRuling, signRuling } from "./ruling.ts";
export { gatherSignatures, parseSignature, type SignatureFile } from "./signatures.ts";
export {
  readTask,
  type Resolution,
  type State,
  type TaskEvent,
  taskEvents,
  type TaskSource,
  type TaskView,
  type Terms,
} from "./task.ts";
