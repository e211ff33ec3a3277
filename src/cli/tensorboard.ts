/** `--tensorboard`: the metrics of a run, or of a trace, as an event file. */
import { stat } from "node:fs/promises";
import { messageOf } from "../errors/index.ts";
import { EventFile } from "../formats/tensorboard.ts";
import { metricNames, namedMetrics } from "../trace/metrics.ts";
import type { Trace } from "../trace/open.ts";
import type { RunOptions, StepInfo } from "../trace/run.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { reportLine } from "./output.ts";

/**
 * Runs `body` with options that also write an event file. If the file can't be written to its end, the run
 * counts all the same, and the exit code is that of a failure.
 * @param folder where the file is made; absent: there is none
 */
export async function withBoard<T>(
  folder: string | undefined,
  options: RunOptions,
  body: (options: RunOptions) => Promise<T>,
): Promise<T> {
  if (folder === undefined) return body(options);
  const events = await EventFile.open(folder);
  let began = false;
  const onStep = (info: StepInfo): void => {
    const { step, metrics } = info;
    // A run that is resumed begins after the first step. Older files may have later ones.
    if (!began && step > 0) events.add({ kind: "start", step });
    began = true;
    if (step > 0) events.add({ kind: "scalars", step, values: metrics });
    options.onStep?.(info);
  };
  try {
    return await body({ ...options, onStep });
  } finally {
    await events.close().catch((error: unknown) => {
      reportLine(`verde: the metrics are not complete: ${messageOf(error)}`);
      exitWith(EXIT.failure);
    });
  }
}

/**
 * Writes the metrics of a trace. Those that no state root proves get names of their own: `claimed/loss`. A
 * trace has no times, so all events have the time of its file.
 * @returns the path of the event file, and how many training steps it has
 */
export async function writeBoard(trace: Trace, folder: string): Promise<{ file: string; steps: number }> {
  const names = metricNames(trace.manifest.outline);
  const time = (await stat(trace.path)).mtimeMs / 1000;
  const events = await EventFile.open(folder, time);
  let steps = 0;
  try {
    for await (const { step, root, metrics } of trace.records(1)) {
      const named = Object.entries(namedMetrics(names, metrics));
      const values = Object.fromEntries(named.map(([name, value]) => [root ? name : `claimed/${name}`, value]));
      events.add({ kind: "scalars", step, values }, time);
      // Otherwise all events of a long trace would wait in memory.
      if (++steps % 1000 === 0) await events.flush();
    }
  } catch (error) {
    await events.close().catch(() => undefined);
    throw error;
  }
  await events.close();
  return { file: events.path, steps };
}
