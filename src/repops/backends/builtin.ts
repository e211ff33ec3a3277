/** Node's own modules where this runs in Node, without an import that a browser could not resolve. */
const node = (globalThis as { process?: NodeJS.Process }).process;

/** `undefined` in a browser. */
export const builtin: NodeJS.Process["getBuiltinModule"] | undefined = node?.getBuiltinModule?.bind(node);
