/**
 * Writes docs/operators.md from the declarations in src/graph/ops/: `node scripts/operators.ts`. A test holds
 * the two equal.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { elementCount } from "../src/encoding/tensor.ts";
import { GraphBuilder } from "../src/graph/builder.ts";
import { dense } from "../src/graph/dense.ts";
import { elementwise } from "../src/graph/elementwise.ts";
import * as ops from "../src/graph/ops/index.ts";
import type { ElementwiseOperator } from "../src/graph/elementwise.ts";
import type { Given, Operator } from "../src/graph/operator.ts";
import type { Value } from "../src/graph/value.ts";
import { countInstructions } from "../src/repops/schedule/work.ts";

const FOLDER = new URL("../src/graph/ops/", import.meta.url);
const NAMES = new URL("torch-vectors/names.json", import.meta.url);
export const PAGE = new URL("../docs/operators.md", import.meta.url);
const BEGIN = "<!-- Written by scripts/operators.ts. -->";

/** PyTorch's functions that have another name there. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  categorical: "torch.distributions.Categorical",
  circularPad: "torch.nn.CircularPad2d",
  constantPad: "torch.nn.functional.pad",
  dropout: "torch.nn.functional.dropout",
  fakeQuantize: "torch.fake_quantize_per_tensor_affine",
  gather: "torch.index_select",
  geluTanh: "torch.nn.functional.gelu",
  quantize: "torch.quantize_per_tensor",
  randomInt: "torch.randint",
  randomNormal: "torch.randn",
  randomUniform: "torch.rand",
  reflectionPad: "torch.nn.ReflectionPad2d",
  replicationPad: "torch.nn.ReplicationPad2d",
  rmsNorm: "torch.nn.functional.rms_norm",
  scaledDotProductAttention: "torch.nn.functional.scaled_dot_product_attention",
  slice: "torch.narrow",
  toBf16: "torch.Tensor.bfloat16",
  toF16: "torch.Tensor.half",
  toFloat: "torch.Tensor.float",
  toInt: "torch.Tensor.int",
  variance: "torch.var",
  vectorNorm: "torch.linalg.vector_norm",
};
/** Names that mean something else there. */
const FALSE_FRIENDS = new Set(["pad"]);

type Declared = Operator | ElementwiseOperator;

/** What the page says of an operator. */
interface Row {
  name: string;
  text: string;
  shapes: string;
  kernels: string;
  cost: string;
  gradients: string;
  torch: string;
}

/** The docstring of each exported operator, without its stars. */
function docstrings(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(FOLDER)) {
    const source = readFileSync(new URL(file, FOLDER), "utf8");
    for (const [, comment, name] of source.matchAll(
      /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:function|const) (\w+)/g,
    ))
      found.set(name, comment.replace(/^\s*\* ?/gm, "").trim());
  }
  return found;
}

/** `(x - mean) · scale: f32 [..., n] → [..., n].` becomes its text and its shapes. */
function split(docstring: string): { text: string; shapes: string } {
  const prose = docstring.split(/\n\s*\n|\n@/)[0].replace(/\s+/g, " ");
  const [, before, shapes, after] =
    /^(.*?):? ((?:[fi]32|f32 or i32)? ?\[[^\]]*\](?:(?!\. |\.$|; ).)*→(?:(?!\. |\.$|; ).)*)[.;]?(.*)$/.exec(prose) ??
    [];
  if (shapes === undefined) return { text: prose, shapes: "" };
  const text = `${before.replace(/:$/, "")}.${after}`.replace(/\.\.$/, ".");
  return { text: text.replace(/\. ([a-z])/g, (_, letter: string) => `. ${letter.toUpperCase()}`), shapes };
}

/** A graph with the inputs of a conformance vector. */
function given(builder: GraphBuilder): Given {
  let count = 0;
  const input = (dtype: "f32" | "i32", shape: readonly number[]): Value =>
    builder.input(`input ${count++}`, { dtype, shape: [...shape] });
  return {
    x: input("f32", [13, 37]),
    g: input("f32", [13, 37]),
    classes: input("i32", [13]),
    random: { seed: input("i32", []), step: input("i32", []) },
    floats: (_, ...shape) => input("f32", shape),
    ints: (_, ...shape) => input("i32", shape),
  };
}

