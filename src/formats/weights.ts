/**
 * The weights with which a job begins, from a file or from memory: which of them the job takes, which it
 * misses, and which it has no place for.
 */
import { DTYPES } from "../encoding/dtypes.ts";
import { formatType, sameShape, type TensorType } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { NamedType } from "../graph/graph.ts";
import { type ClosedJob, type NamedTensor, OPTIMIZER_PREFIX, stateTypes } from "../job/closed.ts";
import { isStatistic, parametersOf } from "../job/parameters.ts";
import type { StoredTensor } from "./safetensors-header.ts";
import { READ } from "./stored-types.ts";

/** How given tensors become entries of a job's state. */
export interface WeightOptions {
  /**
   * Take what fits. By default every parameter of the job has to be among the tensors, and every tensor has
   * to be an entry of the state.
   */
  partial?: boolean;
  /**
   * Is stripped from the names of the tensors: with `model.` the tensor `model.out.bias` is the entry
   * `out.bias`. A tensor whose name does not begin with it is unexpected.
   */
  prefix?: string;
  /**
   * Names of entries whose matrices are transposed; `*` stands for any text. PyTorch keeps the weights of
   * `Linear` as [outputs, inputs], and Verde's `linear` as [inputs, outputs].
   */
  transpose?: readonly string[];
}

/** An entry of the state that is taken from a given tensor. */
export interface TakenEntry extends NamedType {
  /** The name of the given tensor. */
  from: string;
  transposed: boolean;
}

/** What was taken, and what was not. */
export interface WeightReport {
  taken: TakenEntry[];
  /** Parameters that were not given. The init graph makes them. */
  missing: NamedType[];
  /**
   * Other entries of the state that were not given, and the optimizer's unless all of them were. The init
   * graph makes them.
   */
  made: NamedType[];
  /** Tensors that are no entries of the state. */
  unexpected: StoredTensor[];
  /**
   * Square matrices that were taken as they are, although the others show that they may have to be
   * transposed: PyTorch wrote the file, or others are transposed. Their shape can't tell.
   */
  unsure: string[];
}

/**
 * Decides which tensors a job takes, from their names and shapes alone.
 * @param metadata what the file says about itself: `{ format: "pt" }` if PyTorch wrote it
 * @throws {JobError} when shapes do not fit, or, without `partial`, when parameters are missing or tensors
 * are unexpected; the message lists them
 */
export function matchWeights(
  job: ClosedJob,
  given: readonly StoredTensor[],
  options: WeightOptions = {},
  metadata: Readonly<Record<string, string>> = {},
): WeightReport {
  const { partial = false, prefix = "", transpose = [] } = options;
  const byEntry = new Map<string, StoredTensor>();
  for (const tensor of given) {
    if (!tensor.name.startsWith(prefix)) continue;
    const name = tensor.name.slice(prefix.length);
    if (byEntry.has(name))
      throw new JobError("CHECKPOINT", `two of the given tensors are called ${quote(tensor.name)}; give one`, { name });
    byEntry.set(name, tensor);
  }
  const state = stateTypes(job);
  const patterns = transpose.map((text) => ({ text, fits: patternOf(text) }));
  const taken: TakenEntry[] = [];
  const wrong: string[] = [];
  const isOwn = (name: string): boolean => name.startsWith(OPTIMIZER_PREFIX);
  // Sums of weights without their means would correct these wrongly, so the optimizer's state is taken whole.
  const beginsAnew = state.some(({ name }) => isOwn(name) && !byEntry.has(name));
  for (const entry of state) {
    const tensor = byEntry.get(entry.name);
    if (!tensor || (beginsAnew && isOwn(entry.name))) continue;
    const transposed = entry.shape.length === 2 && patterns.some(({ fits }) => fits.test(entry.name));
    taken.push({ ...entry, from: tensor.name, transposed });
    const problem = misfit(tensor, entry, transposed);
    if (problem !== undefined) wrong.push(problem);
  }
  if (wrong.length > 0)
    throw new JobError("CHECKPOINT", `${listed(wrong, "; ")}${wrong.length > 1 ? "" : "; convert it"}`, {
      problems: wrong.slice(0, MOST_LISTED),
    });
  for (const { text, fits } of patterns)
    if (!taken.some(({ name, transposed }) => transposed && fits.test(name)))
      throw new JobError("CHECKPOINT", `no matrix that is given has a name like ${quote(text)}, to be transposed`, {
        transpose: text,
      });
  const names = new Set(taken.map(({ name }) => name));
  const parameters = new Set(parametersOf(job).map(({ name }) => name));
  // Without its statistics, a model that was trained elsewhere is another one.
  for (const { name } of state) if (isStatistic(name)) parameters.add(name);
  const rest = state.filter(({ name }) => !names.has(name));
  const sources = new Set(taken.map(({ from }) => from));
  const known = new Set(rest.map(({ name }) => `${prefix}${name}`));
  const report: WeightReport = {
    taken,
    missing: rest.filter(({ name }) => parameters.has(name)),
    made: rest.filter(({ name }) => !parameters.has(name)),
    unexpected: given.filter(({ name }) => !sources.has(name) && !known.has(name)),
    unsure: metadata["format"] === "pt" || taken.some(({ transposed }) => transposed) ? squares(taken) : [],
  };
  if (!partial) expectAll(report, state);
  else if (taken.length === 0 && given.length > 0)
    throw refusal("nothing of what is given fits the job", report, state, "");
  return report;
}

