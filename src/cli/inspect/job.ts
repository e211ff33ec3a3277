/** What a closed job is: for `verde job` and `verde inspect`. */
import { toHex } from "../../encoding/bytes.ts";
import { formatType } from "../../encoding/tensor.ts";
import { quote } from "../../errors/text.ts";
import { type ClosedJob, jobId } from "../../job/closed.ts";
import { countByTraining } from "../../job/parameters.ts";
import { countScalarSteps } from "../../referee/cost.ts";
import { colors, formatCount, writeLine } from "../output.ts";
import { formatParameters } from "../parameters.ts";

export function jobFacts(job: ClosedJob) {
  const { step, init } = job;
  return {
    schemaVersion: 1,
    kind: "job",
    job: job.name,
    jobId: toHex(jobId(job)),
    steps: job.steps,
    unit: job.unit,
    parameters: countByTraining(job),
    stateEntries: step.outputs.length,
    operators: step.kernels.length,
    scalarStepsPerStep: countScalarSteps(step),
    init: init.kind,
    initOperators: init.kind === "graph" ? init.graph.kernels.length : null,
    dataset: job.dataset.map(({ name, data, ...type }) => ({ name, type: formatType(type), bytes: data.byteLength })),
  };
}

export function printJob(facts: ReturnType<typeof jobFacts>): void {
  const { unit, initOperators } = facts;
  const rows: [string, string][] = [
    ["job", `${quote(facts.job)}  ${facts.jobId}`],
    ["steps", `${facts.steps} training steps of ${formatCount(unit.perStep)} ${quote(unit.name)}`],
    ["model", `${formatParameters(facts.parameters)}, ${facts.stateEntries} tensors of state`],
    [
      "graph",
      `${facts.operators} operators, ${formatCount(facts.scalarStepsPerStep)} scalar steps for each training step`,
    ],
    ["begins with", initOperators === null ? "given weights" : `an init graph of ${initOperators} operators`],
    ["dataset", facts.dataset.map(({ name, type }) => `${quote(name)} ${type}`).join(", ") || "none"],
  ];
  for (const [name, value] of rows) writeLine(`${colors.dim(name.padEnd(12))} ${value}`);
}
