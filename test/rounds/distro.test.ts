/** DisTrO: the vectors of Psyche's tests, its state against float64, and its cheats beside Psyche's measures. */
import { describe, expect, test } from "vitest";
import { chunkedDct, chunkedIdct, evaluate, mul, sum, tensor } from "../../src/graph/index.ts";
import { constant, defineJob } from "../../src/job/index.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type Plan, type RoundsDefinition, type RoundsRecord } from "../../src/rounds/index.ts"; // prettier-ignore
import { run } from "../../src/trace/run.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import type * as Message from "../../examples/rounds/distro-message.ts";
import type * as Example from "../../examples/rounds/distro.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { cut, decode, distances, encode, largest, sideOf } = (await import("../../examples/rounds/distro-message.ts")) as typeof Message; // prettier-ignore
const { default: definition, gathering } = (await import("../../examples/rounds/distro.ts")) as typeof Example & { default: RoundsDefinition }; // prettier-ignore
const CHUNKING = { chunk: 16, keep: 4 };
const eye = tensor([4, 4], Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0))); // prettier-ignore
const near = (found: ArrayLike<number>, wanted: readonly number[], most: number) => {
  expect(found.length).toBe(wanted.length);
  Array.from(found).forEach((x, i) => expect(Math.abs(x - wanted[i]), `element ${i}`).toBeLessThanOrEqual(most));
};

describe("the vectors of Psyche's and Templar's tests", () => {
  test("sides of chunks", () => {
    const cases = [[12, 3, 3], [12, 4, 4], [12, 5, 4], [100, 7, 5], [100, 26, 25], [100, 101, 100], [1, 1, 1], [0, 1, 0], [1000000007, 5e8, 1], [64, 7, 4], [64, 100, 64], [100, 16, 10]]; // prettier-ignore
    for (const [extent, target, side] of cases) expect(sideOf(extent, target), `${extent}, ${target}`).toBe(side);
    expect(() => cut([64, 64], { chunk: 32, keep: 4 })).toThrow(RangeError);
  });

  test("transforms, and what undoes them", async () => {
    const rows = Array.from({ length: 4 }, (_, row) => Array.from(eye.data.slice(4 * row, 4 * row + 4)));
    const transformed: number[] = [];
    for (const row of rows) transformed.push(...(await evaluate(({ x }) => chunkedDct(x, 64), { x: tensor([4], row) })).data); // prettier-ignore
    near(transformed, [0.5, 0.6533, 0.5, 0.2706, 0.5, 0.2706, -0.5, -0.6533, 0.5, -0.2706, -0.5, 0.6533, 0.5, -0.6533, 0.5, -0.2706], 1e-4); // prettier-ignore
    const encoded = await evaluate(({ x }) => chunkedDct(x, 64), { x: tensor([8], [0, 1, 2, 3, 4, 5, 6, 7]) });
    near(encoded.data, [9.8995, -6.4423, 0, -0.67345, 0, -0.2009, 0, -0.050702], 1e-4);
    near((await evaluate(({ x }) => chunkedDct(x, 64), { x: eye })).data, Array.from(eye.data), 1e-6);
    const x = Array.from({ length: 24 * 20 }, (_, i) => Math.sin(3 * i));
    const back = await evaluate(({ x: given }) => chunkedIdct(chunkedDct(given, 16), [24, 20], 16), { x: tensor([24, 20], x) }); // prettier-ignore
    near(back.data, Array.from(Float32Array.from(x)), 1e-6);
  });

  test("the largest elements of rows", async () => {
    const cases: [number[], number[]][] = [
      [[0.1911, 0.4076, 0.1649, 0.8059], [3, 1]],
      [[0.2803, 0.9381, 0.9071, 0.2573], [1, 2]],
      [[0.407, 0.5765, 0.7226, 0.9486], [3, 2]],
      [[0.0737, 0.7378, 0.1898, 0.299], [1, 3]],
      [[0.5223, 0.9625, 0.5487, 0.2152, 0.2161, 0.0363, 0.4944, 0.0974], [1, 2]],
    ]; // prettier-ignore
    // What is chosen are coefficients, so a row is given as what they come from.
    for (const [row, places] of cases) {
      const inputs = { x: tensor([1, 1, row.length], row) };
      const found = await evaluate(({ x }) => largest(chunkedIdct(x, [row.length], 16), { chunk: 16, keep: 2 }), inputs); // prettier-ignore
      expect(Array.from(found.places.data)).toEqual(places);
      near(found.values.data, places.map((place) => row[place]), 1e-4); // prettier-ignore
    }
  });

  test("a byte for a place, a bit for a sign", async () => {
    const inputs = { values: tensor([1, 2, 3], [1, -2, 0, -4, 5, -6]), places: { dtype: "i32", shape: [1, 2, 3], data: Int32Array.of(1, 255, 0, 7, 128, 3) } } as const; // prettier-ignore
    const sent = await evaluate((given) => encode("w", given), inputs);
    const bytes = (name: string) => [...new Uint8Array(Int32Array.from(sent[name].data).buffer)];
    expect(bytes("places/w")).toEqual([1, 255, 0, 7, 128, 3, 0, 0]);
    expect(bytes("signs/w")).toEqual([0b101010, 0, 0, 0]);
  });

  test("measures of similarity", () => {
    expect(distances([1, 2, 5], [1, 2, 3])).toEqual({ jaccard: 0.5, manhattan: 2, hamming: 1 / 3 });
  });
});

