/** Mutations of the emitted text: each is found by the list of instructions, or by the bits on the interpreter. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { elementCount, type Tensor } from "../../src/encoding/tensor.ts";
import { everyCase } from "../../src/certify/vectors/operators.ts";
import type { Backend, ExecuteReport } from "../../src/repops/backends/backend.ts";
import { Plan } from "../../src/repops/backends/cuda/plan.ts";
import { moduleText } from "../../src/repops/backends/cuda/ptx.ts";
import { type Tile, TILES } from "../../src/repops/backends/cuda/tile.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import { kernelOf, PRODUCTS } from "../repops/backends/view-products.ts";
import { cases, products } from "../repops/kernels.ts";
import { foreign } from "./allowed.ts";
import { interpreted } from "./interpreted.ts";
import { ROW_FOLDS } from "./rows.ts";
import { Fault } from "./memory.ts";

const SEED = 20261129;

interface Subject {
  list: KernelList;
  inputs: readonly Tensor[];
  outputs: readonly number[];
  tiles: readonly Tile[];
  text: string;
}

function subject(list: KernelList, inputs: readonly Tensor[], outputs: readonly number[], tiles = TILES): Subject {
  return { list, inputs, outputs, tiles, text: moduleText(new Plan(list, outputs, "fused", tiles).entries) };
}

const smallest = TILES.slice(-1);
const ofVectors = everyCase()
  .filter(({ outputs: [{ name }] }) => /^(read|gather|fold (dot|sum)|operator (embedding|scatter))/.test(name))
  .filter(({ list }) => list.kernels.every(({ type }) => elementCount(type.shape) < 20_000));
const subjects: readonly Subject[] = [
  ...fc.sample(cases, { seed: SEED, numRuns: 60 }).map(({ list, inputs }) => subject(list, inputs, [inputs.length])),
  ...fc
    .sample(products, { seed: SEED, numRuns: 20 })
    .map(({ list, inputs }) => subject(list, inputs, [inputs.length], smallest)),
  ...PRODUCTS.slice(0, 20).map((product, i) => {
    const { list, inputs } = kernelOf(product, i);
    return subject(list, inputs, [inputs.length], smallest);
  }),
  ...ROW_FOLDS.filter((_, i) => i % 9 === 0).map(({ list, inputs }) => subject(list, inputs, [inputs.length])),
  ...ofVectors.map(({ list, inputs, outputs }) =>
    subject(
      list,
      inputs,
      outputs.map(({ tensor }) => tensor),
    ),
  ),
];

/** What an execution gives, as text. */
async function found(backend: Backend, { list, inputs, outputs }: Subject): Promise<string> {
  const session = await backend.prepare(list, { keep: outputs });
  for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
  const { noted, outOfRange }: ExecuteReport = await session.execute();
  const all: unknown[] = [noted, outOfRange];
  for (const output of outputs) {
    const { data } = await session.read(output);
    all.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"));
  }
  await session.close();
  return JSON.stringify(all);
}

const expected = new Map<Subject, Promise<string>>();
function expectedOf(one: Subject): Promise<string> {
  if (!expected.has(one)) expected.set(one, found(reference, one));
  return expected.get(one)!;
}

type Change = (text: string) => string;
const all =
  (from: RegExp, to: string): Change =>
  (text) =>
    text.replace(new RegExp(from, "g"), to);
/** Changes the occurrence `n` of each kernel. */
const nth =
  (n: number, from: RegExp, to: string): Change =>
  (text) =>
    text
      .split(".visible .entry ")
      .map((entry) => {
        let at = 0;
        return entry.replace(new RegExp(from, "g"), (match) =>
          at++ === n ? match.replace(new RegExp(from), to) : match,
        );
      })
      .join(".visible .entry ");

/** Mutations of which the list of instructions is told. */
const FOREIGN: Readonly<Record<string, Change>> = {
  "a sum is rounded toward zero": all(/add\.rn\.f32/, "add.rz.f32"),
  "a sum is rounded as the device likes": all(/add\.rn\.f32/, "add.f32"),
  "a product is rounded upward": all(/mul\.rn\.f32/, "mul.rp.f32"),
  "a quotient is approximate": all(/div\.rn\.f32/, "div.approx.f32"),
  "a root is approximate": all(/sqrt\.rn\.f32/, "sqrt.approx.f32"),
  "sums flush subnormals": all(/add\.rn\.f32/, "add.rn.ftz.f32"),
  "a product and a sum are fused": all(/mul\.rn\.f32 (\S+), (\S+), (\S+);\nadd\.rn\.f32 (\S+), \S+, \S+;/, "fma.rn.f32 $4, $2, $3, $4;"), // prettier-ignore
  "integers are rounded down": all(/cvt\.rn\.f32\.s32/, "cvt.rm.f32.s32"),
};

