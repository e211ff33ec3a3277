/**
 * Instructions of PTX as JavaScript, by the definitions of the PTX ISA. Words are signed 32-bit numbers,
 * floats binary32 numbers, addresses whole numbers, predicates booleans. It knows no more than what the
 * backend may emit, and refuses everything else.
 */
import type { Entry, Instruction } from "./parse.ts";

type Emit = (to: string, ...from: string[]) => string;
const f32 =
  (expression: (...from: string[]) => string): Emit =>
  (to, ...from) =>
    `${to} = fround(${expression(...from)})`;
const set =
  (expression: (...from: string[]) => string): Emit =>
  (to, ...from) =>
    `${to} = ${expression(...from)}`;
const unsigned = (x: string): string => `(${x} >>> 0)`;

/** Each instruction that may stand in a kernel, but for branches, barriers, votes and memory. */
export const PURE: Readonly<Record<string, Emit>> = {
  "add.rn.f32": f32((a, b) => `${a} + ${b}`),
  "sub.rn.f32": f32((a, b) => `${a} - ${b}`),
  "mul.rn.f32": f32((a, b) => `${a} * ${b}`),
  "div.rn.f32": f32((a, b) => `${a} / ${b}`),
  "sqrt.rn.f32": f32((a) => `Math.sqrt(${a})`),
  "abs.f32": set((a) => `Math.abs(${a})`),
  // Of NaN and a number: the number.
  "min.f32": set((a, b) => `least(${a}, ${b})`),
  "max.f32": set((a, b) => `most(${a}, ${b})`),
  "cvt.rmi.f32.f32": set((a) => `Math.floor(${a})`),
  "cvt.rn.f32.s32": f32((a) => a),
  "cvt.rn.f32.u32": f32(unsigned),
  "cvt.rzi.s32.f32": set((a) => `Math.trunc(Math.max(-2147483648, Math.min(2147483647, ${a} || 0))) | 0`),
  "cvt.rzi.u32.f32": set((a) => `Math.trunc(Math.max(0, Math.min(4294967295, ${a} || 0))) | 0`),
  "setp.eq.f32": set((a, b) => `${a} === ${b}`),
  "setp.lt.f32": set((a, b) => `${a} < ${b}`),
  "setp.ge.f32": set((a, b) => `${a} >= ${b}`),
  "setp.le.f32": set((a, b) => `${a} <= ${b}`),
  "selp.f32": set((a, b, p) => `${p} ? ${a} : ${b}`),
  "mov.f32": set((a) => a),
  "mov.b32": set((a) => a),
  "mov.u32": set((a) => a),
  "add.s32": set((a, b) => `(${a} + ${b}) | 0`),
  "sub.s32": set((a, b) => `(${a} - ${b}) | 0`),
  "mul.lo.s32": set((a, b) => `Math.imul(${a}, ${b})`),
  "div.u32": set((a, b) => `(${unsigned(a)} / ${unsigned(b)}) | 0`),
  "rem.u32": set((a, b) => `(${unsigned(a)} % ${unsigned(b)}) | 0`),
  "min.s32": set((a, b) => `Math.min(${a}, ${b})`),
  "max.s32": set((a, b) => `Math.max(${a}, ${b})`),
  "min.u32": set((a, b) => `Math.min(${unsigned(a)}, ${unsigned(b)}) | 0`),
  "max.u32": set((a, b) => `Math.max(${unsigned(a)}, ${unsigned(b)}) | 0`),
  "and.b32": set((a, b) => `${a} & ${b}`),
  "or.b32": set((a, b) => `${a} | ${b}`),
  "xor.b32": set((a, b) => `${a} ^ ${b}`),
  // Counts above 31 are 32.
  "shl.b32": set((a, b) => `${unsigned(b)} > 31 ? 0 : ${a} << ${b}`),
  "shr.u32": set((a, b) => `${unsigned(b)} > 31 ? 0 : (${a} >>> ${b}) | 0`),
  "shr.s32": set((a, b) => `${a} >> (${unsigned(b)} > 31 ? 31 : ${b})`),
  // The upper half of b:a, shifted to the left; and the lower half, to the right. Counts are modulo 32.
  "shf.l.wrap.b32": set((a, b, c) => `(${c} & 31) === 0 ? ${b} : (${b} << ${c}) | (${a} >>> (32 - (${c} & 31)))`),
  "shf.r.wrap.b32": set((a, b, c) => `(${c} & 31) === 0 ? ${a} : (${a} >>> ${c}) | (${b} << (32 - (${c} & 31)))`),
  "lop3.b32": set((a, b, c, table) => `lop3(${a}, ${b}, ${c}, ${table})`),
  "prmt.b32": set((a, b, control) => `permuted(${a}, ${b}, ${control})`),
  "clz.b32": set((a) => `Math.clz32(${a})`),
  "brev.b32": set((a) => `reversed(${a})`),
  "selp.b32": set((a, b, p) => `${p} ? ${a} : ${b}`),
  "setp.eq.s32": set((a, b) => `${a} === ${b}`),
  "setp.ne.s32": set((a, b) => `${a} !== ${b}`),
  "setp.lt.s32": set((a, b) => `${a} < ${b}`),
  "setp.ge.s32": set((a, b) => `${a} >= ${b}`),
  "setp.lt.u32": set((a, b) => `${unsigned(a)} < ${unsigned(b)}`),
  "setp.gt.u32": set((a, b) => `${unsigned(a)} > ${unsigned(b)}`),
  "setp.ge.u32": set((a, b) => `${unsigned(a)} >= ${unsigned(b)}`),
  "and.pred": set((a, b) => `${a} && ${b}`),
  "or.pred": set((a, b) => `${a} || ${b}`),
  "not.pred": set((a) => `!${a}`),
  "mul.wide.u32": set((a, b) => `${unsigned(a)} * ${unsigned(b)}`),
  "add.s64": set((a, b) => `${a} + ${b}`),
};

