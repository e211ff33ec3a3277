/** The metrics of a trace as comma-separated values (RFC 4180). */
import { escapeText } from "../../errors/text.ts";
import { fromBits } from "../../repops/numbers/vf32.ts";
import { metricNames } from "../../trace/metrics.ts";
import type { Trace } from "../../trace/open.ts";

/**
 * A header, then one line for each training step from 1: its number, whether a state root proves its metrics
 * or they are only claimed, and the metrics. Numbers are written as in JSON, so that they read back exactly.
 */
export async function* csvOf(trace: Trace): AsyncGenerator<string> {
  const names = metricNames(trace.manifest.outline);
  yield ["step", "metrics", ...names.map(cell)].join();
  for await (const { step, root, metrics } of trace.records(1))
    yield [step, root ? "proven" : "claimed", ...metrics.map(fromBits)].join();
}

/** A spreadsheet would execute a name that begins like a formula. Names may be a stranger's. */
function cell(name: string): string {
  const text = escapeText(/^[=+\-@]/.test(name) ? `'${name}` : name);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
