/** The certificates of accuracy: made from every input, held here on a sample. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  certificateFile,
  programHash,
  readCertificate,
  SAMPLE_STRIDE,
  sampleOf,
  UNARY,
} from "../../bench/accuracy/certificate.ts";
import { bitsAt, CANONICAL_COUNT, errorInUlp } from "../../bench/accuracy/inputs.ts";
import { type Claim, CLAIMS } from "../../bench/accuracy/references.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { fromBits } from "../../src/repops/numbers/vf32.ts";
import { compileJavaScript } from "../../src/repops/programs/javascript.ts";

const CERTIFIED = UNARY.filter((name) => existsSync(certificateFile(name)));

describe("certificates of accuracy", () => {
  test("are those of all unary functions, each of which has a claim", () => {
    expect(Object.keys(CLAIMS).sort()).toEqual([...UNARY].sort());
    expect(CERTIFIED).toEqual(UNARY);
    expect(readdirSync(new URL(".", certificateFile("exp"))).sort()).toEqual(
      CERTIFIED.map((name) => `${name}.json`).sort(),
    );
  });

  for (const name of CERTIFIED)
    test(`${name} has its certified bits and errors, in WASM and in JavaScript`, async () => {
      const certificate = readCertificate(name);
      const { reference, ulp, from = -Infinity, absolute = 0 }: Claim = CLAIMS[name];
      expect(certificate.program.sha256, "the program has changed: measure it again").toBe(programHash(PROGRAMS[name]));
      expect(certificate.inputs).toBe(CANONICAL_COUNT);
      expect(certificate.ulp.largest).toBeLessThanOrEqual(ulp);
      expect(certificate.absolute?.largest ?? 0).toBeLessThanOrEqual(absolute);
      expect(certificate.absolute?.below ?? -Infinity).toBe(from);
      expect(certificate.sample.largest).toBeLessThanOrEqual(certificate.ulp.largest);
      expect(await sampleOf(name, wasm)).toEqual(certificate.sample);
      const run = compileJavaScript(PROGRAMS[name]);
      const outputs = Float32Array.from({ length: certificate.sample.inputs }, (_, i) =>
        run(fromBits(bitsAt(i * SAMPLE_STRIDE))),
      );
      expect(createHash("sha256").update(new Uint8Array(outputs.buffer)).digest("hex")).toBe(certificate.sample.sha256);
      // The input of the largest error is the one that the certificate names.
      const { x, largest } = certificate.ulp;
      expect(errorInUlp(run(x), reference(x))).toBeCloseTo(largest, 3);
    });
});
