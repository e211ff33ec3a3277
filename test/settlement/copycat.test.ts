/** A seat that copies an honest root and signs nonsense under it falls alone: the honest root stands. */
import type { Address, Hex } from "viem";
import { beforeAll, expect, test } from "vitest";
import { addressOf } from "../../src/claims/signature.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { jobId, outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { conclude } from "../../src/referee/conclude.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { arbitrate } from "../../src/referee/referee.ts";
import { shownGraph } from "../../src/referee/shown-graph.ts";
import type { Verdict } from "../../src/referee/verdict.ts";
import { positionOf } from "../../src/game/level.ts";
import { rulingFrom } from "../../src/settlement/ruling.ts";
import type { Seat, TaskView } from "../../src/settlement/task.ts";
import { crossbreed } from "../referee/forgery/false-trees.ts";
import { KEYS, speakerOf } from "../referee/remembered-dispute.ts";
import { type Fault, rememberedRun, type RememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";

const job = tinyJob(4);
const facts = jobFacts(outlineOf(job), 1);
const at = (kernel: number): Fault => ({ step: 3, at: { kernel }, element: 5, flip: 0x3f000008 });
const [HONEST, LIAR, COPYCAT] = KEYS;
let honest: RememberedRun;
let liar: RememberedRun;
let againstCopycat: Verdict;
let againstLiar: Verdict;

/** The verdict about two memories, whose parties sign with these keys. */
async function verdictOn(a: [RememberedRun, Uint8Array], b: [RememberedRun, Uint8Array]): Promise<Verdict> {
  const sides = [a, b] as const;
  const provers = sides.map(([memory, key]) => trainingProver(memory, speakerOf(key)));
  const claims = sides.map(([{ runRoot }, key]) => ({ run: runRoot, address: addressOf(key) }));
  const { finding, transcript } = await arbitrate(facts, [provers[0], provers[1]], [claims[0], claims[1]]);
  if (finding.kind === "undecided") throw new Error("undecided");
  const graph = shownGraph(outlineOf(job), facts, positionOf(finding.path));
  return (await conclude({ facts, graph, transcript, decision: finding })).verdict;
}

beforeAll(async () => {
  honest = await rememberedRun(job, 1);
  liar = await rememberedRun(job, 1, [at(6)]);
  // The copycat has the honest root. Its trees of step 3 are those of a run that goes wrong earlier than the liar's.
  const nonsense = await rememberedRun(job, 1, [at(2)]);
  const copycat = { ...honest, ...crossbreed(honest, nonsense, 3) } as RememberedRun;
  againstCopycat = await verdictOn([copycat, COPYCAT], [liar, LIAR]);
  againstLiar = await verdictOn([honest, HONEST], [liar, LIAR]);
});

const bytes = (verdict: Verdict) => ({ bytes: new TextEncoder().encode(JSON.stringify(verdict)) });
const hex = (run: RememberedRun): Hex => toHex(run.runRoot) as Hex;

function taskOf(seats: [RememberedRun, Uint8Array][]): TaskView {
  const claims = [...new Set(seats.map(([run]) => hex(run)))];
  const standing = seats.map(([run, key], seat): Seat => {
    return { seat, owner: toHex(addressOf(key)) as Address, role: "provider", root: hex(run), out: false };
  });
  const terms = { job: toHex(jobId(job)) };
  return { claims, seats: standing, dispute: 1, deadline: 9, terms } as unknown as TaskView;
}

test("the verdict against the copycat is genuine, and convicts its key alone", () => {
  expect(againstCopycat).toMatchObject({ kind: "proof", refuted: [{ run: hex(honest), ground: "signature" }] });
});

test("it does not take the honest root with it", () => {
  const task = taskOf([
    [honest, HONEST],
    [liar, LIAR],
    [honest, COPYCAT],
  ]);
  // The file convicts one of the two seats with the honest root, so two claims are left.
  expect(() => rulingFrom(task, [bytes(againstCopycat)])).toThrow("2 claims are left");
  const { ruling } = rulingFrom(task, [bytes(againstCopycat), bytes(againstLiar)]);
  expect(ruling.claims).toEqual([hex(honest), hex(liar)]);
  expect(ruling.losers).toBe(0b10n);
});

test("where the copycat is the only one with the root, it falls with the root", () => {
  const task = taskOf([
    [liar, LIAR],
    [honest, COPYCAT],
  ]);
  expect(rulingFrom(task, [bytes(againstCopycat)]).ruling.losers).toBe(0b10n);
});
