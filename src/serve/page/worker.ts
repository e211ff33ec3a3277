/** The worker behind the page: it opens a trace or executes steps, so that the page stays alive. To cancel, end it. */
import { toHex } from "../../encoding/bytes.ts";
import { messageOf, VerdeError } from "../../errors.ts";
import type { ClosedJob } from "../../job/closed.ts";
import type { Backend } from "../../repops/backend.ts";
import { backendByName } from "../../repops/backends/index.ts";
import { wasm } from "../../repops/backends/wasm.ts";
import { loadClosedJob, readTrace, type Trace } from "../../trace/open.ts";
import { findOperator, type Mismatch, reexecute } from "../../trace/reexecute.ts";
import { blobSource, type TraceSource } from "../../trace/source.ts";
import { factsOf } from "./facts.ts";
import type { Outcome, Report, Task, TraceInput } from "./protocol.ts";
import { servedSource } from "./served.ts";

const say = (report: Report): void => self.postMessage(report, { transfer: [] });

self.addEventListener("message", async ({ data: task }: MessageEvent<Task>) => {
  try {
    const trace = await readTrace(await sourceOf(task.input));
    if (task.kind === "open") say({ kind: "opened", facts: await factsOf(trace) });
    else say({ kind: "finished", outcome: await check(trace, task) });
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

async function check(trace: Trace, task: Task & { kind: "check" }): Promise<Outcome> {
  const { from, to } = task;
  const backend = backendByName(task.backend);
  const began = performance.now();
  say({ kind: "stage", text: "Preparing the operators" });
  const device = await deviceOf(backend);
  const job = await loadClosedJob(trace);
  const { mismatch, ...result } = await reexecute(trace, job, {
    backend,
    from,
    to,
    onStep: ({ claimed, recomputed, ...line }) =>
      say({
        kind: "step",
        line: { ...line, ...(claimed && recomputed && { claimed: toHex(claimed), recomputed: toHex(recomputed) }) },
      }),
  });
  const explained = mismatch && (await explain(trace, job, backend, mismatch));
  const seconds = (performance.now() - began) / 1000;
  return { from, to, ...result, seconds, device, ...(explained && { mismatch: explained }) };
}

async function deviceOf(backend: Backend): Promise<string> {
  const device = await backend.describe?.();
  return device === undefined ? "WebAssembly" : `WebGPU (${device})`;
}

/** Who differs, the trace or this device, and with which operator. WASM decides: it is held to the reference in every bit. */
async function explain(
  trace: Trace,
  job: ClosedJob,
  backend: Backend,
  mismatch: Mismatch,
): Promise<Outcome["mismatch"]> {
  const { step, metric, roots } = mismatch;
  const told = {
    step,
    ...(metric && { metric }),
    ...(roots && { roots: { claimed: toHex(roots.claimed), recomputed: toHex(roots.recomputed) } }),
  };
  if (backend.name !== wasm.name) {
    say({ kind: "stage", text: "Asking WebAssembly as well" });
    const second = await reexecute(trace, job, { backend: wasm, from: step, to: step });
    if (!second.mismatch) return { ...told, deviceDiffers: true };
  }
  if (trace.manifest.detail !== "ops") return told;
  say({ kind: "stage", text: "Looking for the operator" });
  const operator = await findOperator(trace, job, wasm, mismatch);
  if (!operator) return { ...told, operatorsAgree: true };
  return { ...told, operator: { step: operator.step, kernel: operator.kernel, label: operator.label } };
}