/** Memory, branches, barriers and votes. */
export const OTHERS: ReadonlySet<string> = new Set([
  ..."ld.param.u32 ld.param.u64 ld.global.b32 ld.global.b64 ld.global.v4.b32 ld.global.nc.b32".split(" "),
  ..."ld.global.nc.v4.b32 st.global.b32 st.global.v4.b32 ld.shared.b32 ld.shared.v4.b32 st.shared.b32".split(" "),
  ..."red.global.or.b32 red.global.add.u32 vote.sync.ballot.b32 bar.sync bra ret".split(" "),
]);

const SPECIAL: Readonly<Record<string, string>> = { "%tid.x": "tid", "%ctaid.x": "ctaid" };

export class Translator {
  private readonly entry: Entry;
  private readonly shared = new Map<string, number>();
  /** The words of shared memory. */
  readonly sharedWords: number;
  /** Whether threads wait for each other. */
  readonly waits: boolean;

  constructor(entry: Entry) {
    this.entry = entry;
    let words = 0;
    for (const { name, words: own } of entry.shared) {
      this.shared.set(name, 4 * words);
      words += 4 * Math.ceil(own / 4);
    }
    this.sharedWords = words;
    this.waits = entry.instructions.some(({ name }) => name === "bar.sync" || name.startsWith("vote."));
  }

  /** The body of a function of `tid`, `ctaid`, `P` (parameters), `M` and `S` (memory), and helpers. */
  source(): string {
    const { entry } = this;
    const blocks = new Map([...entry.labels].map(([, at], i) => [at, i + 1]));
    const starts: Readonly<Record<string, string>> = { p: "false", r: "0", f: "0", d: "0" };
    const registers = Object.entries(entry.registers).flatMap(([bank, count]) =>
      Array.from({ length: count }, (_, i) => `${bank}${i} = ${starts[bank]}`),
    );
    const lines = entry.instructions.flatMap((instruction, i) => {
      const block = blocks.get(i);
      return [...(block === undefined ? [] : [`case ${block}:`]), this.instruction(instruction, blocks)];
    });
    const end = blocks.get(entry.instructions.length);
    if (end !== undefined) lines.push(`case ${end}:`);
    return [
      registers.length > 0 ? `let ${registers.join(", ")};` : "",
      "let pc = 0;",
      "for (;;) switch (pc) { case 0:",
      ...lines,
      "return; }",
    ].join("\n");
  }

