/** `--from` and what belongs to it: the weights with which a job begins. */
import { type Command, Option } from "commander";
import { formatType } from "../encoding/tensor.ts";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { formatEntry, type WeightReport } from "../formats/weights.ts";
import type { ClosedJob } from "../job/closed.ts";
import { startFromFile } from "../trace/start.ts";
import { colors, writeJson, writeLine } from "./output.ts";

export interface WeightFlags {
  from?: string;
  fromPrefix?: string;
  partial?: boolean;
  transpose?: string[];
  saturate?: boolean;
  json?: boolean;
}

export function addWeightOptions(command: Command): void {
  command
    .option("--from <file>", "start with these weights: a safetensors file with the job's parameters")
    .option("--from-prefix <prefix>", "strip this from the names in the file: `model.` of `model.out.bias`")
    .option("--partial", "take what fits of the file: parameters may be missing, and other tensors are ignored")
    .addOption(
      new Option(
        "--transpose <name>",
        "transpose these matrices of the file; * is any text; may be repeated",
      ).argParser((name: string, before: string[] = []) => [...before, name]),
    )
    .option("--saturate", "accept weights above 2^127 and infinities, and replace them by ±2^127");
}

/** The job with the weights of `--from`, after a report of what was taken. Without `--from`, the same job. */
export async function withWeights(job: ClosedJob, flags: WeightFlags): Promise<ClosedJob> {
  const { from, fromPrefix, partial = false, transpose = [], saturate = false, json = false } = flags;
  if (from === undefined) {
    const alone = {
      "--from-prefix": fromPrefix,
      "--partial": flags.partial,
      "--transpose": flags.transpose,
      "--saturate": flags.saturate,
    };
    const name = Object.entries(alone).find(([, value]) => value !== undefined)?.[0];
    if (name !== undefined) throw new UsageError("CONFLICT", `${name} is about the file of --from; name one`, { name });
    return job;
  }
  const options = { partial, transpose, saturate, ...(fromPrefix !== undefined && { prefix: fromPrefix }) };
  const started = await startFromFile(job, from, options);
  if (json) writeJson({ schemaVersion: 1, from: { file: from, ...reportJson(started.weights) } });
  else writeLine(...reportLines(from, started.weights));
  return started.job;
}

function reportJson({ taken, missing, made, unexpected, unsure }: WeightReport) {
  return {
    taken: taken.map(({ name, from, transposed, ...type }) => ({
      name,
      type: formatType(type),
      ...(from !== name && { from }),
      ...(transposed && { transposed }),
    })),
    missing: missing.map(({ name, ...type }) => ({ name, type: formatType(type) })),
    made: made.map(({ name, ...type }) => ({ name, type: formatType(type) })),
    unexpected: unexpected.map(({ name, type, shape }) => ({ name, type: `${type}[${shape.join(", ")}]` })),
    unsure,
  };
}

/** The most names of one kind in the report. */
const MOST_NAMES = 12;

function reportLines(file: string, { taken, missing, made, unexpected, unsure }: WeightReport): string[] {
  const turned = taken.filter(({ transposed }) => transposed).length;
  const lines = [
    `weights of ${quote(file)}: ${taken.length} tensors are taken${turned > 0 ? `, ${turned} of them transposed` : ""}` +
      (made.length > 0 ? `; the init graph makes ${made.length} other entries, which are no parameters` : ""),
  ];
  const list = (names: readonly string[]): string =>
    names.slice(0, MOST_NAMES).join(", ") +
    (names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more (--json lists them)` : "");
  if (missing.length > 0)
    lines.push(colors.yellow(`  missing        the init graph makes ${list(missing.map(formatEntry))}`));
  if (unexpected.length > 0)
    lines.push(colors.yellow(`  unexpected     the job has no ${list(unexpected.map(formatEntry))}`));
  if (unsure.length > 0)
    lines.push(
      colors.yellow(
        `  square         ${unsure.length} square matrices are taken as they are: ${list(unsure.map((name) => quote(name)))}. ` +
          "PyTorch keeps the weights of Linear as [outputs, inputs], and Verde's linear as [inputs, outputs]; " +
          "--transpose NAME transposes",
      ),
    );
  return lines;
}
