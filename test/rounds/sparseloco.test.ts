/** SparseLoCo: its message against published bytes, its arithmetic against float64, and drills. */
import { describe, expect, test } from "vitest";
import { evaluate, intTensor, tensor } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import {
  disputeRecords,
  parseRoundFault,
  type Plan,
  type RoundsDefinition,
  type RoundsRecord,
} from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
interface Message {
  quantise(values: Value): { codes: Value; table: Value; shift: Value };
  dequantise(codes: Value, table: Value, shift: Value): Value;
  packPlaces(places: Value): Value;
  unpackPlaces(words: Value, n: number): Value;
}
const message = (await import("../../examples/rounds/sparse-message.ts")) as Message;
const { default: sparseloco, clipFactors } = (await import("../../examples/rounds/sparseloco.ts")) as {
  default: RoundsDefinition;
  clipFactors(values: readonly Value[]): Value[];
};

describe("the message", () => {
  test.each([
    [[0, 1, 2, 3, 4, 5], "001000023000045000"],
    [[4095, 4094, 0, 1], "ffefff001000"],
    [[0, 255, 256, 1000, 2000, 4000], "00f00f00813ed007fa"],
  ])("packs the places %j into Templar's bytes", async (places, hex) => {
    const { data: words } = await evaluate(({ x }) => message.packPlaces(x), { x: intTensor([places.length], places) });
    const bytes = Buffer.from(new Uint8Array(Int32Array.from(words).buffer)).toString("hex");
    expect(bytes.slice(0, hex.length)).toBe(hex);
    expect(bytes.slice(hex.length)).toMatch(/^0*$/);
    const back = await evaluate(({ x }) => message.unpackPlaces(x, places.length), { x: intTensor([words.length], words) }); // prettier-ignore
    expect(Array.from(back.data)).toEqual(places);
  });

  test("has the codes and the table of Templar's quantiser", async () => {
    const x = tensor([8], [-3, -1, -0.5, 0.5, 1, 3, 4, -4]);
    const { codes, table, values } = await evaluate(
      ({ x: given }) => {
        const made = message.quantise(given);
        return { ...made, values: message.dequantise(made.codes, made.table, made.shift) };
      },
      { x },
    );
    expect(Array.from(codes.data)).toEqual([1, 2, 2, 2, 2, 3, 3, 1]);
    expect(Array.from(table.data)).toEqual([0, -3.5, 0, 3.5]);
    expect(Array.from(values.data)).toEqual([-3.5, 0, 0, 0, 0, 3.5, 3.5, -3.5]);
    // Equal values have a deviation of 0, and come back as they were.
    const same = await evaluate(({ x: given }) => {
      const made = message.quantise(given);
      return message.dequantise(made.codes, made.table, made.shift);
    }, { x: tensor([4], [2, 2, 2, 2]) }); // prettier-ignore
    expect(Array.from(same.data)).toEqual([2, 2, 2, 2]);
  });

  test("is cut to the lower median of the norms", async () => {
    const rows = { a: tensor([2], [3, 4]), b: tensor([2], [0, 1]), c: tensor([2], [0, 2]), d: tensor([2], [6, 8]) };
    const factors = await evaluate(({ a, b, c, d }) => Object.fromEntries(clipFactors([a, b, c, d]).map((factor, i) => [`${i}`, factor])), rows); // prettier-ignore
    // Norms 5, 1, 2 and 10: the lower of the two in the middle is 2.
    for (const [i, wanted] of [0.4, 1, 1, 0.2].entries()) expect(factors[`${i}`].data[0]).toBeCloseTo(wanted, 6);
  });
});

/** The final state of a seat, by name. */
async function stateOf(record: RoundsRecord, round: number, turn: string, member: number) {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn && each.member === member);
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { outputs } = plan.templates[plan.seats[seat].template].round.step;
  return new Map(outputs.map(({ name }, i) => [name, tensors[i]]));
}
type State = Awaited<ReturnType<typeof stateOf>>;

/** The elements of each chunk of a tensor, row-major in the chunk: no side here above 64 has other chunks than 64. */
function chunksOf(shape: readonly number[]): number[][] {
  const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
  const [h, w] = [Math.min(rows, 64), Math.min(columns, 64)];
  return Array.from({ length: (rows / h) * (columns / w) }, (_, chunk) => {
    const [y, x] = [Math.floor(chunk / (columns / w)) * h, (chunk % (columns / w)) * w];
    return Array.from({ length: h * w }, (_element, i) => (y + Math.floor(i / w)) * columns + x + (i % w));
  });
}

