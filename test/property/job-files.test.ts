/** Job files from strangers: whatever is changed in one whose hash fits, it is a job or an error of Verde. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { checkJob, type ClosedJob, jobId } from "../../src/job/closed.ts";
import { readJobFile, writeJobFile } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { SEED } from "./seed.ts";

const path = temporaryFolder();

const change = fc.record({
  at: fc.nat(),
  /** Bytes that are taken out, and those that come in their place. */
  out: fc.constantFrom(0, 1, 1, 1, 4, 33),
  put: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 1 }),
    fc.uint8Array({ maxLength: 5 }),
    fc.constantFrom(Uint8Array.of(0xff, 0xff, 0xff, 0xff), Uint8Array.of(0x7f, 0xff, 0xff, 0xff), new Uint8Array(4)),
  ),
  /** How often the number of bytes stays the same, so that lengths still fit. */
  same: fc.boolean(),
});

test("changed jobs whose hash fits are refused, or are another job that is checked", async () => {
  const job = await line.close();
  await writeJobFile(path("line.verde"), job);
  const whole = readFileSync(path("line.verde"));
  const length = whole.readUInt32BE(8);
  const [outline, tensors] = [whole.subarray(12, 12 + length), whole.subarray(44 + length)];
  const ids = new Set<string>();
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), async (changes, inTensors) => {
      let [content, rest]: Buffer[] = [outline, tensors];
      for (const { at, out, put, same } of changes) {
        const from: Buffer = inTensors ? rest : content;
        const place = at % from.length;
        const to = Buffer.concat([from.subarray(0, place), put, from.subarray(place + (same ? put.length : out))]);
        if (inTensors) rest = to;
        else content = to;
      }
      const head = Buffer.concat([whole.subarray(0, 8), Buffer.alloc(4), content]);
      head.writeUInt32BE(content.length, 8);
      writeFileSync(path("a.verde"), Buffer.concat([head, createHash("sha256").update(head).digest(), rest]));
      const result = await readJobFile(path("a.verde")).catch((error: unknown) => error);
      if (result instanceof Error) {
        expect(result).toBeInstanceOf(VerdeError);
        refused++;
      } else {
        checkJob(result as ClosedJob);
        ids.add(toHex(jobId(result as ClosedJob)));
        await writeJobFile(path("b.verde"), result as ClosedJob);
        expect(toHex(jobId(await readJobFile(path("b.verde"))))).toBe(toHex(jobId(result as ClosedJob)));
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
  expect(refused).toBeGreaterThan(1_000);
  expect(ids.size).toBeGreaterThan(10);
});
