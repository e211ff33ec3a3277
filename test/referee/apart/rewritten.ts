/** A trace whose manifest says something else, as its owner can write it: every hash in the file is right. */
import { readFile, writeFile } from "node:fs/promises";
import { Writer } from "../../../src/encoding/bytes.ts";
import type { Manifest } from "../../../src/trace/manifest.ts";
import { encodeStep, frame, KIND, openingOf, readRecords } from "../../../src/trace/records.ts";

export async function rewrite(path: string, change: Partial<Manifest>): Promise<void> {
  const { manifest, records, runRoot } = readRecords(await readFile(path), path);
  const opening = openingOf({ ...manifest, ...change });
  const writer = new Writer().bytes(opening.bytes);
  let { hash } = opening;
  const append = (kind: number, content: Uint8Array): void => {
    const next = frame(hash, kind, content);
    writer.bytes(next.record);
    hash = next.hash;
  };
  for (const record of records) append(KIND.step, encodeStep(record));
  append(KIND.end, runRoot!);
  await writeFile(path, writer.finish());
}
