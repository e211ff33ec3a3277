/** Where a file can hold a mutant beside the original: found in the compiler's syntax tree. */
import type { Edit } from "./mutants.ts";

/** A node of the compiler's syntax tree. */
export interface Node {
  nodeType: string;
  /** `start:length:file`, in bytes. */
  src?: string;
  typeDescriptions?: { typeString?: string };
  [key: string]: unknown;
}

/**
 * What holds it: a whole expression, a statement, or in assembly the name of a built-in function or a
 * number.
 */
export interface Place {
  kind: "expression" | "statement" | "call" | "literal";
  start: number;
  end: number;
  /** The change in this place. */
  edit: Edit;
}

const OPERATION = new Set(["BinaryOperation", "UnaryOperation", "Conditional"]);
/** Statements that may stand in a block of their own: no declaration, whose name is needed later. */
const STATEMENT = new Set([
  "ExpressionStatement",
  "Return",
  "Continue",
  "EmitStatement",
  "RevertStatement",
  "IfStatement",
  "ForStatement",
]);

/** @returns the offsets at which a node begins and ends */
export function rangeOf(node: Node): [number, number] {
  const [start, length] = node.src!.split(":").map(Number);
  return [start, start + length];
}

export const childrenOf = (node: Node): Node[] =>
  Object.values(node)
    .flat()
    .filter((value): value is Node => typeof value === "object" && value !== null && "nodeType" in value);

/** @returns the nodes around a range, the innermost first */
function nodesAround(tree: Node, start: number, end: number): Node[] {
  const path: Node[] = [];
  for (let node: Node | undefined = tree; node !== undefined; ) {
    path.unshift(node);
    node = childrenOf(node).find((child) => {
      if (child.src === undefined) return false;
      const [from, to] = rangeOf(child);
      return from <= start && end <= to;
    });
  }
  return path;
}

/** @returns the range of an edit without what its text has in common before and after */
function narrowed(text: string, { start, end, replacement }: Edit): [number, number] {
  const before = text.slice(start, end);
  const shorter = Math.min(before.length, replacement.length);
  let [head, tail] = [0, 0];
  while (head < shorter && before[head] === replacement[head]) head++;
  while (tail < shorter - head && before.at(-1 - tail) === replacement.at(-1 - tail)) tail++;
  return [start + head, end - tail];
}

/** `++` and `--` change something, so they belong to their statement. */
const isOperation = ({ nodeType, operator }: Node): boolean =>
  OPERATION.has(nodeType) && operator !== "++" && operator !== "--";
const isParentheses = ({ nodeType, components }: Node): boolean =>
  nodeType === "TupleExpression" && (components as unknown[]).length === 1;

/** Types with operators of their own have only some: the opposite of `a == b` is `!(a == b)`. */
function withDefinedOperator(text: string, operation: Node, edit: Edit): Edit {
  if (operation.nodeType !== "BinaryOperation" || typeof operation.function !== "number") return edit;
  const [start, end] = rangeOf(operation);
  const sides = [operation.leftExpression, operation.rightExpression] as Node[];
  const [left, right] = sides.map((side) => text.slice(...rangeOf(side)));
  const operator = edit.replacement.trim();
  if (operator === "<=" || operator === ">=")
    return { ...edit, start, end, replacement: `!(${right} ${operator[0]} ${left})` };
  return { ...edit, start, end, replacement: `!(${text.slice(start, end)})` };
}

/** Without its assignment a pointer to storage is undefined, which the compiler refuses. */
const setsStoragePointer = ({ expression }: Node): boolean =>
  ((expression as Node | undefined)?.leftHandSide as Node | undefined)?.typeDescriptions?.typeString?.includes(
    "storage pointer",
  ) ?? false;

function assemblyPlace([inner, outer]: readonly Node[], edit: Edit): Place | undefined {
  const [start, end] = rangeOf(inner);
  if (inner.nodeType === "YulLiteral" && outer.nodeType !== "YulCase") return { kind: "literal", start, end, edit };
  if (inner.nodeType === "YulIdentifier" && outer.nodeType === "YulFunctionCall")
    return { kind: "call", start, end, edit };
  return undefined;
}

/**
 * The largest expression around an operation: inside a smaller one the change could bind its neighbours in
 * another way than in the text.
 */
function expressionPlace(path: readonly Node[], text: string, edit: Edit): Place | undefined {
  let i = 0;
  while (isOperation(path[i + 1]) || isParentheses(path[i + 1])) i++;
  const isConstant = /^(int|rational)_const/.test(path[i].typeDescriptions?.typeString ?? "");
  // The compiler computes it, with more bits than a condition would keep.
  if (isConstant && path[0].nodeType !== "Literal") return undefined;
  const [start, end] = rangeOf(path[i]);
  return { kind: "expression", start, end, edit: withDefinedOperator(text, path[0], edit) };
}

function statementPlace(path: readonly Node[], text: string, edit: Edit): Place | undefined {
  const i = path.findIndex(({ nodeType }) => nodeType.endsWith("Statement") || STATEMENT.has(nodeType));
  if (i < 0 || !STATEMENT.has(path[i].nodeType) || setsStoragePointer(path[i])) return undefined;
  // In the head of a loop there is no place for a block.
  if (path[i + 1].nodeType === "ForStatement" && path[i + 1].body !== path[i]) return undefined;
  const [start, end] = rangeOf(path[i]);
  const full = text[end] === ";" ? end + 1 : end;
  return edit.start < start || edit.end > full ? undefined : { kind: "statement", start, end: full, edit };
}

/**
 * @param text the file, in which each character is a byte
 * @param tree its syntax tree
 * @returns where the file can hold the mutant, or `undefined`: it has to be compiled alone
 */
export function placeOf(text: string, tree: Node, edit: Edit): Place | undefined {
  const [start, end] = narrowed(text, edit);
  const path = nodesAround(tree, start, text[end - 1] === ";" ? end - 1 : end);
  const [inner] = path;
  if (inner.nodeType.startsWith("Yul")) return assemblyPlace(path, edit);
  if (!path.some(({ nodeType }) => nodeType === "Block" || nodeType === "UncheckedBlock")) return undefined;
  const isRemoval = edit.replacement === "" || edit.replacement === "{}";
  const changesExpression = !isRemoval && (isOperation(inner) || inner.nodeType === "Literal");
  return changesExpression ? expressionPlace(path, text, edit) : statementPlace(path, text, edit);
}
