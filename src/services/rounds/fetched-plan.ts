/** The plan of a record, as somebody sends it that serves the record. */
import type { Bytes } from "../../encoding/bytes.ts";
import { bytesEqual, toHex } from "../../encoding/bytes.ts";
import type { Tensor, TensorRoot } from "../../encoding/tensor.ts";
import { FormatError, messageOf } from "../../errors/index.ts";
import { decodeGraph, graphRoot } from "../../graph/codec.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Blobs } from "../../rounds/blobs.ts";
import type { Plan } from "../../rounds/plan.ts";
import { decodePlan } from "../../rounds/plan-file.ts";
import { type Instance, type InstanceId, instanceOf } from "../../rounds/statement.ts";
import type { Correspondent } from "./correspondent.ts";

/** The most bytes of a plan's file, and of a graph's. */
const [MOST_PLAN, MOST_GRAPH] = [2 ** 26, 2 ** 28];

/** What a plan is fetched with. */
interface Means {
  readonly server: Correspondent;
  readonly blobs: Blobs;
  /** Counts bytes. @throws {RoundsError} LIMIT when they are too many */
  spend(bytes: number): void;
  /** The most bytes of a tensor. */
  readonly mostTensor: number;
}

/**
 * The performance of an id. All that it names is hashed into the id, so nothing else can be sent.
 * @throws {RoundsError} SERVER when another one is sent
 */
export async function fetchInstance(server: Correspondent, id: InstanceId): Promise<Instance> {
  const { instance } = await server.ask({ kind: "record" }, "record");
  const { chain, ...parts } = instance;
  const made = instanceOf({ ...parts, ...(chain && { chain }) });
  if (bytesEqual(made.id, id)) return made;
  throw server.wrong(`serves the instance ${toHex(made.id)}, and not ${toHex(id)}`);
}

/**
 * The plan of a performance. Its id is that of the instance before a graph or a tensor of it is asked for.
 * @throws {RoundsError} SERVER when something else is sent than the instance names
 */
export async function fetchPlan(instance: Instance, means: Means): Promise<Plan> {
  const { server, spend } = means;
  const bytes = await server.file((from) => ({ kind: "plan", from }), "the plan", MOST_PLAN);
  spend(bytes.length);
  const parts = {
    graph: (root: Bytes) => fetchGraph(root, means),
    tensors: (roots: readonly TensorRoot[]) => fetchShard(roots, means),
  };
  const name = `the plan that ${server.name} sends`;
  const plan = await decodePlan(bytes, name, parts, instance.plan);
  if (plan.participants.length === instance.owners.length) return plan;
  throw server.wrong(`serves an instance of ${instance.owners.length} keys, and its plan has ${plan.participants.length} participants`); // prettier-ignore
}

async function fetchGraph(root: Bytes, { server, spend }: Means): Promise<Graph> {
  const what = `the graph ${toHex(root)}`;
  const bytes = await server.file((from) => ({ kind: "graph", root, from }), what, MOST_GRAPH);
  spend(bytes.length);
  let graph: Graph;
  try {
    graph = decodeGraph(bytes, what);
  } catch (error) {
    if (error instanceof FormatError) throw server.wrong(`sent what is no graph: ${messageOf(error)}`);
    throw error;
  }
  if (bytesEqual(graphRoot(graph), root)) return graph;
  throw server.wrong(`sent another graph than ${toHex(root)}`);
}

/** A seat's own tensors. Only their roots are known before they are there. */
async function fetchShard(
  roots: readonly TensorRoot[],
  { server, blobs, spend, mostTensor }: Means,
): Promise<Tensor[]> {
  for (const root of roots) {
    if (await blobs.get([root]).then(() => true, () => false)) continue; // prettier-ignore
    const bytes = await server.file((from) => ({ kind: "tensor", root, from }), `the tensor ${toHex(root)}`, mostTensor); // prettier-ignore
    spend(bytes.length);
    if (!(await blobs.take(root, bytes))) throw server.wrong(`sent another tensor than ${toHex(root)}`);
  }
  return blobs.get(roots);
}
