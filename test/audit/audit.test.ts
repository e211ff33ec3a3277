/** Audits of one trace, their receipts, and what becomes of receipts that were altered. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Audit, audit, expectSameFinding, rangesOf, type Scope } from "../../src/audit/audit.ts";
import { checkReceipt, type Receipt, receiptOf } from "../../src/audit/receipt.ts";
import { addressOf } from "../../src/claims/signature.ts";
import { bytesEqual, toHex } from "../../src/encoding/bytes.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { loadClosedJob, openTrace, parseFault, run, type RunOptions, type Trace } from "../../src/trace/index.ts";
import { expectComplete } from "../../src/trace/open.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const STEPS = 23;
const BEACON = new Uint8Array(16).fill(9);
const secret = new Uint8Array(32).fill(5);
const key = { secret, address: addressOf(secret) };

async function make(name: string, options: RunOptions): Promise<Trace> {
  await run(regression({ steps: STEPS }), { out: path(name), commitEvery: 3, checkpointEvery: 6, ...options });
  return openTrace(path(name));
}
const auditOf = async (trace: Trace, scope: Scope): Promise<Audit> =>
  audit(trace, await loadClosedJob(trace), { scope, backend: wasm });

let honest: Trace;
let skipped: Trace;
let flipped: Trace;
beforeAll(async () => {
  honest = await make("honest.trace", {});
  skipped = await make("skipped.trace", { fault: parseFault("skip:step=13") });
  flipped = await make("flipped.trace", { fault: parseFault("flip:step=13,operator=6,element=1,bit=12"), detail: "operators" }); // prettier-ignore
});

describe("an audit", () => {
  test("of an honest run holds, and executes from the nearest checkpoint", async () => {
    expect(await auditOf(honest, { kind: "all" })).toMatchObject({ covered: 24, executed: 24, compared: 9 });
    const some = await auditOf(honest, { kind: "steps", from: 14, to: 16 });
    // From the checkpoint of step 12 to the end of the segment.
    expect(some).toMatchObject({ ranges: [{ from: 14, to: 18 }], covered: 5, executed: 6, compared: 2 });
    expect(some.finding).toBeUndefined();
  });

  test("of a sample executes the drawn segments and the way to them, and no more", async () => {
    const { ranges, covered, executed, compared } = await auditOf(honest, { kind: "sample", count: 3, beacon: BEACON });
    expect(covered).toBe(ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0));
    const checkpoints = [0, 6, 12, 18, 23];
    let at = -1;
    let steps = 0;
    for (const { from, to } of ranges) {
      const start = Math.max(at, checkpoints.findLast((step) => step < from) ?? -1);
      steps += to - start;
      at = to;
    }
    expect(executed).toBe(steps);
    expect(compared).toBeGreaterThanOrEqual(3);
  });

  test("of every segment finds each fault; the finding is the first state that is not the claimed one", async () => {
    for (const trace of [skipped, flipped]) {
      const { finding } = await auditOf(trace, { kind: "sample", count: 9, beacon: BEACON });
      expect(finding).toMatchObject({ step: 15, roots: { claimed: await trace.rootOf(15) } });
      expect(bytesEqual(finding!.roots!.recomputed, (await honest.rootOf(15))!)).toBe(true);
    }
    // Only a trace with the roots of operators shows which of them it was.
    expect((await auditOf(flipped, { kind: "all" })).finding!.operator).toMatchObject({ step: 13, kernel: 6 });
  });

  test("of the steps before a fault holds", async () => {
    expect((await auditOf(skipped, { kind: "steps", from: 0, to: 12 })).finding).toBeUndefined();
    expect((await auditOf(skipped, { kind: "steps", from: 7, to: 13 })).finding).toMatchObject({ step: 15 });
  });

  test.each([
    [24, 24],
    [-1, 2],
    [5, 4],
    [1.5, 2],
  ])("of the steps %s to %s is refused", async (from, to) => {
    await expect(auditOf(honest, { kind: "steps", from, to })).rejects.toThrow(/it has steps 0 to 23/);
  });
});

describe("a receipt", () => {
  const SCOPES: Scope[] = [
    { kind: "all" },
    { kind: "steps", from: 2, to: 4 },
    { kind: "sample", count: 4, beacon: BEACON },
  ];
  const made = async (trace: Trace, scope: Scope): Promise<Receipt> => {
    const receipt = receiptOf(expectComplete(trace), await auditOf(trace, scope), "wasm", key);
    return JSON.parse(JSON.stringify(receipt)) as Receipt;
  };

  test("is read again as it was written, whatever was audited", async () => {
    for (const trace of [honest, flipped])
      for (const scope of SCOPES) {
        const checked = checkReceipt(await made(trace, scope));
        expect(toHex(checked.auditor)).toBe(toHex(key.address));
        expect(checked.scope).toEqual(scope);
        expectSameFinding(checked.finding, (await auditOf(trace, scope)).finding);
      }
  });

  test("that lies is found out by executing the same steps", async () => {
    const { finding } = checkReceipt(await made(flipped, { kind: "all" }));
    expect(() => expectSameFinding(undefined, finding)).toThrow(/says that all of them hold, but .* state after training step 15/); // prettier-ignore
    expect(() => expectSameFinding(finding, undefined)).toThrow(/shows that all of them hold/);
  });

  test("does not hold once anything in it was altered", async () => {
    const good = await made(flipped, { kind: "sample", count: 9, beacon: BEACON });
    const leaves = (value: unknown, at: string[]): string[][] =>
      typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([name, one]) => leaves(one, [...at, name]))
        : [at];
    const paths = leaves(good, []);
    expect(paths.length).toBeGreaterThan(20);
    for (const at of paths) {
      const altered = structuredClone(good) as unknown as Record<string, never>;
      const holder = at.slice(0, -1).reduce<Record<string, unknown>>((value, name) => value[name] as never, altered);
      const name = at.at(-1)!;
      const value = holder[name];
      holder[name] =
        typeof value === "number" ? value + 1 : typeof value === "string" ? other(value) : value === null ? 1 : null;
      expect(() => checkReceipt(altered as unknown as Receipt), at.join(".")).toThrow(
        /make a new one with `verde audit/,
      );
      for (const wrong of [undefined, {}, [], -1, "0x", 2 ** 40]) {
        holder[name] = wrong;
        expect(() => checkReceipt(altered as unknown as Receipt), at.join(".")).toThrow(/make a new one with/);
      }
    }
    for (const extra of [{ more: 1 }, { scope: { ...good.scope, more: 1 } }, { kind: "proof" }])
      expect(() => checkReceipt({ ...good, ...extra } as Receipt)).toThrow(/make a new one with/);
    expect(checkReceipt(good).finding?.step).toBe(15);
  });
});

/** The same text with another last character. */
const other = (text: string): string => text.slice(0, -1) + (text.endsWith("a") ? "b" : "a");

test("ranges of neighbouring segments are one", () => {
  const run = new Uint8Array(32);
  const all = rangesOf({ run, steps: STEPS, commitEvery: 3 }, { kind: "sample", count: 9, beacon: BEACON });
  expect(all).toEqual([{ from: 0, to: STEPS }]);
});
