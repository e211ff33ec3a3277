/** Gauntlet: ratings against published figures, scores that show noise and a copy, and a validator that lies. */
import { describe, expect, test } from "vitest";
import { evaluate, tensor } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { disputeRecords, parseRoundFault, type RoundsDefinition, type RoundsRecord } from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { rate } = (await import("../../examples/rounds/plackett-luce.ts")) as {
  rate(mu: Value, deviation: Value, score: Value): { mu: Value; sigma: Value };
};
const gauntlet = (await import("../../examples/rounds/gauntlet.ts")) as {
  default: RoundsDefinition;
  weightsOf(final: Value): Value;
};

/** A match in float64, term by term. */
function textbook(mu: number[], deviation: number[], score: number[]) {
  const sigma = deviation.map((each) => Math.sqrt(each * each + 0.01));
  const c = Math.sqrt(sigma.reduce((total, each) => total + each * each + 49, 0));
  return mu.map((own, i) => {
    let [omega, delta] = [0, 0];
    for (const q of mu.keys()) {
      if (score[q] < score[i]) continue;
      const behind = mu.reduce((total, each, k) => total + (score[k] <= score[q] ? Math.exp(each / c) : 0), 0);
      const p = Math.exp(own / c) / behind;
      const ties = score.filter((each) => each === score[q]).length;
      omega += ((q === i ? 1 : 0) - p) / ties;
      delta += (p * (1 - p)) / ties;
    }
    const [s, share] = [sigma[i], sigma[i] / c];
    return { mu: own + omega * s * share, sigma: s * Math.sqrt(Math.max(1 - delta * share ** 3, 1e-4)) };
  });
}

describe("ratings", () => {
  const rated = async (mu: number[], sigma: number[], score: number[]) => {
    const [n] = [mu.length];
    const inputs = { m: tensor([n], mu), s: tensor([n], sigma), x: tensor([n], score) };
    return evaluate(({ m, s, x }) => rate(m, s, x), inputs);
  };
  const fresh = (n: number) => [Array(n).fill(25), Array(n).fill(25 / 3)] as [number[], number[]];

  test("are those of two and of three fresh players", async () => {
    const two = await rated(...fresh(2), [2, 1]);
    for (const [i, mu] of [27.256209, 22.743791].entries()) {
      expect(two.mu.data[i]).toBeCloseTo(mu, 4);
      expect(two.sigma.data[i]).toBeCloseTo(8.166896, 5);
    }
    expect(two.mu.data[0] - 3 * two.sigma.data[0]).toBeCloseTo(2.75552, 4);
    const three = await rated(...fresh(3), [0.3, 0.2, -1]);
    for (const [i, mu] of [27.456249, 25.614062, 21.929688].entries()) expect(three.mu.data[i]).toBeCloseTo(mu, 4);
  });

  test("follow the sums in float64, with ties", async () => {
    const [mu, sigma, score] = [[25, 31, 18, 25, 29], [8, 3, 5, 8.3, 7], [0.1, 0.4, 0.1, -0.2, 0.4]]; // prettier-ignore
    const found = await rated(mu, sigma, score);
    for (const [i, wanted] of textbook(mu, sigma, score).entries()) {
      expect(found.mu.data[i]).toBeCloseTo(wanted.mu, 4);
      expect(found.sigma.data[i]).toBeCloseTo(wanted.sigma, 5);
    }
  });
});

test("weights are on a ramp, and nothing below 0 has one", async () => {
  const { data } = await evaluate(({ x }) => gauntlet.weightsOf(x), { x: tensor([4], [3, -1, 5, 0]) });
  const wanted = [5 / 3, 0, 2, 0].map((ramp) => (0.5 * ramp) / (2 + 5 / 3));
  for (const [i, weight] of wanted.entries()) expect(data[i]).toBeCloseTo(weight, 6);
});

async function scored(record: RoundsRecord, round: number) {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === "score");
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { outputs } = plan.templates[plan.seats[seat].template].round.step;
  return Object.fromEntries(outputs.map(({ name }, i) => [name, Array.from(tensors[i].data)]));
}

describe("Gauntlet", () => {
  test("leaves noise without a weight, and finds who misranks", async () => {
    const plan = await gauntlet.default.close({ rounds: 2 });
    const record = await performedRecord(plan, path("honest"));
    const found = await scored(record, 2);
    expect(found.weights[3]).toBe(0);
    expect(found.weights[0]).toBeGreaterThan(0);
    expect(Math.min(...found.gain.slice(0, 3))).toBeGreaterThan(found.gain[3]);
    expect(found.weights.reduce((a, b) => a + b)).toBeCloseTo(0.5, 5);

    const seat = plan.seats.find((each) => plan.turns[each.turn].name === "score")!;
    const { outputs } = plan.templates[seat.template].round.step;
    const entry = (name: string) => outputs.findIndex((each) => each.name === name);
    // Whether peer-1 is ranked before peer-0 is one element of a comparison.
    const { labels } = plan.templates[seat.template].round.init;
    const operator = labels.indexOf("ge");
    const sends = plan.seats.flatMap(({ turn }, i) => (plan.turns[turn].name === "send" ? [i] : []));
    const copy = { round: 2, seat: sends[1], of: sends[0] };
    const copier = await performedRecord(plan, path("copier"), [], { salt: 2, from: record, copy });
    const shown = await scored(copier, 2);
    expect(shown.overlap[1]).toBe(1);
    expect(Math.max(...found.overlap)).toBeLessThan(0.9);
    expect(shown.weights[1]).toBe(0);
    const copied = await disputeRecords(record, copier);
    expect(copied).toMatchObject({ losers: [1], round: 2, name: "send-1", blames: [{ participant: "peer-1" }] });

    const drills = [
      [`flip:step=0,operator=${operator},element=1,bit=0`, { reason: "operator", location: { step: 0, operator: { number: operator } } }], // prettier-ignore
      [`message:entry=${entry("mu")},element=1,bit=22`, { reason: "message" }],
    ] as const;
    for (const [i, [text, blame]] of drills.entries()) {
      const fault = parseRoundFault(plan, `participant=validator-0,round=2,${text}`);
      const drill = await performedRecord(plan, path(`drill-${i}`), [fault], { salt: 2, from: record });
      expect(await disputeRecords(record, drill), text).toMatchObject({
        losers: [1],
        round: 2,
        name: "score-0",
        blames: [{ participant: "validator-0", ...blame }],
      });
    }
  });
});
