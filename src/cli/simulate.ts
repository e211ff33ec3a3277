/**
 * `verde simulate dispute`: what the longest dispute about a job costs, for models from a laptop's size to a
 * trillion parameters.
 */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { outlineOf } from "../job/closed.ts";
import { countParameters } from "../job/parameters.ts";
import { countScalarSteps } from "../referee/cost.ts";
import { jobFacts } from "../referee/facts.ts";
import { MODELS, modelJob } from "../settlement/simulation/models.ts";
import { type Simulation, simulateDispute } from "../settlement/simulation/simulation.ts";
import { formatBytes, formatCount, formatSeconds, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";
import { formatTable } from "./table.ts";

interface Flags {
  steps: string;
  rate: string;
  block: string;
  commitEvery: string;
  checkpointEvery: string;
  json?: boolean;
}

/** A model, a number of training steps, and the longest dispute about them. */
interface Simulated extends Simulation {
  model: string;
  parameters: number;
  steps: number;
  /** Operators in the step graph. */
  operators: number;
  /** Scalar steps in one training step. */
  scalarSteps: number;
  /** The seconds in which a party executes one training step. */
  stepSeconds: number;
}

export function register(program: Command): void {
  const command = program
    .command("simulate")
    .description("estimate what is too large to run")
    .command("dispute")
    .description("estimate rounds, bytes, gas and time of the longest dispute, for models of 1M to 1T parameters")
    .option("--steps <counts>", "training steps of the run; several counts are separated by commas", "1000,1000000")
    .option(
      "--rate <n>",
      "scalar steps in a second, of a party that replays a step; a provider of a large model has many devices",
      "1e15",
    )
    .option("--block <seconds>", "time between two blocks of the chain", "12")
    .option("--commit-every <n>", "training steps in a segment", "1")
    .option("--checkpoint-every <n>", "training steps between two checkpoints of a provider", "100")
    .option("--json", "one JSON object");
  addProgressOption(command).action(simulate);
}

async function simulate(flags: Flags): Promise<void> {
  const counts = flags.steps.split(",").map((text) => positive(text, "--steps", true));
  const rate = positive(flags.rate, "--rate");
  const blockSeconds = positive(flags.block, "--block");
  const commitEvery = positive(flags.commitEvery, "--commit-every", true);
  const checkpointEvery = positive(flags.checkpointEvery, "--checkpoint-every", true);
  const progress = new Progress();
  const all: Simulated[] = [];
  for (const shape of MODELS) {
    progress.show(`the graph of ${shape.name}`, true);
    for (const steps of counts) {
      const outline = outlineOf(await modelJob(shape, steps));
      const scalarSteps = countScalarSteps(outline.step);
      const stepSeconds = scalarSteps / rate;
      const figures = simulateDispute(jobFacts(outline, commitEvery), { blockSeconds, stepSeconds, checkpointEvery });
      const operators = outline.step.kernels.length;
      all.push({
        model: shape.name,
        parameters: countParameters(outline),
        steps,
        operators,
        scalarSteps,
        stepSeconds,
        ...figures,
      });
    }
  }
  progress.clear();
  if (flags.json) {
    writeJson({ schemaVersion: 1, rate, blockSeconds, commitEvery, checkpointEvery, disputes: all });
    return;
  }
  writeLine(
    ...formatTable(
      ["model", "steps", "operators", "scalar steps", "levels", "rounds", "shown", "transactions", "gas", "at best"],
      all.map((one) => [
        one.model,
        formatCount(one.steps),
        formatCount(one.operators),
        (one.scalarSteps * one.steps).toExponential(1),
        formatCount(one.levels),
        formatCount(one.rounds),
        formatBytes(one.bytes),
        formatCount(one.transactions),
        `${(one.gas / 1e6).toFixed(2)}M`,
        formatSeconds(one.seconds),
      ]),
    ),
  );
}

function positive(text: string, flag: string, whole = false): number {
  const value = Number(text);
  if (!(value > 0) || value === Infinity || (whole && !Number.isInteger(value)))
    throw new UsageError(
      "VALUE",
      `${flag} ${JSON.stringify(text)} is not a ${whole ? "whole number" : "number"} above 0; write one, for example 10`,
      { found: text },
    );
  return value;
}