  private instruction(given: Instruction, blocks: ReadonlyMap<number, number>): string {
    const statement = this.statement(given, blocks);
    if (given.guard === undefined) return `${statement};`;
    const guard = given.guard.startsWith("!") ? `!${given.guard.slice(2)}` : given.guard.slice(1);
    return `if (${guard}) { ${statement}; }`;
  }

  private statement({ name, operands }: Instruction, blocks: ReadonlyMap<number, number>): string {
    const [to = "", ...from] = operands;
    if (name === "ret") return "return";
    if (name === "bra") return `pc = ${blocks.get(this.entry.labels.get(to)!)!}; continue`;
    if (name === "bar.sync") return "yield 0";
    if (name === "vote.sync.ballot.b32") return `${this.operand(to)} = yield ${this.operand(from[0])} ? 2 : 1`;
    if (name.startsWith("ld.param.")) {
      const number = this.entry.parameters.findIndex((parameter) => `[${parameter.name}]` === from[0]);
      return `${this.operand(to)} = P[${number}]${name.endsWith("u32") ? " | 0" : ""}`;
    }
    if (name.startsWith("ld.") || name.startsWith("st.") || name.startsWith("red.")) return this.memory(name, to, from);
    const emit = PURE[name];
    if (!emit) throw new Error(`no instruction that this interpreter knows: ${name}`);
    if (name === "mov.b32" && bankOf(to) !== bankOf(from[0]) && isRegister(from[0])) {
      const value = this.operand(from[0]);
      return bankOf(to) === "f" ? `${this.operand(to)} = fromBits(${value})` : `${this.operand(to)} = bitsOf(${value})`;
    }
    return emit(this.operand(to), ...from.map((operand) => this.operand(operand)));
  }

  private memory(name: string, to: string, from: readonly string[]): string {
    if (!OTHERS.has(name)) throw new Error(`no instruction that this interpreter knows: ${name}`);
    const isLoad = name.startsWith("ld.");
    const [registers, place] = isLoad ? [to, from[0]] : [from[0], to];
    const own = /^\{(.*)\}$/
      .exec(registers)?.[1]
      .split(",")
      .map((register) => register.trim()) ?? [registers];
    const [, base, offset = "0"] = /^\[(%?\w+)(?:\+(\d+))?\]$/.exec(place) ?? [];
    if (base === undefined) throw new Error(`no address: ${place}`);
    const address = `${this.operand(base)} + ${offset}`;
    const isShared = name.includes(".shared.");
    const memory = isShared ? "S" : "M";
    const of = (register: string, i: number): string =>
      `${memory}.${bankOf(register) === "f" ? "floats" : "words"}[at + ${i}]`;
    if (name === "red.global.or.b32") return `M.words[M.changing(${address})] |= ${this.operand(own[0])}`;
    if (name === "red.global.add.u32") return `M.words[M.changing(${address})] += ${this.operand(own[0])}`;
    if (name === "ld.global.b64")
      return `{ const at = M.reading(${address}, 2, true); ${this.operand(own[0])} = (M.words[at] >>> 0) + 4294967296 * (M.words[at + 1] >>> 0); }`;
    const rest = isShared ? "tid" : String(name.includes(".nc."));
    const at = isLoad
      ? `${memory}.reading(${address}, ${own.length}, ${rest})`
      : `${memory}.writing(${address}, ${own.length}${isShared ? ", tid" : ""})`;
    const moves = own.map((register, i) =>
      isLoad ? `${this.operand(register)} = ${of(register, i)};` : `${of(register, i)} = ${this.operand(register)};`,
    );
    return `{ const at = ${at}; ${moves.join(" ")} }`;
  }

  private operand(text: string): string {
    if (SPECIAL[text] !== undefined) return SPECIAL[text];
    if (/^%[prfd]\d+$/.test(text)) return text.slice(1);
    if (this.shared.has(text)) return String(this.shared.get(text));
    const float = /^0f([0-9A-F]{8})$/.exec(text);
    if (float) return `fromBits(${Number.parseInt(float[1], 16) | 0})`;
    if (/^-?\d+$/.test(text)) return `(${Number(text) > 0x7fffffff ? Number(text) | 0 : Number(text)})`;
    throw new Error(`no operand: ${text}`);
  }
}

const isRegister = (text: string): boolean => /^%[prfd]\d+$/.test(text);
const bankOf = (text: string): string => (isRegister(text) ? text[1] : "");
