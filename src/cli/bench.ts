/** `verde bench`: how fast this machine executes the parts of a run. */
import type { Command } from "commander";
import { benchElementwise } from "../../bench/elementwise.ts";
import { benchHashing } from "../../bench/hashing.ts";
import { benchMatmul } from "../../bench/matmul.ts";
import { machine, type Sample } from "../../bench/measure.ts";
import { benchStep } from "../../bench/step.ts";
import { colors, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";

const BENCHES = { matmul: benchMatmul, elementwise: benchElementwise, hashing: benchHashing, step: benchStep } as const;

export function register(program: Command): void {
  const command = program
    .command("bench")
    .description("measure matrix products, element-wise operators, state roots and a training step of a GPT")
    .option("--json", "one JSON object on each line");
  addProgressOption(command).action(async ({ json }: { json?: boolean }) => {
    const progress = new Progress();
    const host = machine();
    if (json) writeJson({ schemaVersion: 1, machine: host });
    else writeLine(colors.dim(`${host.cpu}, one core, Node ${host.node}`));
    for (const [name, bench] of Object.entries(BENCHES)) {
      progress.show(`measuring ${name} …`, true);
      const results = await bench();
      progress.clear();
      for (const result of results) print(result, json ?? false);
    }
  });
}

function print({ name, value, unit }: Sample, json: boolean): void {
  if (json) writeJson({ schemaVersion: 1, name, value, unit });
  else writeLine(`${name.padEnd(52)} ${value.toFixed(value < 10 ? 2 : 1).padStart(10)} ${unit}`);
}
