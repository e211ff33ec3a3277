/** `verde inspect` of a safetensors file: a checkpoint or the dataset of a trace, or any other weights. */
import { basename, dirname } from "node:path";
import { toHex } from "../../encoding/bytes.ts";
import { elementCount, type StateRoot, stateRoot, tensorRoot } from "../../encoding/tensor.ts";
import { FormatError, GraphError, messageOf } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { openFile } from "../../formats/file.ts";
import { readHeader } from "../../formats/safetensors-header.ts";
import { openTrace } from "../../trace/folder.ts";
import { readCheckpoint, readDataset, type Trace } from "../../trace/open.ts";
import { DATASET_FILE, stepOfCheckpoint } from "../../trace/source.ts";
import { exists } from "../../files/regular.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { colors, formatBytes, formatCount, writeJsonLists, writeLine } from "../output.ts";

/** A file of a trace's data folder, compared with the trace. */
interface Place {
  trace: string;
  /** The step whose state it holds; `null` for the dataset. */
  step: number | null;
  /** The root of the content, if it is what the trace commits to. */
  root: string | null;
  /** Why it is not. */
  problem: string | null;
}

export async function inspectTensors(path: string, json: boolean): Promise<void> {
  const place = await placeOf(path);
  const file = await openFile(path);
  const { entries, metadata } = await readHeader(file, path).finally(() => file.close());
  const facts = {
    schemaVersion: 1,
    kind: place ? (place.step === null ? "dataset" : "checkpoint") : "tensors",
    file: path,
    bytes: file.size,
    ...place,
    ...(place && { fits: place.problem === null }),
    metadata,
  };
  // As in diff(1): the two differ.
  if (place && place.problem !== null) exitWith(EXIT.divergence);
  if (json) await writeJsonLists(facts, { entries: entries.map(({ name, type, shape }) => ({ name, type, shape })) });
  else {
    const rows: [string, string][] = [
      ["file", `${quote(path)}, ${formatBytes(file.size)}`],
      ["holds", place ? holds(place) : "tensors that no trace beside it names"],
    ];
    if (place)
      rows.push([
        "fits",
        place.problem === null ? colors.green(`yes: ${place.root}`) : colors.red(`no: ${place.problem}`),
      ]);
    const notes = Object.entries(metadata);
    if (notes.length > 0)
      rows.push(["metadata", notes.map(([name, text]) => `${quote(name)}: ${quote(text)}`).join(", ")]);
    const elements = entries.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    rows.push(["entries", `${formatCount(entries.length)} tensors, ${formatCount(elements)} elements`]);
    for (const [name, value] of rows) writeLine(`${colors.dim(name.padEnd(12))} ${value}`);
    for (const { name, type, shape } of entries) writeLine(`  ${quote(name).padEnd(40)} ${type}[${shape.join(", ")}]`);
  }
}

const holds = ({ trace, step }: Place): string =>
  step === null
    ? `the dataset of ${quote(trace)}`
    : `the state ${step === 0 ? "before" : `after training step ${step} of`} ${step === 0 ? `the first training step of ${quote(trace)}` : quote(trace)}`;

/** Which trace the file belongs to, by its name and folder; `undefined` if there is no such trace. */
async function placeOf(path: string): Promise<Place | undefined> {
  const [folder, name] = [dirname(path), basename(path)];
  const step = stepOfCheckpoint(name);
  if (!folder.endsWith(".data") || (step === undefined && name !== DATASET_FILE)) return undefined;
  const base = folder.slice(0, -".data".length);
  for (const trace of [`${base}.trace`, base])
    if (await exists(trace)) return { trace, step: step ?? null, ...(await compare(await openTrace(trace), step)) };
  return undefined;
}

async function compare(trace: Trace, step: number | undefined): Promise<Pick<Place, "root" | "problem">> {
  try {
    if (step !== undefined && step > trace.manifest.outline.steps)
      return { root: null, problem: `the run has ${trace.manifest.outline.steps} training steps` };
    const root: StateRoot =
      step === undefined
        ? stateRoot((await readDataset(trace)).map(tensorRoot))
        : stateRoot((await readCheckpoint(trace, step)).map(tensorRoot));
    return { root: toHex(root), problem: null };
  } catch (error) {
    if (error instanceof FormatError || error instanceof GraphError) return { root: null, problem: messageOf(error) };
    throw error;
  }
}
