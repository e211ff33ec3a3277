/** Which files of a trace's data folder are not what the trace commits to. */
import { messageOf, VerdeError } from "../errors/index.ts";
import { checkpointsOf, readCheckpoint, readDataset, stopsOf, type Trace } from "./open.ts";
import { checkpointFile, dataFolder, DATASET_FILE } from "./source.ts";

/** A checkpoint or a dataset that is not what the trace commits to. */
export interface DamagedState {
  file: string;
  /** The step of the state; absent for the dataset, which `--resume` writes again. */
  step?: number;
  problem: string;
}

/** Families of errors that are about what a file holds. */
const CONTENT: ReadonlySet<string> = new Set(["VERDE_FORMAT", "VERDE_VALUE", "VERDE_GRAPH", "VERDE_SHAPE"]);
/** Of these, what says that nobody could look. */
const UNREAD: ReadonlySet<string> = new Set(["VERDE_FORMAT_UNREADABLE", "VERDE_FORMAT_MISSING"]);

/**
 * Reads the dataset and every state in the data folder that the trace vouches for.
 * @returns `newest`: the last step whose state is whole, if there is one
 * @throws {FormatError} when a file can't be read now: then nothing is known about its content
 */
export async function damagedStates(trace: Trace): Promise<{ states: DamagedState[]; newest?: number }> {
  const folder = dataFolder(trace.path);
  const checkpoints = (await checkpointsOf(trace)).map((step) => ({
    step,
    name: checkpointFile(step),
    read: () => readCheckpoint(trace, step),
  }));
  const states: DamagedState[] = [];
  let newest: number | undefined;
  if ((await trace.source.names()).includes(DATASET_FILE)) {
    const problem = await problemOf(() => readDataset(trace));
    if (problem !== undefined) states.push({ file: `${folder}/${DATASET_FILE}`, problem });
  }
  for (const { step, name, read } of [...checkpoints, ...(await stopsOf(trace))]) {
    const problem = await problemOf(read);
    if (problem === undefined) newest = Math.max(newest ?? 0, step);
    else states.push({ file: `${folder}/${name}`, step, problem });
  }
  return { states, ...(newest !== undefined && { newest }) };
}

/**
 * What is wrong with the content of a file.
 * @throws what says that the file can't be read now
 */
async function problemOf(read: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    const isContent = error instanceof VerdeError && CONTENT.has(error.family) && !UNREAD.has(error.code);
    if (!isContent) throw error;
    return messageOf(error);
  }
}
