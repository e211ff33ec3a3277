/** One check of a trace, from the choice of steps to the explanation of a difference. */
import { toHex } from "../../encoding/bytes.ts";
import type { ClosedJob } from "../../job/closed.ts";
import type { Backend } from "../../repops/backends/backend.ts";
import { wasm } from "../../repops/backends/wasm/backend.ts";
import { loadClosedJob, type Trace } from "../../trace/open.ts";
import { findOperator, type Mismatch, reexecute } from "../../trace/reexecute.ts";
import type { Outcome, Report } from "./protocol.ts";

export interface CheckRange {
  backend: Backend;
  /** The first training step. 0 is the initial state. */
  from: number;
  to: number;
}

type Say = (report: Report) => void;

/**
 * Executes the training steps, and reports its progress. If a result differs, it looks for the reason.
 * @throws {VerdeError} when the steps can't be executed
 */
export async function checkTrace(trace: Trace, range: CheckRange, say: Say): Promise<Outcome> {
  const { backend, from, to } = range;
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
  const explained = mismatch && (await explain(trace, job, backend, mismatch, say));
  const seconds = (performance.now() - began) / 1000;
  return { from, to, ...result, seconds, device, ...(explained && { mismatch: explained }) };
}

async function deviceOf(backend: Backend): Promise<string> {
  const device = await backend.describe?.();
  return device === undefined ? "WebAssembly" : `WebGPU (${device.name})`;
}

/**
 * Finds out whether the trace or this device is wrong, and at which operator. WASM decides: all its bits are
 * tested against the reference.
 */
async function explain(
  trace: Trace,
  job: ClosedJob,
  backend: Backend,
  mismatch: Mismatch,
  say: Say,
): Promise<Outcome["mismatch"]> {
  const { step, metric, roots } = mismatch;
  const told = {
    step,
    ...(metric && { metric }),
    ...(roots && { roots: { claimed: toHex(roots.claimed), recomputed: toHex(roots.recomputed) } }),
  };
  if (backend.name !== wasm.name) {
    const onStep = (at: { step: number }): void =>
      say({ kind: "stage", text: `Comparing with WebAssembly: training step ${at.step} of ${step}` });
    const second = await reexecute(trace, job, { backend: wasm, from: step, to: step, onStep });
    if (!second.mismatch) return { ...told, deviceDiffers: true };
  }
  if (trace.manifest.detail !== "operators") return told;
  say({ kind: "stage", text: "Looking for the operator" });
  const operator = await findOperator(trace, job, wasm, mismatch);
  if (!operator) return { ...told, operatorsAgree: true };
  return { ...told, operator: { step: operator.step, kernel: operator.kernel, label: operator.label } };
}
