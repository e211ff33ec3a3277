/** A key that signs two roots for one tree of one run convicts itself, and nobody else. */
import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/claims/claim.ts";
import { type Opening, signOpening } from "../../src/claims/opening.ts";
import { addressOf } from "../../src/claims/signature.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import { findEquivocation, type SignedOpening } from "../../src/referee/equivocation.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import type { Proof } from "../../src/referee/verdict.ts";
import { encodeEquivocation, proofOf } from "../../src/referee/verdict-writer.ts";
import { KEYS } from "./remembered-dispute.ts";
import { tinyJob } from "./tiny-job.ts";

const facts = jobFacts(outlineOf(tinyJob(4)), 2);
const RUN = new Uint8Array(32).fill(1);
const PLACE = { run: RUN, tree: "fold", segment: 1, step: 1, kernel: 2, element: 7 } as const;
const root = (value: number) => new Uint8Array(32).fill(value);

function signed(changes: Partial<Opening> & Pick<Opening, "root">, key = KEYS[0]): SignedOpening {
  const opening: Opening = { ...PLACE, ...changes };
  return { ...opening, address: addressOf(key), signature: signOpening(opening, key) };
}

function proofFrom(openings: readonly SignedOpening[]): Proof {
  return proofOf(facts, [encodeEquivocation(findEquivocation(openings)!)]);
}

describe("two signatures of one key", () => {
  test("for two roots of one tree refute what the key says about the run", () => {
    const proof: Proof = JSON.parse(JSON.stringify(proofFrom([signed({ root: root(2) }), signed({ root: root(3) })])));
    const claim = { run: RUN, address: addressOf(KEYS[0]) };
    expect(checkVerdict(proof, [claim])).toMatchObject({
      kind: "proof",
      losers: [0],
      refuted: [{ ground: "equivocation" }],
    });
    // The root stands, and so does everybody else who claims it.
    for (const other of [{ run: RUN }, { run: RUN, address: addressOf(KEYS[1]) }, { ...claim, run: root(9) }])
      expect(() => checkVerdict(proof, [other])).toThrow(expect.objectContaining({ family: "VERDE_DISPUTE" }));
  });

  test("for different trees, different runs, or of different keys contradict nothing", () => {
    const first = signed({ root: root(2) });
    for (const second of [
      signed({ root: root(2) }),
      signed({ root: root(3), element: 8 }),
      signed({ root: root(3), kernel: 1 }),
      signed({ root: root(3), step: 0 }),
      signed({ root: root(3), segment: 2 }),
      signed({ root: root(3), tree: "operator" }),
      signed({ root: root(3), run: root(4) }),
      signed({ root: root(3) }, KEYS[1]),
    ])
      expect(findEquivocation([first, second])).toBeUndefined();
  });

  test("hold only as they were made", () => {
    const proof = proofFrom([signed({ root: root(2) }), signed({ root: root(3) })]);
    const [entry] = proof.refuted;
    if (entry.ground !== "equivocation") throw new Error("another ground");
    const changes: object[] = [
      { roots: [entry.roots[0], entry.roots[0]] },
      { roots: [entry.roots[1], entry.roots[0]] },
      { signatures: [entry.signatures[0], entry.signatures[0]] },
      { place: { ...entry.place, element: 8 } },
      { place: { ...entry.place, tree: "operator" } },
      { place: { ...entry.place, tree: "chunk" } },
      { address: formatAddress(addressOf(KEYS[1])) },
      { surplus: 1 },
    ];
    const claims = [KEYS[0], KEYS[1]].map((key) => ({ run: RUN, address: addressOf(key) }));
    for (const change of changes)
      expect(
        () => checkVerdict({ ...proof, refuted: [{ ...entry, ...change }] }, claims),
        JSON.stringify(change),
      ).toThrow();
    // A number below the tree would be a second name for one tree.
    const odd = [2, 3].map((value) => signed({ root: root(value), tree: "operator" }));
    expect(() => checkVerdict(proofFrom(odd), claims)).toThrow("below the tree");
  });
});
