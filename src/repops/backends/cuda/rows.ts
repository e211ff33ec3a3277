/** Rows by their numbers, as PTX: gathers, and scatter-adds in the order of the definition. */
import { elementCount } from "../../../encoding/tensor.ts";
import { type GatherKernel, type KernelList, typeOf } from "../../kernels/kernel.ts";
import type { ScatterForm } from "../../schedule/scatter-form.ts";
import type { Step } from "../../schedule/schedule.ts";
import { Draft, elementsOf, type Launch } from "./launch.ts";
import { mapsAfter, store } from "./loops.ts";
import { addressOf, Seen } from "./places.ts";
import type { Known } from "./programs.ts";
import type { Body } from "./ptx.ts";

const BLOCK = 128;
/** Threads that execute together, and vote. */
const WARP = 32;
const ALL = String(-1);
/** Columns of a row that a thread of a scatter-add has. */
const COLUMNS = 4;

/** A gather: a thread for each element, or for four of a row. Indices outside of the source are counted. */
export function gatherLaunch(list: KernelList, kernel: GatherKernel, index: number): Launch {
  const draft = new Draft(list);
  const { body } = draft;
  const source = typeOf(list, kernel.source).shape;
  const row = elementCount(source.slice(1));
  const width = row % 4 === 0 ? 4 : 1;
  const elements = elementsOf(list, index);
  const thread = draft.thread(BLOCK, elements / width);
  const element = width === 1 ? thread : body.value("r", "shl.b32", thread, "2");
  const number = body.value("r", "div.u32", element, String(row));
  const place = body.value("r", "rem.u32", element, String(row));
  const chosenAt = addressOf(body, draft.tensor(kernel.index), number);
  const chosen = body.value("r", "ld.global.nc.b32", `[${chosenAt}]`);
  // A negative number is a large one here.
  const inside = body.value("p", "setp.lt.u32", chosen, String(source[0]));
  const from = body.value("r", "add.s32", body.value("r", "mul.lo.s32", chosen, String(row)), place);
  const address = addressOf(body, draft.tensor(kernel.source), from);
  const values = Array.from({ length: width }, () => body.register("r"));
  for (const value of values) body.emit(`mov.b32 ${value}, ${body.int(kernel.fill)};`);
  const [kind, operand] = width === 1 ? ["b32", values[0]] : ["v4.b32", `{${values.join(", ")}}`];
  body.emit(`@${inside} ld.global.nc.${kind} ${operand}, [${address}];`);
  body.emit(`st.global.${kind} [${addressOf(body, draft.tensor(draft.outputOf(index)), element)}], ${operand};`);
  const isFirst = body.value("p", "setp.eq.s32", place, "0");
  const isCounted = body.value("p", "and.pred", isFirst, body.value("p", "not.pred", inside));
  body.emit(`@${isCounted} red.global.add.u32 [${draft.counter(index)!}], 1;`);
  return draft.launch(BLOCK, elements / width);
}

/**
 * A scatter-add, and the maps after it: 32 threads for each row of the table. They look for the row's number
 * in the index, 32 places at a time, and add what stands there in order. Adding 0 for all other places, as
 * the definition does, would change no sum. What a clamp range changes is noted once for each row of x, by
 * the table's row whose number is that of x's, modulo the number of rows.
 */
