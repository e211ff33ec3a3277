/**
 * Collects operators while a model's functions run. Equal operators become one, and unused ones are dropped
 * at the end.
 */
import { toHex } from "../encoding/bytes.ts";
import { checkNewName } from "../encoding/name.ts";
import { DTYPES } from "../encoding/dtypes.ts";
import { checkShape, formatType, type TensorType } from "../encoding/tensor.ts";
import { GraphError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { checkKernel, type Kernel, operandsOf, renumberOperands } from "../repops/kernels/kernel.ts";
import { encodeKernel } from "./codec.ts";
import { checkGraph, type Graph, type NamedOutput, type NamedType } from "./graph.ts";
import { labelIn } from "./shards.ts";
import { argumentError, expectValue, isDense, Value } from "./value.ts";
import type { Warning } from "./warning.ts";

/**
 * A graph under construction. Functions such as `softmax` add kernels to the builder of their operands. Equal
 * kernels become one, and `finish` drops unused ones. A job's context has a builder, so most models never use
 * it directly.
 *
 *     const builder = new GraphBuilder();
 *     const x = builder.input("x", { dtype: "f32", shape: [3] });
 *     const graph = builder.finish([{ name: "y", value: exp(x) }]);
 */
export class GraphBuilder {
  // During construction, inputs have the numbers -1, -2 and so on; kernels have the numbers 0, 1 and so on.
  private readonly inputs: NamedType[] = [];
  private readonly names = new Set<string>();
  private readonly kernels: Kernel[] = [];
  private readonly labels: string[] = [];
  /** The shard of each operator; `undefined` for those of no shard, and of several. */
  private readonly shards: (number | undefined)[] = [];
  private shard: number | undefined;
  private readonly known = new Map<string, number>();
  private readonly scopes: string[] = [];
  private readonly warnings: (Warning & { source: number })[] = [];
  /** The tensors whose values were passed to `stopGradient`. */
  readonly stopped: number[] = [];
  private values = 0;
  private purposes: number;

  /** @param firstPurpose the first purpose number of the random streams of this graph (see random.ts) */
  constructor(firstPurpose = 1) {
    this.purposes = firstPurpose;
  }

  /** The path of the layer that is being built: `blocks.0/attention`. */
  get path(): string {
    return this.scopes.join("/");
  }

  /** The label of an operator: the path of the layer, then the name. */
  label(name: string): string {
    if (typeof name !== "string") throw argumentError(this.path || "an operator", "name", name, "a text, the label");
    return [...this.scopes, name].join("/");
  }

  /** Runs `body`, and puts `name` in front of the labels and names that it makes. */
  scope<T>(name: string, body: () => T): T {
    checkNewName(name, "the name of a scope");
    if (typeof body !== "function") throw argumentError(this.label(name), "body", body, "a function");
    this.scopes.push(name);
    try {
      return body();
    } finally {
      this.scopes.pop();
    }
  }

  /** Runs `body`. The operators that it adds belong to a shard of the batch (spec 5.6), or to none. */
  inShard<T>(shard: number | undefined, body: () => T): T {
    const before = this.shard;
    this.shard = shard;
    try {
      return body();
    } finally {
      this.shard = before;
    }
  }

  /**
   * Gives a function the scopes that are open now, wherever it is called: gradients belong to their layers.
   */
  bound<A, T>(body: (argument: A) => T): (argument: A) => T {
    const own = [...this.scopes];
    return (argument) => {
      const before = this.scopes.splice(0, Infinity, ...own);
      try {
        return body(argument);
      } finally {
        this.scopes.splice(0, Infinity, ...before);
      }
    };
  }

  /** A number for a value: later values have higher numbers. */
  nextOrder(): number {
    return this.values++;
  }

  /** A number that no other random stream of this graph has. */
  nextPurpose(): number {
    return this.purposes++;
  }

  /**
   * An input of the graph.
   * @throws {GraphError} when the name is taken
   * @throws {FormatError} when it is no name (spec 5.5)
   * @throws {ShapeError} for more than eight axes, or an invalid extent
   */
  input(name: string, type: TensorType): Value {
    checkNewName(name, "the name of an input");
    if (typeof type !== "object" || type === null) throw argumentError("input", "type", type, "{ dtype, shape }");
    checkShape(type.shape, `input ${quote(name)}`);
    if (!Object.hasOwn(DTYPES, type.dtype))
      throw argumentError(`input ${name}`, "dtype", type.dtype, Object.keys(DTYPES).join(" or "));
    if (this.names.has(name))
      throw new GraphError("DUPLICATE", `two inputs are called ${name}; rename one of them`, { name });
    this.names.add(name);
    this.inputs.push({ name, dtype: type.dtype, shape: [...type.shape] });
    return new Value(this, -this.inputs.length, type.dtype, [...type.shape]);
  }

  /** Adds a kernel, or finds an equal one that exists already, and gives its dense output. */
  add(kernel: Kernel, name: string): Value {
    checkNewName(this.label(name), "the label of an operator");
    // The check comes first, because its errors name the layer. Numbers below 0 are encoded as patterns.
    this.check(kernel, this.label(name));
    const key = toHex(encodeKernel(renumberOperands(kernel, (source) => source >>> 0)));
    let index = this.known.get(key);
    if (index === undefined) {
      index = this.kernels.push(kernel) - 1;
      this.labels.push(this.label(name));
      this.shards.push(this.shard);
      this.known.set(key, index);
    } else if (this.shards[index] !== this.shard) this.shards[index] = undefined;
    return new Value(this, index, kernel.type.dtype, kernel.type.shape);
  }

  /** Checks a kernel as if its operands were numbered from 0, so that an error can name the layer now. */
  private check(kernel: Kernel, label: string): void {
    const operands = [...new Set(operandsOf(kernel))];
    const types = operands.map((source) => (source < 0 ? this.inputs[-1 - source] : this.kernels[source]?.type));
    checkKernel(
      renumberOperands(kernel, (source) => operands.indexOf(source)),
      types,
      label,
    );
  }

  /**
   * The finished graph.
   * @param outputs dense values by name
   * @param inputOrder the names of all inputs, in the order in which the graph takes them; the order of
   * declaration
   * @throws {GraphError} when an output is a view, a name is taken twice, or `inputOrder` does not list the
   *   inputs
   */
  finish(outputs: readonly { name: string; value: Value }[], inputOrder?: readonly string[]): Graph {
    if (!Array.isArray(outputs)) throw argumentError("finish", "outputs", outputs, "a list of { name, value }");
    for (const output of Array.from(outputs as readonly unknown[])) {
      const { name, value } = (output ?? {}) as Record<string, unknown>;
      checkNewName(name, "the name of an output");
      expectValue(value, "finish", `output ${quote(name)}`);
      if (value.builder !== this)
        throw new GraphError("MIXED", `output ${quote(name)} is a value of another graph; build both with one builder`);
    }
    if (inputOrder !== undefined && !Array.isArray(inputOrder))
      throw argumentError("finish", "the order of the inputs", inputOrder, "a list of names");
    const order = inputOrder ?? this.inputs.map(({ name }) => name);
    const inputs = order.map((name) => {
      const input = this.inputs.find((candidate) => candidate.name === name);
      if (!input)
        throw new GraphError(
          "INPUTS",
          `the graph has no input called ${quote(name)}; declare it, or leave it out of the list`,
          { name },
        );
      return input;
    });
    if (inputs.length !== this.inputs.length)
      throw new GraphError(
        "INPUTS",
        `${this.inputs.length} inputs were declared, but ${inputs.length} are listed; list each once`,
        { expected: this.inputs.length, found: inputs.length },
      );
    for (const { name, value } of outputs)
      if (!isDense(value))
        throw new GraphError("VIEW", `output ${name} is a view of ${formatType(value)}; make it dense first`);
    const live = this.liveKernels(outputs.map(({ value }) => value.source));
    const place = new Map(live.map((kernel, i) => [kernel, inputs.length + i]));
    const tensorOf = (source: number): number =>
      source < 0 ? inputs.indexOf(this.inputs[-1 - source]) : place.get(source)!;
    const graph: Graph = {
      inputs,
      kernels: live.map((kernel) => renumberOperands(this.kernels[kernel], tensorOf)),
      labels: live.map((kernel) => this.labelOf(kernel)),
      outputs: outputs.map(({ name, value }): NamedOutput => ({ name, tensor: tensorOf(value.source) })),
    };
    checkGraph(graph);
    return graph;
  }

  /** The type of the tensor that a value reads. */
  sourceType(source: number): TensorType {
    return source < 0 ? this.inputs[-1 - source] : this.kernels[source].type;
  }

  /** The name of an input, or the label of an operator. */
  labelOf(source: number): string {
    return source < 0 ? this.inputs[-1 - source].name : labelIn(this.shards[source], this.labels[source]);
  }

  /** The given tensors, and the operators that depend on one of them. */
  readersOf(sources: readonly number[]): Set<number> {
    const readers = new Set(sources);
    for (const [i, kernel] of this.kernels.entries())
      if (operandsOf(kernel).some((source) => readers.has(source))) readers.add(i);
    return readers;
  }

  /** Notes what may be a mistake in the operator of a value. It does not change the graph. */
  warn({ source }: Value, code: Warning["code"], message: string): void {
    // All shards have the same operators.
    if (this.shard !== undefined && this.shard > 0) return;
    const place = this.labelOf(source);
    this.warnings.push({ source, code, message: `${place}: ${message}`, place });
  }

  /** What was noted of the operators on which a value depends. */
  warningsOf({ source }: Value): Warning[] {
    const live = new Set(this.liveKernels([source]));
    return this.warnings.flatMap(({ source: noted, ...warning }) => (live.has(noted) ? [warning] : []));
  }

  private liveKernels(outputs: readonly number[]): number[] {
    const live = new Set<number>();
    const pending = [...outputs];
    for (let source = pending.pop(); source !== undefined; source = pending.pop()) {
      if (source < 0 || live.has(source)) continue;
      live.add(source);
      pending.push(...operandsOf(this.kernels[source]));
    }
    return [...live].sort((a, b) => a - b);
  }
}
