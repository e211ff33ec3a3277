import { rm, truncate, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { FormatError } from "../../../src/errors/index.ts";
import { type Divergence, dispute } from "../../../src/referee/dispute.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { type Fault, run } from "../../../src/trace/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { smallJob } from "../small-job.ts";
import { rewrite } from "./rewritten.ts";

const at = temporaryFolder();
const FAULT: Fault = { kind: "flip", step: 5, operator: 9, element: 1, bit: 30 };
const [HONEST, AGAIN, LIAR, BROKEN] = [at("a.trace"), at("b.trace"), at("liar.trace"), at("broken.trace")];
const apart = {};

beforeAll(async () => {
  const job = await smallJob();
  for (const out of [HONEST, AGAIN]) await run(job, { out });
  for (const out of [LIAR, BROKEN]) await run(job, { out, fault: FAULT });
});

describe("a dispute whose parties run apart", () => {
  it("finds what it finds in one process, with another backend too", async () => {
    const here = (await dispute(HONEST, LIAR)) as Divergence;
    for (const backend of [undefined, "reference"]) {
      const there = (await dispute(HONEST, LIAR, { apart, ...(backend && { backend }) })) as Divergence;
      expect(there.transcript).toBe(here.transcript);
      expect(there.verdict).toEqual(here.verdict);
      expect(there.losers).toEqual(["b"]);
      expect(there.figures.millis).toBeGreaterThan(0);
    }
    expect(await dispute(HONEST, AGAIN, { apart })).toMatchObject({ outcome: "agree" });
    await expect(dispute(HONEST, LIAR, { apart, backend: reference })).rejects.toThrow("give its name");
  });

  it("is undecided about a party that can't answer, and names it", async () => {
    await rewrite(BROKEN, { fault: { kind: "flip", step: 1, operator: 999, element: 0, bit: 3 } });
    const result = await dispute(HONEST, BROKEN, { apart });
    expect(result).toMatchObject({
      outcome: "undecided",
      silent: [{ id: "b", reason: expect.stringContaining("999") }],
    });
    const lost = await dispute(HONEST, BROKEN, { apart, forfeitSilent: true });
    expect(lost).toMatchObject({ outcome: "divergence", losers: ["b"] });
  });

  it("is not begun about a trace that can't be read; the error is the one of the same process", async () => {
    await truncate(BROKEN, 9000);
    const errors: FormatError[] = [];
    for (const options of [{}, { apart }])
      errors.push(
        await dispute(HONEST, BROKEN, options).then(
          () => expect.fail(),
          (error: FormatError) => error,
        ),
      );
    expect(errors[1]).toBeInstanceOf(FormatError);
    expect(errors[1].code).toBe("VERDE_FORMAT_TRUNCATED");
    expect(errors[1].message).toBe(errors[0].message);
    await writeFile(BROKEN, "");
    await truncate(BROKEN, 1.9e9);
    await expect(dispute(HONEST, BROKEN, { apart: { memory: 400 } })).rejects.toThrow("is not a Verde trace");
    await rm(BROKEN);
    await expect(dispute(BROKEN, HONEST, { apart })).rejects.toMatchObject({ code: "VERDE_FORMAT_MISSING" });
  });
});
