/**
 * What a run has seen so far, beside its checkpoints: a run that is resumed reports all of it. The file is a
 * note of the provider's to itself. Nothing binds it, and no bit depends on it.
 */
import { toHex } from "../encoding/bytes.ts";
import { fs, path as paths } from "../encoding/node.ts";
import { isPlainObject } from "../errors/arguments.ts";
import { replaceFile } from "../files/replace.ts";
import { formatFault } from "./fault.ts";
import type { KeptObservations } from "./observations.ts";
import type { Wanted } from "./resume.ts";

/** The name of the file in the data folder. */
export const OBSERVED = "observed.json";
const FORMAT = 1;

const headOf = ({ jobId, fault }: Pick<Wanted, "jobId" | "fault">): Record<string, unknown> => ({
  format: FORMAT,
  job: toHex(jobId),
  fault: fault ? formatFault(fault) : null,
});

/** @throws {FileError} when it can't be written */
export async function keepObserved(folder: string, run: Wanted, kept: KeptObservations): Promise<void> {
  await replaceFile(paths.join(folder, OBSERVED), JSON.stringify({ ...headOf(run), ...kept }));
}

/**
 * What an earlier part of a run has kept.
 * @returns `undefined` where it has seen nothing; "lost" where the file is damaged, or another run's
 */
export async function readObserved(folder: string, run: Wanted): Promise<KeptObservations | "lost" | undefined> {
  let text: string;
  try {
    text = await fs.readFile(paths.join(folder, OBSERVED), "utf8");
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "lost";
  }
  try {
    const { format, job, fault, ...kept } = JSON.parse(text) as Record<string, unknown>;
    if (JSON.stringify({ format, job, fault }) !== JSON.stringify(headOf(run))) return "lost";
    return isKept(kept) ? (kept as unknown as KeptObservations) : "lost";
  } catch {
    return "lost";
  }
}

const isStep = (step: unknown): boolean => Number.isInteger(step);
const isList = (list: unknown, isItem: (item: Record<string, unknown>) => boolean): boolean =>
  Array.isArray(list) && list.every((item) => isPlainObject(item) && isItem(item));

/** Whether it has the form of what was kept. */
function isKept({ blind, given, saturated, outOfRange, operators, divergence }: Record<string, unknown>): boolean {
  const areSpans = (spans: unknown): boolean =>
    Array.isArray(spans) && spans.length > 0 && spans.every((span) => Array.isArray(span) && span.every(isStep));
  return (
    typeof blind === "boolean" &&
    Array.isArray(given) &&
    isList(saturated, ({ step, tensor }) => isStep(step) && typeof tensor === "string") &&
    isList(outOfRange, ({ step, label, count }) => isStep(step) && isStep(count) && typeof label === "string") &&
    isList(
      operators,
      ({ label, kind, spans }) => typeof label === "string" && typeof kind === "string" && areSpans(spans),
    ) &&
    (divergence === undefined || isList([divergence], ({ step, at }) => isStep(step) && typeof at === "string"))
  );
}
