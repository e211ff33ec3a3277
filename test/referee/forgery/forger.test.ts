/** A forger that holds every signed opening of an honest key convicts nobody. */
import { beforeAll, describe, expect, test } from "vitest";
import { formatAddress } from "../../../src/claims/claim.ts";
import { openingKey } from "../../../src/claims/opening.ts";
import { addressOf } from "../../../src/claims/signature.ts";
import { toHex } from "../../../src/encoding/bytes.ts";
import { checkVerdict } from "../../../src/referee/check-verdict.ts";
import { openingPlace } from "../../../src/referee/opening.ts";
import { jobFacts } from "../../../src/referee/facts.ts";
import { outlineOf } from "../../../src/job/closed.ts";
import type { EquivocationRefuted, LevelEvidence, Proof, StepRefuted } from "../../../src/referee/verdict.ts";
import { generator } from "../../graph/numeric.ts";
import { KEYS } from "../remembered-dispute.ts";
import type { Fault } from "../remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "../tiny-job.ts";
import { type Case, caseOf } from "./corpus.ts";

const SEED = 20261128;
/** The whole sweep: 50,000 mutations and every place. The gate runs a seeded sample. */
const SWEEP = process.env.VERDE_SWEEP !== undefined;
const MUTATIONS = SWEEP ? 50_000 : 3000;
const STEPS = 5;
const job = tinyJob(STEPS);
const fromCheckpoint = tinyCheckpointJob(3);
const flip = 0x3f000008;

/** One place of each kind: maps, folds, gathers, entries, at the first and the last step. */
const FAULTS: Fault[] = [
  { step: 0, at: { kernel: 0 }, element: 70, flip },
  { step: 1, at: { kernel: 0 }, element: 5, flip },
  { step: 2, at: { kernel: 1 }, element: 20, flip },
  { step: 4, at: { kernel: 2 }, element: 71, flip },
  { step: 3, at: { kernel: 3 }, element: 12, flip },
  { step: 5, at: { kernel: 4 }, element: 11, flip },
  { step: 5, at: { kernel: 10 }, element: 7, flip },
  { step: 2, at: { entry: 0 }, element: 9, flip },
  { step: 4, at: { entry: 2 }, element: 1, flip },
  { step: 1, at: { entry: 3 }, element: 69, flip },
];

const random = generator(SEED);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];
const isStep = (entry: Proof["refuted"][number]): entry is StepRefuted => entry.ground !== "equivocation";
const stepOf = (proof: Proof): StepRefuted => proof.refuted.find(isStep)!;

