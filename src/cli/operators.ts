/** `verde run --list-operators`: the operators of a job's graphs, by their numbers. */
import { formatType } from "../encoding/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { ClosedJob } from "../job/closed.ts";
import { writeJson, writeLine } from "./output.ts";

export function listOperators(job: ClosedJob, json: boolean): void {
  const graphs: [string, Graph][] = [["step", job.step]];
  if (job.init.kind === "graph") graphs.push(["init", job.init.graph]);
  for (const [name, { kernels, labels }] of graphs) {
    if (!json)
      writeLine(`${name === "step" ? "The step graph" : "The init graph (step 0)"}: ${kernels.length} operators`);
    kernels.forEach((kernel, id) => {
      const row = { number: id, kind: kernel.kind, type: formatType(kernel.type), label: labels[id] };
      if (json) writeJson({ schemaVersion: 1, graph: name, ...row });
      else writeLine(`  ${String(id).padStart(4)}  ${row.kind.padEnd(6)} ${row.type.padEnd(20)} ${row.label}`);
    });
  }
}
