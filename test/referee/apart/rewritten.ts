/** A trace whose manifest says something else, as its owner can write it: every hash in the file is right. */
import { writeFile } from "node:fs/promises";
import { Writer } from "../../../src/encoding/bytes.ts";
import { openTrace } from "../../../src/trace/index.ts";
import { StepLayout } from "../../../src/trace/layout.ts";
import type { Manifest } from "../../../src/trace/manifest.ts";
import { encodeStep, frame, KIND, openingOf, type StepRecord } from "../../../src/trace/records.ts";

export async function rewrite(path: string, change: Partial<Manifest>): Promise<void> {
  const trace = await openTrace(path);
  const { manifest, runRoot } = trace;
  const records: StepRecord[] = [];
  for await (const record of trace.records()) records.push(record);
  // The records stay as they are, even where the new manifest asks for others.
  const layout = new StepLayout(manifest);
  const opening = openingOf({ ...manifest, ...change });
  const writer = new Writer().bytes(opening.bytes);
  let { hash } = opening;
  const append = (kind: number, content: Uint8Array): void => {
    const next = frame(hash, kind, content);
    writer.bytes(next.record);
    hash = next.hash;
  };
  for (const record of records) append(KIND.step, encodeStep(record, layout));
  append(KIND.end, runRoot!);
  await writeFile(path, writer.finish());
}