describe("a forger", () => {
  const cases: Case[] = [];
  beforeAll(async () => {
    for (const commitEvery of SWEEP ? [1, 2, 3, 4, 5] : [1, 3, 5])
      for (const [i, fault] of FAULTS.entries()) {
        const made = await caseOf(job, commitEvery, fault, i % 2 === 0 ? 0 : 1);
        if (made) cases.push(made);
      }
    const made = await caseOf(fromCheckpoint, 1, { step: 1, at: { kernel: 6 }, element: 64, flip }, 0);
    if (made) cases.push(made);
  });

  /** Whether anybody who asks about the honest claim, or its root alone, would see it refuted. */
  function convicts({ honest }: Case, forged: unknown): boolean {
    return [[honest], [{ run: honest.run }]].some((claims) => {
      try {
        checkVerdict(forged, claims);
        return true;
      } catch {
        return false;
      }
    });
  }

  /** The levels with the honest key's own signature wherever it has signed the place. */
  function withHonestSignatures({ job: of, commitEvery, signatures }: Case, levels: LevelEvidence[]): LevelEvidence[] {
    const facts = jobFacts(outlineOf(of), commitEvery);
    const at = levels.map(({ level, index, part }) => ({ level, index, part }));
    return levels.map((level, depth) => {
      if (level.signature === null) return level;
      const place = openingPlace(facts, at.slice(0, depth));
      return { ...level, signature: signatures.get(openingKey(place)) ?? level.signature };
    });
  }

  test("has genuine proofs in hand", () => {
    expect(cases.length).toBeGreaterThanOrEqual(25);
    for (const { genuine, liar } of cases) expect(checkVerdict(genuine, [liar]).losers).toEqual([0]);
    const grounds = new Set(cases.map(({ genuine }) => stepOf(genuine).ground));
    expect([...grounds].sort()).toEqual(["root", "signature"]);
    for (const { signatures } of cases) expect(signatures.size).toBeGreaterThan(5);
  });

  test("gains nothing from the honest side's own trees and signatures", () => {
    for (const made of cases) if (made.recast) expect(convicts(made, made.recast)).toBe(false);
  });

  test("gains nothing by naming another run, another key, or another ground", () => {
    const [run, address] = ["run", "address"] as const;
    for (const made of cases) {
      const { honest, genuine, recast } = made;
      const mine = { [run]: toHex(honest.run), [address]: formatAddress(honest.address!) };
      for (const proof of [genuine, ...(recast ? [recast] : [])])
        for (const changes of [mine, { ...mine, address: null, ground: "root" }, { ...mine, ground: "signature" }]) {
          const entry = { ...stepOf(proof), ...changes } as StepRefuted;
          const signed = { ...entry, levels: withHonestSignatures(made, entry.levels) };
          const bare = { ...entry, levels: entry.levels.map((level) => ({ ...level, signature: null })) };
          for (const refuted of [[entry], [signed], [bare], [stepOf(genuine), signed]])
            expect(convicts(made, { ...genuine, refuted })).toBe(false);
        }
    }
  });

  test("gains nothing from false trees that end in the honest leaf, signed by whichever key", () => {
    let tried = 0;
    for (const made of cases) {
      const { honest, forged } = made;
      if (!forged) continue;
      tried++;
      // Only the signatures stand between these trees and a conviction.
      expect(checkVerdict(forged, [honest], { accept: () => true }).losers).toEqual([0]);
      const entry = stepOf(forged);
      const bare = entry.levels.map((level) => ({ ...level, signature: null }));
      for (const address of [honest.address!, addressOf(KEYS[2])])
        for (const levels of [entry.levels, bare, withHonestSignatures(made, entry.levels)])
          for (const ground of ["signature", "root"] as const) {
            const refuted = [{ ...entry, levels, ground, address: formatAddress(address) }];
            expect(convicts(made, { ...forged, refuted })).toBe(false);
            expect(convicts(made, { ...forged, refuted: [{ ...refuted[0], address: null }] })).toBe(false);
          }
    }
    expect(tried).toBeGreaterThan(15);
  });

  test("finds no two signatures of the honest key that contradict each other", () => {
    for (const made of cases) {
      const { honest, genuine, signatures } = made;
      const all = [...signatures.values()];
      const [key] = [...signatures.keys()];
      const [tree, segment, step, operator, element] = key.split(" ");
      const place = { tree, segment: +segment, step: +step, operator: +operator, element: +element };
      for (let i = 0; i < 20; i++) {
        const entry: EquivocationRefuted = {
          run: toHex(honest.run),
          address: formatAddress(honest.address!),
          ground: "equivocation",
          place,
          roots: [toHex(honest.run), `0x${"11".repeat(32)}`],
          signatures: [signatures.get(key)!, pick(all)],
        };
        expect(convicts(made, { ...genuine, refuted: [entry] })).toBe(false);
      }
    }
  });

  test(
    `gains nothing from ${MUTATIONS} random recombinations of everything that is public`,
    { timeout: 3_000_000 },
    () => {
      const strings = cases.flatMap(({ genuine, recast, signatures }) => [
        ...hexesIn(genuine),
        ...(recast ? hexesIn(recast) : []),
        ...signatures.values(),
      ]);
      const entries = cases.flatMap(({ genuine, recast }) => [genuine, ...(recast ? [recast] : [])]).map(stepOf);
      for (let i = 0; i < MUTATIONS; i++) {
        const made = pick(cases);
        const { honest, genuine, recast } = made;
        const entry = structuredClone(stepOf(pick([genuine, ...(recast ? [recast] : [])]))) as StepRefuted;
        Object.assign(entry, {
          run: toHex(honest.run),
          address: below(5) === 0 ? null : formatAddress(honest.address!),
        });
        if (below(2) === 0) entry.levels = withHonestSignatures(made, entry.levels);
        for (let changes = below(4); changes >= 0; changes--) mutate(entry, pick(entries), strings);
        if (convicts(made, { ...genuine, refuted: [entry] })) throw new Error(`seed ${SEED}, mutation ${i} convicts`);
      }
    },
  );

  /** One change: a whole part from elsewhere, a string from elsewhere, or a number. */
  function mutate(entry: StepRefuted, other: StepRefuted, strings: readonly string[]): void {
    const { levels } = entry;
    const level = pick(levels);
    const choice = below(9);
    if (choice === 0) entry.witness = structuredClone(other.witness);
    else if (choice === 1) entry.graph = structuredClone(other.graph);
    else if (choice === 2) levels[below(levels.length)] = structuredClone(pick(other.levels));
    else if (choice === 3) entry.levels = structuredClone(other.levels);
    else if (choice === 4) level.payload = pick(strings);
    else if (choice === 5) level.signature = below(4) === 0 ? null : pick(strings);
    else if (choice === 6) level.part = below(64);
    else if (choice === 7) level.index = Math.max(0, level.index + below(3) - 1);
    else level.opening = below(3) === 0 ? null : structuredClone(pick(other.levels).opening);
  }

  function hexesIn(value: unknown): string[] {
    if (typeof value === "string") return value.startsWith("0x") ? [value] : [];
    if (typeof value !== "object" || value === null) return [];
    return Object.values(value).flatMap(hexesIn);
  }
});
