import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pair, Side } from "../../../src/game/level.ts";
import { positionOf } from "../../../src/game/level.ts";
import { outlineOf } from "../../../src/job/closed.ts";
import { guarded } from "../../../src/referee/apart/guarded.ts";
import { type TrainingProver, trainingProver } from "../../../src/referee/claim.ts";
import { jobFacts } from "../../../src/referee/facts.ts";
import { encodeOperands, operatorTypes } from "../../../src/referee/tensor-codec.ts";
import { encodeWitness } from "../../../src/referee/witness-codec.ts";
import { arbitrate } from "../../../src/referee/referee.ts";
import { everyMischief, mischief, type Mischief, spoilt } from "../../game/hostile.ts";
import { KEYS, speakerOf } from "../remembered-dispute.ts";
import { type Fault, rememberedRun } from "../remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "../tiny-job.ts";

type Method = "answer" | "witness" | "operands" | "output" | "signature" | "failure";
const METHODS: readonly Method[] = ["answer", "witness", "operands", "output", "signature", "failure"];
const [LIAR, HONEST] = [speakerOf(KEYS[0]), speakerOf(KEYS[1])];

/** Gives something else at call number `at` of one method. */
function hostile(prover: TrainingProver, method: Method, at: number, kind: Mischief): TrainingProver {
  let calls = 0;
  const spoil =
    (name: Method) =>
    (asked: never): unknown => {
      const given = (prover[name] as (asked: never) => Promise<unknown>)(asked);
      if (name !== method || calls++ !== at) return given;
      return name === "failure" ? spoilt(given, kind) : given.then((honest) => spoilt(honest, kind));
    };
  return Object.fromEntries(METHODS.map((name) => [name, spoil(name)])) as unknown as TrainingProver;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "a map": { step: 3, at: { kernel: 3 }, element: 5, flip: 0x3f000000 },
  "a fold": { step: 2, at: { kernel: 2 }, element: 5, flip: 0x3f000000 },
  "a gather": { step: 4, at: { kernel: 1 }, element: 5, flip: 0x3f000000 },
  "the state update": { step: 3, at: { entry: 0 }, element: 5, flip: 0x3f000000 },
};

const job = tinyJob(4);
const facts = jobFacts(outlineOf(job), 2);
const honestRun = await rememberedRun(job, 2);
const liars = new Map(
  await Promise.all(
    Object.entries(FAULTS).map(async ([name, fault]) => [name, await rememberedRun(job, 2, [fault])] as const),
  ),
);

interface Case {
  readonly fault: string;
  readonly method: Method;
  readonly at: number;
  readonly kind: Mischief;
  readonly side: Side;
  readonly depth: "scalar" | "operator";
  readonly forfeitSilent?: boolean;
}

async function disputed({ fault, method, at, kind, side, depth, forfeitSilent = true }: Case) {
  const liar = liars.get(fault)!;
  const wrong = hostile(trainingProver(liar, LIAR), method, at, kind);
  const honest = trainingProver(honestRun, HONEST);
  const pair = <T>(mine: T, other: T): Pair<T> => (side === 0 ? [mine, other] : [other, mine]);
  const claims = pair(
    { run: liar.runRoot, address: LIAR.address },
    { run: honestRun.runRoot, address: HONEST.address },
  );
  return arbitrate(facts, pair(wrong, honest), claims, { depth, timeout: 40, forfeitSilent });
}

