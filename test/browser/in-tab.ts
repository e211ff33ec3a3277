/** What the tests of this folder call inside of a tab. */
import { toHex } from "../../src/encoding/bytes.ts";
import { backendByName } from "../../src/repops/backends/index.ts";
import { type CaseResult, certify } from "../../src/certify/certify.ts";
import { servedListing, servedSource } from "../../src/web/page/served.ts";
import { loadClosedJob, readTrace } from "../../src/trace/open.ts";
import { reexecute } from "../../src/trace/reexecute.ts";
import { vectorsFor } from "../gpu/vectors.ts";

/** @param share every so many operators' vectors are run */
export async function certifyInTab(backend: string, share: number): Promise<CaseResult[]> {
  return certify(backendByName(backend), vectorsFor(share));
}

/** The roots that a backend of this tab makes of the served trace's job, from its initial state to its last step. */
export async function rootsInTab(backend: string): Promise<string[]> {
  const listing = await servedListing();
  if (!listing) throw new Error("the server has no trace");
  const trace = await readTrace(await servedSource(listing));
  const roots: string[] = [];
  await reexecute(trace, await loadClosedJob(trace), {
    backend: backendByName(backend),
    from: 0,
    to: trace.manifest.outline.steps,
    onStep: ({ recomputed }) => void (recomputed && roots.push(toHex(recomputed))),
  });
  return roots;
}
