/** Modules whose default export is a `defineRounds`. Loading one runs its code. */
import { path as paths, url } from "../encoding/node.ts";
import { isMissing, messageOf, RoundsError } from "../errors/index.ts";
import { expectRegular } from "../files/regular.ts";
import { brokenText } from "../job/load.ts";
import type { Overrides } from "../job/options.ts";
import { placed } from "../job/place.ts";
import { resolveOwnPackage } from "../job/resolve.ts";
import type { RoundsDefinition } from "./define.ts";
import type { Plan } from "./plan.ts";

/** @throws {RoundsError} when there is no such file, or it does not export a plan */
export async function loadRoundsDefinition(path: string): Promise<RoundsDefinition> {
  const file = paths.resolve(path);
  await expectRegular(file).catch((cause: unknown) => {
    const problem = isMissing(cause) ? "there is no such file" : messageOf(cause);
    throw new RoundsError("PLAN", `the module ${path} can't be read: ${problem}; give the path of a file that exports a plan`, { path }); // prettier-ignore
  });
  resolveOwnPackage();
  const broken = (problem: string): RoundsError => new RoundsError("PLAN", `${path} ${problem}`, { path });
  const module = await placed(
    () => import(/* @vite-ignore */ url.pathToFileURL(file).href) as Promise<{ default?: Partial<RoundsDefinition> }>,
    (cause) => broken(brokenText(cause)),
  );
  const rounds = module.default;
  const isPlan = typeof rounds?.close === "function" && Object.hasOwn(rounds.options ?? {}, "rounds");
  if (!isPlan) throw broken("does not export a plan of rounds; write `export default defineRounds({ … })`");
  return rounds as RoundsDefinition;
}

/**
 * Loads a module and closes its plan. An error names the line of the module that led to it.
 * @param overrides the values that differ from the plan's defaults
 * @throws {RoundsError} when there is no such file, or it does not export a plan that can be closed
 */
export async function loadRounds(path: string, overrides: Overrides = {}): Promise<Plan> {
  const definition = await loadRoundsDefinition(path);
  return placed(
    () => definition.close(overrides),
    (cause) => new RoundsError("PLAN", `the plan ${path} threw an error: ${messageOf(cause)}; repair it`, { path }),
  );
}