export function scatterLaunch(list: KernelList, step: Step, form: ScatterForm): Launch {
  const draft = new Draft(list);
  const { body } = draft;
  const [index] = step.kernels;
  const { rows, inner, count } = form;
  const groups = Math.ceil(inner / (WARP * COLUMNS));
  const thread = draft.thread(BLOCK, rows * groups * WARP);
  const warp = body.value("r", "shr.u32", thread, "5");
  const lane = body.value("r", "and.b32", thread, String(WARP - 1));
  const row = body.value("r", "div.u32", warp, String(groups));
  const group = body.value("r", "rem.u32", warp, String(groups));
  const firstColumn = body.value("r", "add.s32", body.value("r", "mul.lo.s32", group, String(WARP * COLUMNS)), lane);
  const columns = Array.from({ length: COLUMNS }, (_, i) => body.value("r", "add.s32", firstColumn, String(WARP * i)));
  const guards = columns.map((column) => body.value("p", "setp.lt.u32", column, String(inner)));
  const sums = columns.map(() => body.variable("f"));
  for (const sum of sums) body.emit(`mov.b32 ${sum}, ${body.float(0)};`);
  const seen = new Seen(body, [form.x.clampRange]);
  const from = body.variable("r");
  body.emit(`mov.b32 ${from}, 0;`);
  const again = body.label();
  body.emit(`${again}:`);
  body.scope(() => {
    const first = body.fresh("r", "mov.b32", from);
    const { wanted, matching } = votes(draft, form, { row, lane, first });
    eachBit(body, wanted, (bit) => {
      const place = body.value("r", "add.s32", first, bit);
      const isMine = body.value(
        "p",
        "setp.ne.s32",
        body.value("r", "and.b32", body.value("r", "shr.u32", matching, bit), "1"),
        "0",
      );
      const start = body.value("r", "mul.lo.s32", place, String(form.stride));
      const base = body.value("r", "add.s32", start, String(form.x.view.offset));
      const words = columns.map((column, i) => {
        const word = body.fresh("r", "mov.b32", "0");
        const address = addressOf(body, draft.tensor(form.x.tensor), body.value("r", "add.s32", base, column));
        body.emit(`@${guards[i]} ld.global.nc.b32 ${word}, [${address}];`);
        return word;
      });
      words.forEach((word, i) => {
        const x = seen.ranged(word, form.x.clampRange);
        body.emit(`@${isMine} add.rn.f32 ${sums[i]}, ${sums[i]}, ${x};`);
      });
    });
    body.emit(`add.s32 ${from}, ${from}, ${WARP};`);
    body.emit(`@${body.fresh("p", "setp.lt.u32", from, String(count))} bra ${again};`);
  });
  const counter = draft.counter(index);
  if (counter !== undefined) seen.tell(counter);
  const rowStart = body.value("r", "mul.lo.s32", row, String(inner));
  columns.forEach((column, i) => {
    const own = [body.value("r", "add.s32", rowStart, column)];
    const end = body.label();
    body.emit(`@${body.value("p", "not.pred", guards[i])} bra ${end};`);
    body.scope(() => {
      const known = new Map<number, Known>([[draft.outputOf(index), { values: [sums[i]], range: undefined }]]);
      store(draft, step, index, own, known);
      mapsAfter(draft, list, step, own, known);
    });
    body.emit(`${end}:`);
  });
  return draft.launch(BLOCK, rows * groups * WARP);
}

/** Of the 32 places from `first` on: those that this row looks at, and those of its number. */
function votes(
  draft: Draft,
  { index, count, rows }: ScatterForm,
  { row, lane, first }: { row: string; lane: string; first: string },
): { wanted: string; matching: string } {
  const { body } = draft;
  const place = body.value("r", "add.s32", first, lane);
  const isThere = body.value("p", "setp.lt.u32", place, String(count));
  const at = body.value("r", "add.s32", place, String(index.view.offset));
  const number = body.fresh("r", "mov.b32", ALL);
  body.emit(`@${isThere} ld.global.nc.b32 ${number}, [${addressOf(body, draft.tensor(index.tensor), at)}];`);
  const isMine = body.value("p", "setp.eq.s32", number, row);
  const isNoted = body.value("p", "setp.eq.s32", body.value("r", "rem.u32", place, String(rows)), row);
  const isWanted = body.value("p", "or.pred", isMine, body.value("p", "and.pred", isNoted, isThere));
  const vote = (predicate: string): string => body.fresh("r", "vote.sync.ballot.b32", predicate, ALL);
  return { wanted: vote(isWanted), matching: vote(isMine) };
}

/** Writes a loop over the bits of a word that are set, from the lowest on. */
function eachBit(body: Body, word: string, write: (bit: string) => void): void {
  const rest = body.variable("r");
  body.emit(`mov.b32 ${rest}, ${word};`);
  const [again, end] = [body.label(), body.label()];
  body.emit(`${again}:`);
  body.scope(() => {
    const bits = body.fresh("r", "mov.b32", rest);
    body.emit(`@${body.fresh("p", "setp.eq.s32", bits, "0")} bra ${end};`);
    write(body.value("r", "clz.b32", body.value("r", "brev.b32", bits)));
    body.emit(`and.b32 ${rest}, ${bits}, ${body.value("r", "add.s32", bits, "-1")};`);
    body.emit(`bra ${again};`);
  });
  body.emit(`${end}:`);
}