/** The transform of one chunk by its definition, in float64. */
function cosines(x: readonly number[], h: number, w: number): number[] {
  const basis = (n: number, i: number, k: number) => Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * n)); // prettier-ignore
  return x.map((_, at) => {
    const [k, l] = [Math.floor(at / w), at % w];
    return x.reduce((total, value, i) => total + value * basis(h, Math.floor(i / w), k) * basis(w, i % w, l), 0);
  });
}
/** A row whose transform has one element only. The basis is orthonormal. */
const wave = (at: number, h: number, w: number): number[] =>
  Array.from({ length: h * w }, (_, i) => cosines(Array.from({ length: h * w }, (_unit, j) => (j === i ? 1 : 0)), h, w)[at]); // prettier-ignore

test("keeps what was not sent, as in float64", async () => {
  const gradient = Array.from({ length: 16 }, (_, i) => Math.sin(7 * i + 1) / 10);
  const [decay, rate, steps] = [0.9, 0.25, 4];
  const job = await defineJob({
    name: "linear",
    steps,
    data: () => ({ gradient: tensor([4, 4], gradient) }),
    loss: (given) => sum(mul(given.parameter("w", [4, 4], constant(0)), given.data.gradient)),
    optimizer: () => gathering(decay, rate, CHUNKING),
  }).close();
  const { state } = await run(job);
  const found = (name: string) => Array.from(state.find((entry) => entry.name === `optimizer/${name}/w`)!.data);
  let delta = Array.from(gradient, () => 0);
  let sent: [number, number][] = [];
  for (let step = 0; step < steps; step++) {
    const unsent = sent.reduce((left, [at, value]) => left.map((x, i) => x - value * wave(at, 4, 4)[i]), delta);
    delta = unsent.map((x, i) => x * decay + rate * gradient[i]);
    const coefficients = cosines(delta, 4, 4);
    const order = coefficients.map((_, i) => i).sort((a, b) => Math.abs(coefficients[b]) - Math.abs(coefficients[a]));
    sent = order.slice(0, 4).map((at) => [at, coefficients[at]]);
  }
  near(found("delta"), delta, 1e-6);
  expect(found("places")).toEqual(sent.map(([at]) => at));
  near(found("values"), sent.map(([, value]) => value), 1e-6); // prettier-ignore
  // What was there before is what is kept and what was sent.
  const inputs = { values: tensor([1, 1, 4], found("values")), places: { dtype: "i32", shape: [1, 1, 4], data: Int32Array.from(found("places")) } } as const; // prettier-ignore
  const taken = await evaluate((given) => decode([given], [4, 4], CHUNKING), inputs);
  const left = found("delta").map((x, i) => x - taken.data[i]);
  const rest = cosines(left, 4, 4);
  for (const [at] of sent) expect(Math.abs(rest[at])).toBeLessThan(1e-7);
});

