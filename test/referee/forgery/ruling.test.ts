/** A ruling proves nothing: no edit makes a proof of it, and only executing the segment shows who is right. */
import { beforeAll, describe, expect, test } from "vitest";
import { formatAddress, type RunClaim } from "../../../src/claims/claim.ts";
import { addressOf, signDigest } from "../../../src/claims/signature.ts";
import { toHex } from "../../../src/encoding/bytes.ts";
import type { Pair } from "../../../src/game/level.ts";
import type { TrainingProver } from "../../../src/referee/claim.ts";
import { checkVerdict, type NamedRuling } from "../../../src/referee/check-verdict.ts";
import { conclude } from "../../../src/referee/conclude.ts";
import type { Proof, Ruling } from "../../../src/referee/verdict.ts";
import { disputeRemembered, KEYS, type Setting } from "../remembered-dispute.ts";
import type { Fault } from "../remembered-run.ts";
import { tinyJob } from "../tiny-job.ts";

const job = tinyJob(5);
const fault: Fault = { step: 2, at: { kernel: 2 }, element: 5, flip: 0x3f000008 };
const faults: Setting["faults"] = [[], [fault]];

/** Side 1 says nothing from the operator tree on. */
const silent = (provers: Pair<TrainingProver>): Pair<TrainingProver> => [
  provers[0],
  {
    ...provers[1],
    answer: async (put) => (put.at.at(-1)?.level === "step" ? undefined : provers[1].answer(put)),
  },
];

async function ruled(setting: Setting): Promise<{ ruling: Ruling; claims: Pair<RunClaim>; proof?: Proof }> {
  const { facts, transcript, decision, claims } = await disputeRemembered(setting);
  const key = { address: addressOf(KEYS[2]), sign: async (digest: Uint8Array) => signDigest(digest, KEYS[2]) };
  const { verdict } = await conclude({ facts, graph: undefined, transcript, decision }, async () => key);
  if (verdict.kind !== "ruling") throw new Error("no ruling");
  return { ruling: verdict, claims };
}

describe("a ruling", () => {
  const made: Record<string, { ruling: Ruling; claims: Pair<RunClaim> }> = {};
  let proof: Proof;

  beforeAll(async () => {
    made.silence = await ruled({ job, commitEvery: 2, faults, replace: silent, options: { forfeitSilent: true } });
    made.operator = await ruled({ job, faults, options: { depth: "operator" } });
    made.unsigned = await ruled({ job, commitEvery: 2, faults, signs: [true, false] });
    const { verdict } = await disputeRemembered({ job, faults });
    proof = verdict as Proof;
  });

  const checked = (name: string): NamedRuling => {
    const result = checkVerdict(JSON.parse(JSON.stringify(made[name].ruling)), made[name].claims);
    if (result.kind !== "ruling") throw new Error("no ruling");
    return result;
  };

  test("says whose word it is, and why", () => {
    for (const name of Object.keys(made)) {
      const ruling = checked(name);
      expect(ruling).toMatchObject({ restsOn: "referee", losers: [1], step: 2 });
      expect(formatAddress(ruling.referee!)).toBe(formatAddress(addressOf(KEYS[2])));
      // State 2 is in segment 1 of those that commit every second step.
      expect(ruling.segment).toMatchObject({ index: name === "operator" ? 2 : 1 });
    }
    expect(checked("silence").reasons).toEqual([null, expect.stringContaining("no answer")]);
  });

  test("is about both claims, and not about one", () => {
    const { ruling, claims } = made.silence;
    expect(() => checkVerdict(ruling, [claims[0]])).toThrow("name both");
    expect(() => checkVerdict(ruling, [claims[1]])).toThrow("name both");
    expect(checkVerdict(ruling, [claims[1], claims[0]]).losers).toEqual([0]);
  });

  test("is refused when any of it is altered, since the referee has signed all of it", () => {
    for (const { ruling, claims } of Object.values(made)) {
      const text = JSON.stringify(ruling);
      for (let at = 1; at < text.length; at += 3) {
        if (!/[0-9a-z]/.test(text[at])) continue;
        const altered = text.slice(0, at) + (text[at] === "1" ? "2" : "1") + text.slice(at + 1);
        let parsed: unknown;
        try {
          parsed = JSON.parse(altered);
        } catch {
          continue;
        }
        // The letters of an address may change their case alone: then it is a checksum that does not fit.
        expect(() => checkVerdict(parsed, claims), altered.slice(Math.max(0, at - 40), at + 10)).toThrow();
      }
    }
  });

  test("without a signature is nobody's word", () => {
    const { ruling, claims } = made.silence;
    const bare = checkVerdict({ ...ruling, referee: null, signature: null }, claims);
    expect(bare).toMatchObject({ kind: "ruling", restsOn: "referee" });
    expect("referee" in bare).toBe(false);
    expect(() => checkVerdict({ ...ruling, signature: null }, claims)).toThrow("names its referee and is signed");
  });

  test("becomes no proof by any edit", () => {
    for (const { ruling, claims } of Object.values(made)) {
      const { job: about, commitEvery, claims: said } = ruling;
      const entry = proof.refuted[0];
      const tries: unknown[] = [
        { ...ruling, kind: "proof" },
        { ...ruling, kind: "proof", refuted: [] },
        { ...ruling, kind: "proof", refuted: [{ ...said[1], ground: "root" }] },
        { schemaVersion: 3, kind: "proof", job: about, commitEvery, refuted: [{ ...entry, levels: [] }] },
        { schemaVersion: 3, kind: "proof", job: about, commitEvery, refuted: [{ ...entry, ...said[0] }] },
        {
          schemaVersion: 3,
          kind: "proof",
          job: about,
          commitEvery,
          refuted: [{ ...entry, ...said[0], address: null }],
        },
      ];
      for (const forged of tries) expect(() => checkVerdict(forged, claims)).toThrow();
    }
  });

  test("can't be typed from nothing", () => {
    const { ruling, claims } = made.silence;
    const { decision } = ruling;
    const nothing = { step: null, operator: null, element: null, fold: null };
    const typed = {
      ...ruling,
      job: { ...ruling.job, info: "0x" },
      segment: null,
      decision: { ...decision, ...nothing, losers: ["a"] },
      referee: null,
      signature: null,
    };
    // It holds as what it is: somebody's word, with exit code 4 and nobody's name.
    expect(checkVerdict(typed, claims)).toMatchObject({ kind: "ruling", restsOn: "referee" });
    expect(() => checkVerdict({ ...typed, referee: ruling.referee, signature: ruling.signature }, claims)).toThrow(
      "altered",
    );
    for (const losers of [[], ["c"], ["a", "a"], ["b", "a"], ["a", "b", "b"], "a", null])
      expect(() => checkVerdict({ ...typed, decision: { ...typed.decision, losers } }, claims)).toThrow();
    expect(toHex(claims[0].run)).not.toBe(toHex(claims[1].run));
  });
});
