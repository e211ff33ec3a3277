/** A plan as files: `plan.cbor`, the graphs of its templates, and the seats' data among the blobs. */
import { decode, encode } from "cborg";
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import { fs, path } from "../encoding/node.ts";
import type { Tensor, TensorRoot } from "../encoding/tensor.ts";
import { messageOf, RoundsError, VerdeError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { replaceFile } from "../files/replace.ts";
import { decodeGraph, encodeGraph, graphRoot } from "../graph/codec.ts";
import type { Graph } from "../graph/graph.ts";
import type { Beacon } from "./beacon.ts";
import type { Blobs } from "./blobs.ts";
import { checkMembers, checkPlan, checkStorage } from "./check-plan.ts";
import { type Plan, type PlanId, planIdOf, type PlanTurn } from "./plan.ts";
import type { SeatSource } from "./source.ts";
import { participantsOf, type Storage } from "./storage.ts";
import type { JobTemplate, Template } from "./template.ts";

const FORMAT = 1;

interface EncodedJob {
  name: string;
  steps: number;
  step: Uint8Array;
  init: Uint8Array;
  lists: number[];
}
interface EncodedPlan {
  format: number;
  id: Uint8Array;
  name: string;
  rounds: number;
  seeds?: "record";
  beacon?: { chain: Uint8Array; publicKey: Uint8Array; first: number; every: number };
  storage?: Storage;
  turns: PlanTurn[];
  templates: { turn: number; sources: SeatSource[]; genesis: EncodedJob; round: EncodedJob }[];
  seats: {
    turn: number;
    member: number;
    template: number;
    participant: number;
    names: string[];
    shard: Uint8Array[];
  }[];
}

const plain = (bytes: Bytes): Uint8Array => new Uint8Array(bytes);
/** Where the plan of a record is. */
export const planFile = (folder: string): string => path.join(folder, "plan.cbor");
/** Where a graph of its templates is. */
export const graphFile = (folder: string, root: Bytes): string =>
  path.join(folder, "templates", `${toHex(root).slice(2)}.graph`);

/** Writes a plan into a record's folder, so that it can be disputed without the module that defines it. */
export async function writePlan(folder: string, plan: Plan, blobs: Blobs): Promise<void> {
  await makeFolder(path.join(folder, "templates"));
  const written = new Set<string>();
  const graph = async (root: Bytes, of: Graph): Promise<Uint8Array> => {
    const file = graphFile(folder, root);
    if (!written.has(file)) await replaceFile(file, encodeGraph(of));
    written.add(file);
    return plain(root);
  };
  const job = async ({ name, steps, step, stepRoot, init, initRoot, lists }: JobTemplate): Promise<EncodedJob> => ({
    name,
    steps,
    step: await graph(stepRoot, step),
    init: await graph(initRoot, init),
    lists: [...lists],
  });
  const templates: EncodedPlan["templates"] = [];
  for (const { turn, sources, genesis, round } of plan.templates)
    templates.push({ turn, sources: [...sources], genesis: await job(genesis), round: await job(round) });
  const seats: EncodedPlan["seats"] = [];
  for (const { turn, member, template, participant, shard, shardRoots } of plan.seats) {
    await blobs.put(shard, shardRoots);
    seats.push({
      turn,
      member,
      template,
      participant,
      names: shard.map(({ name }) => name),
      shard: shardRoots.map(plain),
    });
  }
  const { id, name, rounds, seeds, beacon, storage, turns } = plan;
  const encoded: EncodedPlan = {
    format: FORMAT,
    id: plain(id),
    name,
    rounds,
    ...(seeds && { seeds }),
    ...(beacon && { beacon: { ...beacon, chain: plain(beacon.chain), publicKey: plain(beacon.publicKey) } }),
    ...(storage && { storage: { ...storage } }),
    turns: [...turns],
    templates,
    seats,
  };
  await replaceFile(planFile(folder), encode(encoded));
}

/**
 * Reads the plan of a record. Its id is computed again.
 * @throws {RoundsError} when the folder has no plan, or its files are not those of its id
 */
export async function readPlan(folder: string, blobs: Blobs): Promise<Plan> {
  const file = planFile(folder);
  const bytes = await fs.readFile(file).catch((cause: unknown) => unusable(file, messageOf(cause)));
  const graph = async (root: Bytes): Promise<Graph> => {
    const at = graphFile(folder, root);
    return decodeGraph(plain(await fs.readFile(at)), at);
  };
  return decodePlan(plain(bytes), file, { graph, tensors: (roots) => blobs.get(roots) });
}

/** What the file of a plan names by its root. */
export interface PlanParts {
  /** It need not be the graph of the root: that is computed. */
  graph(root: Bytes): Promise<Graph>;
  /** The tensors of the roots. */
  tensors(roots: readonly TensorRoot[]): Promise<Tensor[]>;
}

/**
 * Decodes the file of a plan.
 * @param wanted the plan that it has to be: then nothing of another one is asked for. Default: that which it
 *   names
 * @throws {RoundsError} when it is no plan, another one, or its parts are not those of its id
 */
export async function decodePlan(bytes: Bytes, file: string, parts: PlanParts, wanted?: PlanId): Promise<Plan> {
  const fail = (why: string): never => unusable(file, why);
  try {
    const data = decode(bytes, { strict: true, rejectDuplicateMapKeys: true }) as EncodedPlan;
    if (data.format !== FORMAT) return fail(`it has format ${data.format}, and this reads ${FORMAT}`);
    checkMembers(data.turns, data.seats.length);
    checkStorage(data.storage, data.turns);
    const named = (wanted ?? data.id) as Bytes;
    if (!bytesEqual(claimedId(data), named)) return fail("its parts are not those of its id");
    const graphs = new Map<string, Graph>();
    const graph = async (root: Uint8Array): Promise<Graph> => {
      const at = toHex(root as Bytes);
      const known = graphs.get(at) ?? (await parts.graph(root as Bytes));
      graphs.set(at, known);
      return known;
    };
    const job = async ({ name, steps, step, init, lists }: EncodedJob): Promise<JobTemplate> => {
      const [a, b] = [await graph(step), await graph(init)];
      return { name, steps, step: a, init: b, lists, ...rootsOf(a, b) };
    };
    const templates: Template[] = [];
    for (const { turn, sources, genesis, round } of data.templates)
      templates.push({ turn, sources, genesis: await job(genesis), round: await job(round) });
    const { name, rounds, seeds: from, beacon, storage, turns } = data;
    const participants = participantsOf(turns, storage);
    const seats: Plan["seats"][number][] = [];
    for (const { names, shard, ...seat } of data.seats) {
      const roots = shard as Bytes[] as TensorRoot[];
      const tensors = await parts.tensors(roots);
      seats.push({ ...seat, shard: tensors.map((tensor, i) => ({ ...tensor, name: names[i] })), shardRoots: roots });
    }
    const drawn = { ...(from !== undefined && { seeds: from }), ...(beacon && { beacon: beacon as Beacon }) };
    const plan = { name, rounds, ...drawn, ...(storage && { storage }), turns, participants, templates, seats };
    const id = planIdOf(plan);
    if (!bytesEqual(id, named)) return fail("its parts are not those of its id");
    const read = { id, ...plan };
    checkPlan(read);
    return read;
  } catch (error) {
    if (error instanceof VerdeError) throw error;
    return fail(messageOf(error));
  }
}

function unusable(file: string, why: string): never {
  throw new RoundsError("RECORD", `${file} can't be used: ${why}; name the folder of a record, or restore it`, {
    file,
  });
}

/** The id of the plan that a file describes, if the roots in it are right. */
function claimedId({ name, rounds, seeds, beacon, storage, turns, templates, seats }: EncodedPlan): PlanId {
  const job = ({ step, init, ...of }: EncodedJob) => ({ ...of, stepRoot: step as Bytes, initRoot: init as Bytes });
  return planIdOf({
    name,
    rounds,
    ...(seeds !== undefined && { seeds }),
    ...(beacon && { beacon: beacon as Beacon }),
    ...(storage && { storage }),
    turns,
    templates: templates.map(({ genesis, round, ...of }) => ({ ...of, genesis: job(genesis), round: job(round) })),
    seats: seats.map(({ turn, member, template, shard }) => ({ turn, member, template, shardRoots: shard as Bytes[] as TensorRoot[] })), // prettier-ignore
  });
}

/** The roots of graphs that were read are computed, and never believed. */
const rootsOf = (step: Graph, init: Graph): Pick<JobTemplate, "stepRoot" | "initRoot"> => ({
  stepRoot: graphRoot(step),
  initRoot: graphRoot(init),
});