const SMALL = { workers: 2, dim: 8, context: 8, batch: 2, rounds: 3 };

async function stateOf(record: RoundsRecord, round: number, turn: string, member = 0) {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn && each.member === member);
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { outputs } = plan.templates[plan.seats[seat].template].round.step;
  return new Map(outputs.map(({ name }, i) => [name, tensors[i]]));
}
type State = Awaited<ReturnType<typeof stateOf>>;
const bytesOf = (state: State, name: string) => new Uint8Array(Int32Array.from(state.get(name)!.data).buffer);

/** A message in float64, read from its bytes: places and signs of the coefficients, chunk by chunk. */
function readBytes(sent: State, name: string, shape: readonly number[]) {
  const { count } = cut(shape, CHUNKING);
  const [places, signs] = [bytesOf(sent, `places/${name}`), bytesOf(sent, `signs/${name}`)];
  return Array.from({ length: count }, (_, i) => ({ place: places[i], sign: (signs[i >> 3] >> (i & 7)) & 1 ? -1 : 1 }));
}

/** All places of a message, counted through all tensors, and their signs. */
function coefficientsOf(sent: State, weights: State) {
  let from = 0;
  const all = [...weights].flatMap(([name, { shape }]) => {
    const { size, shape: kept } = cut(shape, CHUNKING);
    const own = readBytes(sent, name, shape).map(({ place, sign }, i) => [from + Math.floor(i / kept[2]) * size + place, sign]); // prettier-ignore
    from += shape.reduce((a, b) => a * b, 1);
    return own;
  });
  return { places: all.map(([place]) => place), signs: all.map(([, sign]) => sign) };
}

/** The sign of the mean of messages, in float64, for a tensor of one chunk. */
function direction(messages: readonly State[], name: string, shape: readonly number[]): number[] {
  const [h, w] = shape.length === 1 ? [1, shape[0]] : shape;
  const cells = new Map<number, number[]>();
  for (const sent of messages)
    for (const { place, sign } of readBytes(sent, name, shape)) cells.set(place, [...(cells.get(place) ?? []), sign]);
  const total = Array.from({ length: h * w }, () => 0);
  for (const [place, signs] of cells) {
    const mean = signs.reduce((a, b) => a + b) / signs.length;
    wave(place, h, w).forEach((x, i) => (total[i] += mean * x));
  }
  return total;
}

const operatorOf = (plan: Plan, turn: string, graph: "init" | "step", label: RegExp): number => {
  const seat = plan.seats.find((each) => plan.turns[each.turn].name === turn)!;
  return plan.templates[seat.template].round[graph].labels.findIndex((each) => label.test(each));
};