/** A message read from its bytes, in float64: values by the elements of the tensor. */
function read(sent: State, name: string, chunks: readonly number[][]): Map<number, number> {
  const bytes = (part: string) => new Uint8Array(Int32Array.from(sent.get(`${part}/${name}`)!.data).buffer);
  const [places, codes] = [bytes("places"), bytes("codes")];
  const [table, shift] = [sent.get(`table/${name}`)!.data, sent.get(`shift/${name}`)!.data[0]];
  const k = Math.min(SMALL.keep, chunks[0].length);
  const found = new Map<number, number>();
  for (let i = 0; i < chunks.length * k; i++) {
    const at = 3 * (i >> 1);
    const place =
      i % 2 === 0 ? places[at] | ((places[at + 1] & 15) << 8) : (places[at + 1] >> 4) | (places[at + 2] << 4);
    found.set(chunks[Math.floor(i / k)][place], table[(codes[i >> 2] >> (2 * (i % 4))) & 3] + shift);
  }
  expect(found.size, name).toBe(chunks.length * k);
  return found;
}

const SMALL = { workers: 3, inner: 1, rounds: 2, dim: 4, context: 8, batch: 2, keep: 4 };
const operatorOf = (plan: Plan, turn: string, label: RegExp): number => {
  const seat = plan.seats.find((each) => plan.turns[each.turn].name === turn)!;
  return plan.templates[seat.template].round.init.labels.findIndex((each) => label.test(each));
};

describe("SparseLoCo", () => {
  test("sends the largest changes, keeps the rest, and finds its liars", async () => {
    const plan = await sparseloco.close(SMALL);
    const record = await performedRecord(plan, path("honest"));
    const [start, end] = [await stateOf(record, 1, "apply", 0), await stateOf(record, 2, "apply", 0)];
    expect(await stateOf(record, 2, "apply", 2)).toEqual(end);
    const norms = new Map<string, number[]>();
    const messages: State[] = [];
    for (const member of [0, 1, 2]) {
      const [local, sent] = [await stateOf(record, 2, "local", member), await stateOf(record, 2, "send", member)];
      const [old, kept] = [await stateOf(record, 1, "error", member), await stateOf(record, 2, "error", member)];
      messages.push(sent);
      for (const [name, { shape, data: from }] of start) {
        const chunks = chunksOf(shape);
        const taken = read(sent, name, chunks);
        const gathered = Array.from(from, (w, i) => 0.95 * old.get(name)!.data[i] + (w - local.get(name)!.data[i]));
        const left = kept.get(name)!.data;
        const off = gathered.map((change, i) => Math.abs(left[i] + (taken.get(i) ?? 0) - change));
        expect(Math.max(...off), name).toBeLessThan(1e-6);
        for (const own of chunks) {
          const magnitudes = (of: number[]) => of.map((i) => Math.abs(gathered[i]));
          const least = Math.min(...magnitudes(own.filter((i) => taken.has(i))));
          expect(Math.max(0, ...magnitudes(own.filter((i) => !taken.has(i)))), name).toBeLessThanOrEqual(least + 1e-7);
        }
        norms.set(name, [...(norms.get(name) ?? []), Math.hypot(...taken.values())]);
      }
    }
    for (const [name, { shape, data }] of start) {
      const chunks = chunksOf(shape);
      const own = norms.get(name)!;
      const middle = own.toSorted((a, b) => a - b)[1];
      const written = messages.map((sent, i) => ({ taken: read(sent, name, chunks), factor: Math.min(1, middle / (own[i] + 1e-8)) })); // prettier-ignore
      const off = Array.from(data, (weight, i) => {
        const values = written.flatMap(({ taken, factor }) => (taken.has(i) ? [taken.get(i)! * factor] : []));
        const mean = values.length > 0 ? values.reduce((a, b) => a + b) / values.length : 0;
        return Math.abs(end.get(name)!.data[i] - (weight - mean));
      });
      expect(Math.max(...off), name).toBeLessThan(1e-6);
    }
    const operator = operatorOf(plan, "send", /topk/);
    const drills = [
      {
        fault: `participant=worker-1,round=2,turn=send,flip:step=0,operator=${operator},bit=30`,
        found: { round: 2, name: "send-1", blames: [{ participant: "worker-1", reason: "operator", location: { step: 0, operator: { number: operator } } }] }, // prettier-ignore
      },
      {
        fault: "participant=worker-2,round=2,turn=apply,aggregate:1",
        found: { round: 2, name: "apply-2", blames: [{ participant: "worker-2", reason: "inputs" }] },
      },
    ];
    for (const [i, { fault, found }] of drills.entries()) {
      const drill = await performedRecord(plan, path(`drill-${i}`), [parseRoundFault(plan, fault)], {
        salt: 2,
        from: record,
      });
      expect(await disputeRecords(record, drill), fault).toMatchObject({ losers: [1], ...found });
    }
  });
});
