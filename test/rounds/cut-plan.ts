/** A plan whose leaves have enough steps to be cut off inside, and what can be seen of them meanwhile. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Plan } from "../../src/rounds/index.ts";
import { smallPlan } from "./small-plan.ts";

export const CUT_STEPS = 300;
export const cutPlan = (): Promise<Plan> => smallPlan.close({ rounds: 2, inner: CUT_STEPS, clients: 2 });

/** Everything in a record's folder that has to be the same to the byte, and all that is left of traces, by its name. */
export function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => /(\.(leaf|log|cbor|json|trace|safetensors|data|lock)|blobs\/\w+)$/.test(name));
  return Object.fromEntries(
    files.sort().map((name) => [name, name.endsWith(".data") ? "" : readFileSync(join(folder, name)).toString("hex")]),
  );
}

/** The newest step whose state a leaf has kept; -1 without one. @param leaf `0001/local-0` */
export function keptStep(folder: string, leaf: string): number {
  const data = join(folder, "rounds", `${leaf}.data`);
  const names = existsSync(data) ? readdirSync(data) : [];
  return Math.max(-1, ...names.map((name) => Number(/^stopped-(\d+)-\w+\.safetensors$/.exec(name)?.[1] ?? -1)));
}

/** Returns when a leaf has kept its state after a step, or a later one. */
export async function untilKept(folder: string, leaf: string, step: number): Promise<void> {
  while (keptStep(folder, leaf) < step) await pause(1);
}
