/** An audit executes leaves between two looks at the chain: long ones never cost the moves of a game their time. */
import { expect, test } from "vitest";
import type { LeafRunner } from "../../../src/rounds/leaf.ts";
import type { RoundsRecord } from "../../../src/rounds/record.ts";
import { PacedAudit } from "../../../src/settlement/rounds/audit-pace.ts";
import type { Findings } from "../../../src/settlement/rounds/findings.ts";

const runner = {} as LeafRunner;
const LEAVES = 6;

/** An audit whose leaves take so many milliseconds each. */
function auditOf(each: number) {
  let time = 0;
  const clock = { now: () => time, sleep: () => Promise.resolve() };
  const findings = { ofForm: async () => [], ofComputation: async () => void (time += each) };
  const all = Array.from({ length: LEAVES }, (_, seat) => ({ round: 0, seat }));
  const record = { all, isAbsent: () => false } as unknown as RoundsRecord;
  const audit = new PacedAudit(record, findings as unknown as Findings, () => false);
  return { audit, goOn: (isPlaying: boolean) => audit.goOn(runner, clock, () => undefined, isPlaying) };
}

test("long leaves wait while a game is played, and are judged when it is over", async () => {
  const { audit, goOn } = auditOf(3_600_000);
  await goOn(true);
  // How long one takes is known when the first one is done.
  expect(audit.judged).toBe(1);
  for (let look = 0; look < 5; look++) await goOn(true);
  expect([audit.judged, audit.isMoving, audit.isDone]).toEqual([1, false, false]);
  for (let look = 1; look < LEAVES; look++) await goOn(false);
  expect([audit.judged, audit.isMoving, audit.isDone]).toEqual([LEAVES, false, true]);
});

test("short leaves are judged meanwhile", async () => {
  const { audit, goOn } = auditOf(1_000);
  while (!audit.isDone) await goOn(true);
  expect(audit.judged).toBe(LEAVES);
});
