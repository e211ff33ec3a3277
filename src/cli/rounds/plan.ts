/** The plan that a command names, with the options that every plan has. */
import type { Command } from "commander";
import { unknownOption } from "../../job/options.ts";
import { loadRounds, loadRoundsDefinition } from "../../rounds/load.ts";
import type { Plan } from "../../rounds/plan.ts";
import { jobOptions, optionNames } from "../job-options.ts";

export interface PlanFlags {
  rounds?: string;
  seed?: string;
}

export const ROUNDS = ["--rounds <n>", "how many rounds; default: the plan's own number"] as const;
export const SEED = ["--seed <n>", "the seed of initial states"] as const;

/** Those of the two that are given. */
const given = ({ rounds, seed }: PlanFlags): Record<string, string> => ({
  ...(rounds !== undefined && { rounds }),
  ...(seed !== undefined && { seed }),
});

/**
 * Loads the module and closes its plan.
 * @param rest the plan's own options
 * @throws {JobError} for an option that the plan does not have
 */
export async function planOf(path: string, rest: string[], flags: PlanFlags, command: Command): Promise<Plan> {
  const own = optionNames(command);
  const options = jobOptions(rest, own);
  const plan = await loadRoundsDefinition(path);
  const known = Object.keys(plan.options);
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw unknownOption(plan.name, name, known, own, "plan");
  return loadRounds(path, { ...options, ...given(flags) });
}

/** The plan and its options, as another command takes them. */
export function planWords(path: string, rest: readonly string[], flags: PlanFlags): string[] {
  return [path, ...rest, ...Object.entries(given(flags)).flatMap(([name, value]) => [`--${name}`, value])];
}