describe("a dispute with a hostile prover", () => {
  it("ends against it, whatever it gives and where", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          fault: fc.constantFrom(...Object.keys(FAULTS)),
          method: fc.constantFrom(...METHODS),
          at: fc.oneof(fc.constant(0), fc.nat(12)),
          kind: mischief,
          side: fc.constantFrom<Side>(0, 1),
          depth: fc.constantFrom("scalar", "operator"),
        }),
        async (wrong) => {
          const { finding: decision } = await disputed(wrong as Case);
          expect(decision).toMatchObject({ losers: [wrong.side] });
          expect(decision.reasons?.[1 - wrong.side]).toBeUndefined();
        },
      ),
      { seed: 20261128, numRuns: 250 },
    );
  });

  it("ends against it for each kind of value in place of the evidence", async () => {
    for (const kind of everyMischief)
      for (const [method, depth] of [
        ["witness", "scalar"],
        ["operands", "operator"],
        ["output", "operator"],
      ] as const) {
        const { finding: decision } = await disputed({ fault: "a fold", method, at: 0, kind, side: 0, depth });
        expect(decision, `${kind.name} as ${method}`).toMatchObject({ kind: depth, losers: [0] });
      }
  });

  it("never blames the honest side, and leaves undecided only what was not answered", async () => {
    await fc.assert(
      fc.asyncProperty(mischief, fc.constantFrom(...METHODS), fc.nat(9), async (kind, method, at) => {
        const { finding } = await disputed({ fault: "a fold", method, at, kind, side: 1, depth: "scalar", forfeitSilent: false }); // prettier-ignore
        if (finding.kind !== "undecided") expect(finding.losers).toEqual([1]);
        else expect(finding.reasons).toEqual([undefined, expect.any(String)]);
      }),
      { seed: 20261128, numRuns: 100 },
    );
  });

  it("is undecided about a party that gives an empty reason", async () => {
    const mute = { ...trainingProver(honestRun), answer: async () => undefined, failure: () => "\u0007" };
    const claims = [{ run: liars.get("a map")!.runRoot }, { run: honestRun.runRoot }] as const;
    const { finding } = await arbitrate(facts, [trainingProver(liars.get("a map")!), mute], claims);
    expect(finding).toMatchObject({ kind: "undecided", reasons: [undefined, "no answer to the question for the opening"] }); // prettier-ignore
  });

  it("ends without a winner if both are hostile at the end", async () => {
    const liar = liars.get("a map")!;
    const kind: Mischief = { name: "null", way: [] };
    const both = [hostile(trainingProver(liar), "witness", 0, kind), hostile(trainingProver(honestRun), "witness", 0, kind)]; // prettier-ignore
    const { finding: decision } = await arbitrate(facts, both as never, [
      { run: liar.runRoot },
      { run: honestRun.runRoot },
    ]);
    expect(decision).toMatchObject({ kind: "forfeit", losers: [0, 1] });
  });

  it("ends at a wrong checkpoint without evidence of either", async () => {
    const from = tinyCheckpointJob(2);
    const [right, wrong] = [
      await rememberedRun(from, 1),
      await rememberedRun(from, 1, [{ step: 0, at: { entry: 0 }, element: 1, flip: 1 }]),
    ];
    const mute: TrainingProver = { ...trainingProver(wrong), witness: null, operands: null } as never;
    const { finding: decision } = await arbitrate(
      jobFacts(outlineOf(from), 1),
      [mute, trainingProver(right)],
      [{ run: wrong.runRoot }, { run: right.runRoot }],
    );
    expect(decision).toMatchObject({ kind: "checkpoint", losers: [0] });
  });
});

describe("a guard", () => {
  const at = async () => {
    const liar = liars.get("a fold")!;
    const { finding: decision } = await disputed({ fault: "a fold", method: "answer", at: 99, kind: everyMischief[0], side: 0, depth: "scalar" }); // prettier-ignore
    return { liar, at: positionOf(decision.path) };
  };

  it("lets everything pass that is valid, and says why it held something back", async () => {
    const { liar, at: place } = await at();
    const prover = trainingProver(liar);
    const safe = guarded(facts, prover);
    expect(encodeWitness(await safe.witness(place))).toEqual(encodeWitness(await prover.witness(place)));
    const operator = place.slice(0, -2);
    const types = operatorTypes(facts, operator);
    const [given, own] = [await safe.operands(operator), await prover.operands(operator)];
    expect(encodeOperands(given, types)).toEqual(encodeOperands(own, types));
    expect(await safe.output(operator)).toEqual(await prover.output(operator));
    expect(safe.failure()).toBeUndefined();
    const none = guarded(facts, { ...prover, witness: async () => ({ operands: [null] }) as never });
    expect(await none.witness(place)).toEqual({ operands: [] });
    expect(await guarded(facts, { ...prover, witness: null as never }).witness(place)).toBeUndefined();
    expect(none.failure()).toBe("the one-step proof is malformed: it is no object");
  });

  it("passes on a signature of 65 bytes, and nothing else", async () => {
    const prover = trainingProver(honestRun);
    const signed = (signature: unknown) => guarded(facts, Object.assign({ ...prover }, { signature })).signature([]);
    const bytes = new Uint8Array(65).fill(7);
    expect(await signed(async () => bytes)).toEqual(bytes);
    for (const wrong of [
      async () => new Uint8Array(64),
      async () => null,
      () => bytes.subarray(1),
      "no method",
      undefined,
    ])
      expect(await signed(wrong)).toBeUndefined();
  });

  it("refuses places that do not exist, which is not the party's fault", async () => {
    const safe = guarded(facts, trainingProver(honestRun));
    for (const make of [() => safe.witness([]), () => safe.operands([]), () => safe.output([])])
      await expect(make()).rejects.toThrow(/place/);
    await expect(safe.answer({ kind: "payload", at: [], height: 0, position: 99 })).rejects.toThrow("does not exist");
  });
});
