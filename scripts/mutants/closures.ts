/** Which files a file imports, directly and through others. */
import type { Node } from "./sites.ts";

/** @param trees syntax trees by file. @returns for each file all that it imports, and itself */
export function closures(trees: ReadonlyMap<string, Node>): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map(
    [...trees].map(([file, { nodes }]) => [
      file,
      (nodes as Node[]).flatMap((node) => (node.nodeType === "ImportDirective" ? [node.absolutePath as string] : [])),
    ]),
  );
  const all = new Map<string, ReadonlySet<string>>();
  for (const file of trees.keys()) {
    const seen = new Set([file]);
    for (const next of seen) for (const imported of direct.get(next) ?? []) seen.add(imported);
    all.set(file, seen);
  }
  return all;
}
