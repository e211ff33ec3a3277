/**
 * The page's worker: it opens a trace or executes steps, so that the page stays responsive. To cancel, end
 * it.
 */
import { messageOf, VerdeError } from "../../errors/index.ts";
import { openBackend } from "../../certify/open-backend.ts";
import { readTrace } from "../../trace/open.ts";
import { blobSource, type TraceSource } from "../../trace/source.ts";
import { checkTrace } from "./check.ts";
import { factsOf } from "./facts.ts";
import type { Report, Task, TraceInput } from "./protocol.ts";
import { servedSource } from "./served.ts";

const say = (report: Report): void => self.postMessage(report, { transfer: [] });

self.addEventListener("message", async ({ data: task }: MessageEvent<Task>) => {
  try {
    const trace = await readTrace(await sourceOf(task.input));
    if (task.kind === "open") say({ kind: "opened", facts: await factsOf(trace) });
    else {
      const { from, to } = task;
      const { backend } = await openBackend(task.backend, { say: (text) => say({ kind: "stage", text }) });
      const outcome = await checkTrace(trace, { backend, from, to }, say);
      say({ kind: "finished", outcome });
    }
  } catch (error) {
    const code = error instanceof VerdeError ? error.code : "VERDE_FAILURE";
    say({ kind: "failed", code, message: messageOf(error) });
  }
});

async function sourceOf(input: TraceInput): Promise<TraceSource> {
  if (input.kind === "served") return servedSource(input.listing);
  const { path, trace, data } = input;
  const blobs = new Map(data.map(({ name, blob }) => [name, blob]));
  return blobSource(path, trace, [...blobs.keys()], async (name) => blobs.get(name)!);
}
