/** Converts bytes of other formats to named tensors, and back. */
export type { ByteSource } from "./byte-source.ts";
export { fileInside, openFile } from "./file.ts";
export { type ReadOptions, readTensors, type StoredTensor } from "./safetensors.ts";
export { readSafetensors, writeSafetensors } from "./safetensors-file.ts";
export { type BoardEvent, EventFile } from "./tensorboard.ts";
export type { TakenEntry, WeightOptions, WeightReport } from "./weights.ts";
