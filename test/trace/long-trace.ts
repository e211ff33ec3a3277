/**
 * A valid trace of any number of steps, made without executing any: the same state after each step. As a
 * program: `node test/trace/long-trace.ts FILE STEPS`.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GrowingTree, hashLeaf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { stateRoot, tensorRoot, zeros } from "../../src/encoding/tensor.ts";
import { stateTypes } from "../../src/job/closed.ts";
import { runRootOfTree } from "../../src/trace/commitments.ts";
import { StepLayout } from "../../src/trace/layout.ts";
import { manifestOf } from "../../src/trace/manifest.ts";
import { encodeStep, frame, KIND, openingOf } from "../../src/trace/records.ts";
import { regression } from "../fixtures/regression.ts";

/** @returns the number of bytes */
export function writeLongTrace(path: string, steps: number, commitEvery = 1): number {
  const job = regression({ steps });
  const manifest = manifestOf(job, { commitEvery, checkpointEvery: 0, detail: "steps", backend: "wasm" });
  const layout = new StepLayout(manifest);
  const entries = stateTypes(job).map((type) => tensorRoot(zeros(type)));
  const [root, metricsProof, metrics] = [stateRoot(entries), layout.metrics.prove(entries), [0]];
  const tree = new GrowingTree();
  const file = openSync(path, "w");
  let { hash, bytes } = openingOf(manifest);
  let [parts, size, total] = [[bytes], bytes.length, 0];
  const flush = (): void => {
    writeSync(file, Buffer.concat(parts));
    total += size;
    [parts, size] = [[], 0];
  };
  const append = (kind: number, content: Uint8Array): void => {
    const framed = frame(hash, kind, content);
    hash = framed.hash;
    parts.push(framed.record);
    if ((size += framed.record.length) > 2 ** 22) flush();
  };
  for (let step = 0; step <= steps; step++) {
    const { rooted } = layout.of(step);
    append(KIND.step, encodeStep({ step, metrics, ...(rooted && { root, metricsProof }) }, layout));
    if (rooted) tree.add(hashLeaf(Tag.segmentLeaf, root));
  }
  append(KIND.end, runRootOfTree(manifest.jobId, commitEvery, tree.root()));
  flush();
  closeSync(file);
  return total;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path, steps] = process.argv.slice(2);
  console.log(`${path}: ${writeLongTrace(path, Number(steps))} bytes`);
}