/** The tensors as entries of the state, by a report about them. */
export function applyWeights({ taken }: WeightReport, given: readonly NamedTensor[]): NamedTensor[] {
  const byName = new Map(given.map((tensor) => [tensor.name, tensor]));
  return taken.map(({ name, dtype, shape, from, transposed }) => {
    const { data } = byName.get(from)!;
    return { name, dtype, shape, data: transposed ? transposeOf(data, shape) : data };
  });
}

/** Tensors in memory as a file would hold them. */
export function asStored(tensors: readonly NamedType[]): StoredTensor[] {
  return tensors.map(({ name, dtype, shape }) => ({ name, type: DTYPES[dtype].safetensors, shape: [...shape] }));
}

/** A name and its type: `hidden.weight f32[2, 5]`. Types that Verde does not read keep the file's name. */
export function formatEntry(entry: NamedType | StoredTensor): string {
  const type = "type" in entry ? `${entry.type}[${entry.shape.join(", ")}]` : formatType(entry);
  return `${quote(entry.name)} ${type}`;
}

/** Every name fits it that has any text where the pattern has a star. */
function patternOf(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&").replaceAll("*", "[^]*")}$`);
}

/** Element [i, j] of the result is element [j, i] of `data`. @param shape the result's */
function transposeOf<Data extends NamedTensor["data"]>(data: Data, [rows, columns]: readonly number[]): Data {
  const turned = data.slice() as Data;
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[i * columns + j] = data[j * rows + i];
  return turned;
}

/** Why a tensor can't become an entry, or `undefined`. */
function misfit(tensor: StoredTensor, entry: NamedType, transposed: boolean): string | undefined {
  const dtype = Object.hasOwn(READ, tensor.type) ? READ[tensor.type].type : undefined;
  const turned = [...entry.shape].toReversed();
  const needed = transposed ? turned : entry.shape;
  // Reading reports a type that is not read.
  if (sameShape(tensor.shape, needed) && (dtype === undefined || dtype === entry.dtype)) return undefined;
  const found: TensorType | undefined = dtype && { dtype, shape: tensor.shape };
  const words = `${quote(entry.name)} is ${found ? formatType(found) : `${tensor.type}[${tensor.shape.join(", ")}]`}`;
  const why = `${words}, but in the job it is ${formatType(entry)}`;
  if (transposed) return `${why}, and it is to be transposed`;
  if (entry.shape.length !== 2 || !sameShape(tensor.shape, turned)) return why;
  return `${why}: transposed, as PyTorch keeps the weights of Linear, it fits; take it with --transpose ${entry.name}`;
}

function squares(taken: readonly TakenEntry[]): string[] {
  const isSquare = ([rows, columns, ...more]: readonly number[]): boolean =>
    more.length === 0 && rows > 1 && rows === columns;
  return taken.filter(({ shape, transposed }) => !transposed && isSquare(shape)).map(({ name }) => name);
}

/** The most names in a message, and in its evidence. */
const MOST_NAMED = 6;
const MOST_LISTED = 64;

function listed(texts: readonly string[], separator = ", "): string {
  const more = texts.length - MOST_NAMED;
  return `${texts.slice(0, MOST_NAMED).join(separator)}${more > 0 ? `${separator}and ${more} more` : ""}`;
}

function expectAll(report: WeightReport, state: readonly NamedType[]): void {
  const { missing, unexpected } = report;
  if (missing.length + unexpected.length === 0) return;
  const problems: string[] = [];
  if (missing.length > 0)
    problems.push(`${missing.length} parameters are missing (${listed(missing.map(formatEntry))})`);
  if (unexpected.length > 0) problems.push(`the job's state has no ${listed(unexpected.map(formatEntry))}`);
  throw refusal(problems.join(", and "), report, state, "; take what fits with --partial");
}

function refusal(
  problem: string,
  { missing, unexpected }: WeightReport,
  state: readonly NamedType[],
  remedy: string,
): JobError {
  const prefix = likelyPrefix(unexpected, state);
  const hint = prefix === undefined ? nearest(unexpected[0], state) : `; strip the prefix with --from-prefix ${prefix}`;
  const evidence = {
    missing: missing.slice(0, MOST_LISTED).map(formatEntry),
    unexpected: unexpected.slice(0, MOST_LISTED).map(formatEntry),
  };
  return new JobError("CHECKPOINT", `the weights do not fit the job: ${problem}${hint}${remedy}`, evidence);
}

/** What stands in front of an entry's name in the first unexpected name that ends with one. */
function likelyPrefix(unexpected: readonly StoredTensor[], state: readonly NamedType[]): string | undefined {
  for (const { name } of unexpected.slice(0, MOST_LISTED)) {
    const entry = state.find((own) => name.length > own.name.length && name.endsWith(`.${own.name}`));
    if (entry) return name.slice(0, -entry.name.length);
  }
  return undefined;
}

function nearest(unexpected: StoredTensor | undefined, state: readonly NamedType[]): string {
  if (!unexpected) return "";
  const last = unexpected.name.split(".").at(-1)!;
  const alike = state.filter((entry) => entry.name.endsWith(last)).slice(0, 4);
  const names = (alike.length > 0 ? alike : state.slice(0, 4)).map((entry) => entry.name);
  return `; it has ${names.join(", ")}, and others`;
}