describe("a plan", () => {
  test("steps along the messages of two rounds before, looks ahead, and finds its cheats", async () => {
    const plan = await definition.close(SMALL);
    const record = await performedRecord(plan, path("honest"));
    const [first, old, agreed] = await Promise.all([0, 2, 3].map((round) => stateOf(record, round, "apply")));
    expect(await stateOf(record, 3, "apply", 1)).toEqual(agreed);
    expect(old).toEqual(first);
    const messages = await Promise.all([0, 1].map((member) => stateOf(record, 1, "send", member)));
    const [delta, ahead] = [await stateOf(record, 2, "local", 1), await stateOf(record, 3, "ahead", 1)];
    let moved = 0;
    let bytes = 4;
    for (const [name, { shape, data }] of agreed) {
      const { count } = cut(shape, CHUNKING);
      bytes += 4 * Math.ceil(count / 4) + 4 * Math.ceil(count / 32);
      data.forEach((weight, i) => {
        const lead = Math.sign(delta.get(`optimizer/delta/${name}`)!.data[i]);
        expect(ahead.get(name)!.data[i]).toBeCloseTo(weight - 0.003 * lead, 6);
      });
      if (cut(shape, CHUNKING).shape.slice(0, 2).join() !== "1,1") continue;
      direction(messages, name, shape).forEach((slope, i) => {
        const step = old.get(name)!.data[i] - data[i];
        // Where signs cancel, rounding decides.
        if (Math.abs(slope) > 1e-6) expect(step, `${name} ${i}`).toBeCloseTo(0.003 * Math.sign(slope), 6);
        moved += Math.abs(slope) > 1e-6 ? 1 : 0;
      });
    }
    expect(moved).toBeGreaterThan(100);
    const sent = [...messages[0].values()].reduce((total, { data }) => total + 4 * data.length, 0);
    expect(sent).toBe(bytes);

    // The last of those that choose, of the first weight: what comes next takes the coefficients.
    const choose = operatorOf(plan, "local", "step", /take-along-dim/) - 1;
    const subtract = operatorOf(plan, "local", "step", /unsent\/sub/);
    const sign = operatorOf(plan, "apply", "init", /sign$/);
    const look = operatorOf(plan, "ahead", "init", /sign$/);
    const pack = operatorOf(plan, "send", "init", /pack-signs/);
    const at = (step: number, number: number) => ({ reason: "operator", location: { step, operator: { number } } });
    // The last column: whether its message passes a limit of 0.1 for two of Psyche's distances, which has none.
    const drills = [
      ["another than the largest", `turn=local,flip:step=1,operator=${choose},bit=0`, "local-1", at(1, choose), true],
      ["what was sent is kept", `turn=local,flip:step=1,operator=${subtract},bit=30`, "local-1", at(1, subtract), true],
      ["a step that is no sign", `turn=apply,flip:step=0,operator=${sign},bit=22`, "apply-1", at(0, sign), true],
      ["forged signs", `turn=send,flip:step=0,operator=${pack},bit=0`, "send-1", at(0, pack), true],
      ["no look-ahead", `turn=ahead,flip:step=0,operator=${look},bit=30`, "ahead-1", at(0, look), true],
      ["an old look-ahead", "turn=ahead,stale:1", "ahead-1", { reason: "inputs" }, false],
      ["a message is left out", "turn=apply,aggregate:0", "apply-1", { reason: "inputs" }, false],
      ["a message of another round", "turn=apply,stale:0", "apply-1", { reason: "inputs" }, false],
    ] as const; // prettier-ignore
    for (const [i, [what, text, name, blame, passes]] of drills.entries()) {
      const fault = parseRoundFault(plan, `participant=worker-1,round=3,${text}`);
      const drill = await performedRecord(plan, path(`drill-${i}`), [fault], { salt: 2, from: record });
      expect(await disputeRecords(record, drill), what).toMatchObject({ losers: [1], round: 3, name, blames: [{ participant: "worker-1", ...blame }] }); // prettier-ignore
      if (i === 0) expect((await auditRecord(drill)).liars.map(({ participant }) => participant)).toEqual(["worker-1"]);
      const [mine, other] = [await stateOf(record, 3, "send", 1), await stateOf(drill, 3, "send", 1)];
      const [was, is] = [mine, other].map((sent) => coefficientsOf(sent, agreed));
      const far = Math.max(distances(was.places, is.places).jaccard, distances(was.signs, is.signs).hamming);
      expect(far < 0.1, `${what} is ${far} from the honest message`).toBe(passes);
    }
  });
});