/** Mutations that change what is computed. */
const WRONG: Readonly<Record<string, Change>> = {
  "the first barrier is missing": nth(0, /bar\.sync 0;\n/, ""),
  "the barrier in the loop is missing": nth(1, /bar\.sync 0;\n/, ""),
  "a tile begins one depth too far": all(/add\.s32 (%r\d+), \1, 16;/, "add.s32 $1, $1, 17;"),
  "a place of a tile is read one word too far": nth(3, /\+(\d+)\];/, "+0];"),
  "a place of a tile is stored at the next one": nth(1, /st\.shared\.b32 \[(%r\d+)\+\d+\]/, "st.shared.b32 [$1+4]"),
  "the buffers are not exchanged": all(/xor\.b32 (%r\d+), \1, 1;/, "xor.b32 $1, $1, 0;"),
  "a matrix has one row more": nth(0, /(setp\.lt\.s32 %p\d+, %r\d+, (%r\d+);)/, "add.s32 $2, $2, 1;\n$1"),
  "a row's words are read in steps of two": all(/add\.s32 (%r\d+), \1, 4;/, "add.s32 $1, $1, 8;"),
  "a part of a row is left out": all(
    /add\.s32 (%r\d+), \1, (\d+);\nsetp\.ge\.u32/,
    "add.s32 $1, $1, 1$2;\nsetp.ge.u32",
  ),
  "a row's last part is as long as the others": all(/min\.u32 (%r\d+), (%r\d+), \d+;\nmul/, "mov.b32 $1, $2;\nmul"),
  "threads without a row have a chain": all(
    /and\.pred (%p\d+), (%p\d+), (%p\d+);\nshr\.u32/,
    "or.pred $1, $2, $3;\nshr.u32",
  ),
  "the barrier after the rows' starts is missing": nth(0, /bar\.sync 0;\nmov\.b32/, "mov.b32"),
  "the barrier before a row's next part is missing": all(/bar\.sync 0;\n(bra \$L0;)/, "$1"),
  "a product is not added": nth(5, /add\.rn\.f32 (%f\d+), \1, (%f\d+);/, "mov.b32 $1, $2;"),
  "a fold begins with its second step": all(/mov\.b32 (%r\d+), 0;\n(\$L0:)/, "mov.b32 $1, 1;\n$2"),
  "a fold ends one step too early": all(/(add\.s32 (%r\d+), \2, 1;\nsetp\.lt\.u32 %p\d+, \2, )(\d+)/, "$11"),
  "four elements are loaded in another order": all(/(ld\.global\.nc\.v4\.b32) \{(\S+), (\S+),/, "$1 {$3, $2,"),
  "four elements are stored in another order": all(/(st\.global\.v4\.b32 \S+) \{(\S+), (\S+),/, "$1 {$3, $2,"),
  "coordinates are quotients": all(/rem\.u32/, "div.u32"),
  "a view ignores its lower bounds": all(/setp\.ge\.s32 (%p\d+), %r\d+, \d+/, "setp.ge.s32 $1, 0, 0"),
  "a fill value is 0": all(/mov\.b32 (%[rf]\d+), (%[rf]\d+);\n(@%p\d+ ld)/, "mov.b32 $1, 0;\n$3"),
  "magnitudes at the dot range's end are changed": all(/1493172224/, "1493172223"),
  "magnitudes below the dot range are kept": all(/637534208/, "637534207"),
  "what is above a range is noted as below it": all(/(red\.global\.or\.b32 \S+) 1;/, "$1 2;"),
  "nothing is noted": all(/@%p\d+ red\.global\.or\.b32 .*\n/, ""),
  "rows outside are not counted": all(/@%p\d+ red\.global\.add\.u32 .*\n/, ""),
  "a row number may be negative": all(/setp\.lt\.u32 (%p\d+, %r\d+, \d+;\nmul\.lo)/, "setp.lt.s32 $1"),
  "the rows of a scatter-add are added in reverse order": all(/brev\.b32/, "mov.b32"),
  "a scatter-add adds every row": all(/@%p\d+ (add\.rn\.f32)/, "$1"),
  "small results are kept": all(/selp\.f32 (%f\d+), (%f\d+), %f\d+, (%p\d+)/, "selp.f32 $1, $2, $2, $3"),
  "large results are kept": all(/min\.f32 (%f\d+), (%f\d+), %f\d+/, "min.f32 $1, $2, $2"),
  "the smaller of two is the larger": all(/min\.f32/, "max.f32"),
  "unsigned integers are signed": all(/cvt\.rn\.f32\.u32/, "cvt.rn.f32.s32"),
  "unsigned comparisons are signed": all(/setp\.lt\.u32/, "setp.lt.s32"),
  "shifts fill with zeros": all(/shr\.s32/, "shr.u32"),
  "counts of shifts are not taken modulo 32": all(/and\.b32 (%r\d+), (%r\d+), 31/, "mov.b32 $1, $2"),
  "x - 0 for 0 - x": all(/sub\.rn\.f32 (%f\d+), (%f\d+), (%f\d+)/, "sub.rn.f32 $1, $3, $2"),
  "an element beyond the end is computed": all(
    /setp\.ge\.u32 (%p\d+), (%r\d+), (\d+);\n@\1 ret;/,
    "setp.ge.u32 $1, $2, 4294967295;",
  ),
};

test.each(Object.entries(FOREIGN))("the list of instructions finds that %s", (_, change) => {
  const changed = subjects.filter(({ text }) => change(text) !== text);
  expect(changed.length).toBeGreaterThan(0);
  for (const { text } of changed) expect(foreign(change(text))).not.toEqual([]);
});

test.each(Object.entries(WRONG))("the interpreter finds that %s", async (_, change) => {
  const changed = subjects.filter(({ text }) => change(text) !== text);
  expect(changed.length).toBeGreaterThan(0);
  // All of these are made of allowed instructions.
  for (const { text } of changed.slice(0, 3)) expect(foreign(change(text))).toEqual([]);
  for (const one of changed)
    try {
      if ((await found(interpreted({ tiles: one.tiles, change }), one)) !== (await expectedOf(one))) return;
    } catch (error) {
      // Such as a read of another thread's word before it is there.
      expect(error).toBeInstanceOf(Fault);
      return;
    }
  expect.unreachable(`none of ${changed.length} kernels shows it, seed ${SEED}`);
});

test("without a mutation every kernel has the reference's results", async () => {
  for (const one of subjects) expect(await found(interpreted({ tiles: one.tiles }), one)).toBe(await expectedOf(one));
});
