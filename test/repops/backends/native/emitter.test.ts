/** Whatever a kernel holds, the emitted C consists of this list of words, of numbers, and of operators. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Reader } from "../../../../src/encoding/bytes.ts";
import { unitSource } from "../../../../src/repops/backends/native/loops.ts";
import { loopSource } from "../../../../src/repops/backends/native/loops.ts";
import type { KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { decodeProgram, encodeProgram, type Program } from "../../../../src/repops/programs/program.ts";
import { planNative, shapesOf as loopsOf } from "../../../../src/repops/backends/native/session.ts";
import { GRAIN } from "../../../../src/repops/schedule/grain.ts";
import type { LoopShape } from "../../../../src/repops/schedule/loop-shape.ts";
import { cases, programs } from "../../kernels.ts";
import { rowLists } from "../../schedule/row-lists.ts";

const SEED = 20261120;

const OF_C = "static void const int int64_t int32_t uintptr_t char for if return __typeof__";
const OF_THE_CORE =
  "vf vi vu IBITS FBITS SELECT LANES VECTOR_BYTES COUNT magnitude smaller larger square_root floor_of smaller_int " +
  "larger_int float_of_int float_of_unsigned int_of_float unsigned_of_float dot_range sum_range shifted_right " +
  "rotated_left load_unit load_splat load_strided load_strided_left store store_left store_past end_past " +
  "START_CHECKS CHECK ALL_RIGHT CHECKED SHORT_ROW ROWS ROW_VECTORS ROW_OF Seen tell tell_any DOT_MOST SUM_MOST first_of";
const OWN = "p start exact left aligned o x n_ h_ counter seen_dot seen_sum";
const WORDS = new Set(`${OF_C} ${OF_THE_CORE} ${OWN}`.split(" "));
/** A letter and numbers: addresses, strides, extents, values, coordinates. */
const NUMBERED = /^([oewrfctikam]\d+|[asqmlvyn]\d+_\d*|v\d+_\d+_\d+|loop\d+(_0)?)$/;
const NUMBER = /^(0x[0-9a-f]{1,8}|-?\d{1,10})$/;
const OPERATORS = /^[\s(){}[\];:,.*+\-/&|^~<>=!?]*$/;

/** What stands in a text and is neither a known word, nor a number, nor an operator. */
function foreign(source: string): string[] {
  const words = source.match(/\w+/g) ?? [];
  const strange = words.filter((word) => !WORDS.has(word) && !NUMBERED.test(word) && !NUMBER.test(word));
  const rest = source.replace(/\w+/g, "");
  return OPERATORS.test(rest) && !/\/[/*]/.test(rest) ? strange : [...strange, rest];
}

/** Of kernels alone, and of groups. */
const shapesOf = (list: KernelList, always: boolean): LoopShape[] => {
  const { plans, groups } = planNative(list, [], always, { ...GRAIN, streamedBytes: 0 });
  return [...loopsOf(plans, groups).values()];
};

test("random kernels, alone and in groups", () =>
  fc.assert(
    fc.property(fc.oneof(cases, rowLists), fc.boolean(), ({ list }, always) => {
      for (const shape of shapesOf(list, always)) expect(foreign(loopSource("loop0", shape))).toEqual([]);
    }),
    { seed: SEED, numRuns: 500 },
  ));

test("programs of which bytes were changed, where they can still be decoded", () => {
  let decoded = 0;
  fc.assert(
    fc.property(
      programs,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (program, changes) => {
        const bytes = encodeProgram(program);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        let changed: Program;
        try {
          changed = decodeProgram(new Reader(bytes, "the program"));
        } catch {
          return;
        }
        decoded++;
        const args = changed.inputs.map(
          () => ({ kind: "operand", access: "strided", fixed: true, clampRange: "none" }) as const,
        );
        expect(foreign(loopSource("loop0", { program: changed, outer: 2, args, always: false }))).toEqual([]);
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
  expect(decoded).toBeGreaterThan(50);
});

test("text that is attached to a kernel does not reach the source", () => {
  const [{ list }] = fc.sample(cases, { seed: SEED, numRuns: 1 });
  const text = '"; system("true"); //';
  const marked = JSON.parse(JSON.stringify(list), (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value, label: text, comment: text }
      : value,
  ) as KernelList;
  const source = (given: KernelList): string => unitSource("", shapesOf(given, false));
  expect(source(marked)).toBe(source(list));
});

test("the check itself sees a foreign word", () => {
  expect(foreign("vf v1_0 = v0_0 + system;")).toEqual(["system"]);
  expect(foreign('vf v1_0 = "v0_0";')).toHaveLength(1);
  expect(foreign("#define x 1")).toHaveLength(2);
});
