/**
 * All mutants of a file in one file: each change is there beside the original, and the block's coinbase says
 * which one runs. So thousands of mutants are compiled once, and a test of one takes milliseconds.
 *
 * An expression E with a mutant of the number 7 becomes `(block.coinbase == address(7) ? (E') : (E))`, a
 * statement `{ if (block.coinbase == address(7)) { S' } else { S } }`, and `add(x, y)` of an assembly block
 * `mutant_add_sub(7, x, y)`.
 */
import { changed, type Edit } from "./mutants.ts";
import { childrenOf, placeOf, rangeOf, type Node, type Place } from "./sites.ts";

/** A mutant with the number that the coinbase has when it runs. */
export interface Numbered {
  edit: Edit;
  number: number;
}

/** The file with its mutants, and those that it can't hold: they have to be compiled alone. */
export interface Schema {
  text: string;
  alone: Numbered[];
}

/** What stands for a part of the text. */
interface Site {
  kind: Place["kind"] | "assembly";
  start: number;
  end: number;
  mutants: Numbered[];
}

const nameAfter = ({ replacement }: Edit): string => /(\w+)\($/.exec(replacement)![1];
const isActive = (number: number): string => `block.coinbase == address(${number})`;
const contains = (outer: Site, inner: Site): boolean => outer.start <= inner.start && inner.end <= outer.end;

/** @returns the functions that an assembly block needs for the sites in it */
function helpersOf(text: string, sites: readonly Site[]): string {
  const define = (name: string, original: string, mutant: string): string =>
    `function ${name}(mutant_k, mutant_a, mutant_b) -> mutant_r { switch eq(coinbase(), mutant_k) case 0 { mutant_r := ${original} } default { mutant_r := ${mutant} } }`;
  const helpers = sites.map(({ kind, start, end, mutants }) => {
    if (kind === "literal") return define("mutant_literal", "mutant_a", "mutant_b");
    const [from, to] = [text.slice(start, end), nameAfter(mutants[0].edit)];
    return define(`mutant_${from}_${to}`, `${from}(mutant_a, mutant_b)`, `${to}(mutant_a, mutant_b)`);
  });
  return [...new Set(helpers)].join(" ");
}

/** @param sites those in the range from `start` to `end`, outer ones before those that they contain */
function render(text: string, start: number, end: number, sites: readonly Site[]): string {
  let out = "";
  let at = start;
  for (let i = 0; i < sites.length; ) {
    const site = sites[i++];
    const inner = sites.slice(i).filter((other) => contains(site, other));
    i += inner.length;
    out += text.slice(at, site.start);
    at = site.end;
    const original = (): string => render(text, site.start, site.end, inner);
    const mutated = ({ edit }: Numbered): string =>
      changed(text, edit).slice(site.start, site.end + edit.replacement.length - (edit.end - edit.start));
    const [first] = site.mutants;
    if (site.kind === "assembly") out += `{ ${helpersOf(text, inner)}${original().slice(1)}`;
    else if (site.kind === "literal") out += `mutant_literal(${first.number}, ${original()}, ${mutated(first)})`;
    else if (site.kind === "call") {
      out += `mutant_${text.slice(site.start, site.end)}_${nameAfter(first.edit)}(${first.number}, `;
      at = text.indexOf("(", site.end) + 1;
    } else if (site.kind === "expression") {
      const mutants = site.mutants.map((mutant) => `${isActive(mutant.number)} ? (${mutated(mutant)}) : `).join("");
      out += `(${mutants}(${original()}))`;
    } else {
      const mutants = site.mutants.map((mutant) => `if (${isActive(mutant.number)}) { ${mutated(mutant)} } else `);
      out += `{ ${mutants.join("")}{ ${original()} } }`;
    }
  }
  return out + text.slice(at, end);
}

/** @returns a site for each assembly block, which will begin with helpers */
function assemblyIn(node: Node): Site[] {
  if (node.nodeType !== "InlineAssembly") return childrenOf(node).flatMap(assemblyIn);
  const [start, end] = rangeOf(node.AST as Node);
  return [{ kind: "assembly", start, end, mutants: [] }];
}

/**
 * @param text the file, in which each character is a byte
 * @param tree its syntax tree
 */
export function schemaOf(text: string, tree: Node, mutants: readonly Numbered[]): Schema {
  const sites = assemblyIn(tree);
  const alone: Numbered[] = [];
  for (const mutant of mutants) {
    const place = placeOf(text, tree, mutant.edit);
    const site = sites.find(
      ({ kind, start, end }) => kind === place?.kind && start === place.start && end === place.end,
    );
    const isFull = site?.kind === "call" || site?.kind === "literal";
    if (place === undefined || isFull) alone.push(mutant);
    else if (site === undefined) sites.push({ ...place, mutants: [{ ...mutant, edit: place.edit }] });
    else site.mutants.push({ ...mutant, edit: place.edit });
  }
  // Of two with one range a statement holds its expression.
  const rank = ({ kind }: Site): number => (kind === "statement" ? 0 : 1);
  sites.sort((a, b) => a.start - b.start || b.end - a.end || rank(a) - rank(b));
  return { text: render(text, 0, text.length, sites), alone };
}

/**
 * @param texts files with their mutants
 * @returns the same, in which functions may read the coinbase: none is `pure`, but those that define the
 *   operators of a type, which have to be
 */
export function viewed(texts: ReadonlyMap<string, string>): Map<string, string> {
  const lists = [...texts.values()].flatMap((text) => [...text.matchAll(/^using \{([^}]*)\}/gm)]);
  const names = lists.flatMap(([, list]) => [...list.matchAll(/(\w+) as /g)].map(([, name]) => name));
  const operators = new RegExp(`(function (?:${names.join("|")})\\([^)]*\\)[^{;]*?)\\bview\\b`, "g");
  return new Map(
    [...texts].map(([file, text]) => [file, text.replace(/\bpure\b/g, "view").replace(operators, "$1pure")]),
  );
}
