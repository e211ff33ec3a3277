export * from "./bytes.ts";
export * from "./dtypes.ts";
export * from "./hash.ts";
export * from "./long-tree.ts";
export * from "./merkle.ts";
export * from "./tags.ts";
export * from "./tensor.ts";