/** The operator alone, applied once. */
function applied(operator: Declared): { builder: GraphBuilder; y: Value } {
  const builder = new GraphBuilder();
  if ("vector" in operator.check) return { builder, y: operator.check.vector(given(builder)).y };
  const one = operator as ElementwiseOperator;
  const operands = Array.from({ length: one.operands }, (_, i) => builder.input(`${i}`, { dtype: "f32", shape: [64] }));
  return { builder, y: elementwise(operator.check.name, one.elementwise, operands[0], operands[1]) };
}

function rowOf(name: string, operator: Declared, docstring: string, torch: (name: string) => string): Row {
  const { builder, y } = applied(operator);
  const made = dense(y);
  const all = builder.finish([{ name: "y", value: made }]).kernels;
  // A view has no kernel of its own; the last one only copies it.
  const kernels = made === y ? all : all.slice(0, -1);
  const counts = ["map", "fold", "gather"].map((kind) => [
    kernels.filter((kernel) => kernel.kind === kind).length,
    kind,
  ]);
  const parts = counts
    .filter(([count]) => count !== 0)
    .map(([count, kind]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  const { digests } = operator.check;
  const flows = Object.keys(digests).flatMap((key) => (key.startsWith("gradient ") ? [key.slice(9)] : []));
  const own = "elementwise" in operator ? Object.keys(operator.elementwise.gradient) : [];
  // One that is not the slope of the function has no trials.
  const passes = docstring.includes("The gradient passes unchanged");
  const isTried = operator.check.gradient !== "none" && (flows.length > 0 || own.length > 0 || y.origin !== undefined);
  const cost = countInstructions({ kernels }) / Math.max(1, elementCount(y.shape));
  return {
    name,
    ...split(docstring),
    kernels: parts.length > 0 ? parts.join(", ") : "none: a view",
    cost: cost >= 100 ? `${Math.round(cost)}` : `${Number(cost.toFixed(1))}`,
    gradients: passes || isTried ? "yes" : "no",
    torch: torch(name),
  };
}

/** The name of a function of PyTorch for ours. */
function torchNames(): (name: string) => string {
  const modules = Object.entries(JSON.parse(readFileSync(NAMES, "utf8")) as Record<string, string>).map(
    ([path, names]) => [path, new Set(names.split(" "))] as const,
  );
  return (name) => {
    if (FALSE_FRIENDS.has(name)) return "";
    if (OTHER_NAMES[name] !== undefined) return `\`${OTHER_NAMES[name]}\``;
    const spellings = [name, name.toLowerCase(), name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
    for (const [path, names] of modules)
      for (const spelling of spellings) if (names.has(spelling)) return `\`${path}.${spelling}\``;
    return "";
  };
}

const COLUMNS = ["operator", "definition", "shapes", "kernels", "instructions", "gradient", "PyTorch"];
const cell = (text: string): string => text.replaceAll("|", "\\|");

/** The table of all operators, by name. */
export function table(): string {
  const [docs, torch] = [docstrings(), torchNames()];
  const rows = Object.entries(ops as Readonly<Record<string, Declared>>)
    .map(([name, operator]) => rowOf(name, operator, docs.get(name) ?? "", torch))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `| ${COLUMNS.join(" | ")} |`,
    `|${"---|".repeat(COLUMNS.length)}`,
    ...rows.map(
      ({ name, text, shapes, kernels, cost, gradients, torch: peer }) =>
        `| ${[`\`${name}\``, text, shapes && `\`${shapes.replaceAll("`", "")}\``, kernels, cost, gradients, peer].map(cell).join(" | ")} |`,
    ),
    "",
  ].join("\n");
}

/** The page with its table replaced; what people wrote above it stays. */
export function pageWith(page: string, content: string): string {
  return `${page.slice(0, page.indexOf(BEGIN) + BEGIN.length)}\n\n${content}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, "utf8"), table()));
