/** Reads the text of PTX modules: what stands in them, whoever has written them. */

export interface Instruction {
  /** A predicate: `%p3`, or `!%p3`. */
  guard?: string;
  /** With all suffixes: `add.rn.f32`. */
  name: string;
  /** As they stand there; the elements of a vector in braces. */
  operands: readonly string[];
  line: number;
}

/** A kernel. */
export interface Entry {
  name: string;
  parameters: readonly { type: ".u32" | ".u64"; name: string }[];
  threads: number;
  shared: readonly { name: string; words: number }[];
  registers: Readonly<Record<string, number>>;
  instructions: readonly Instruction[];
  /** The number of the instruction at each label. */
  labels: ReadonlyMap<string, number>;
}

export interface Module {
  version: string;
  target: string;
  entries: readonly Entry[];
}

/** Commas between operands, not those within braces. */
const operandsOf = (text: string): string[] =>
  (text.match(/\{[^}]*\}|\[[^\]]*\]|[^,{}[\]\s][^,]*/g) ?? []).map((operand) => operand.trim());

const first = (pattern: RegExp, text: string): string => {
  const match = pattern.exec(text);
  if (!match) throw new Error(`PTX without ${pattern}: ${text.slice(0, 80)}`);
  return match[1];
};

export function parseModule(text: string): Module {
  const version = first(/^\.version (\S+)$/m, text);
  const target = first(/^\.target (\S+)$/m, text);
  const parts = text.split(".visible .entry ").slice(1);
  return { version, target, entries: parts.map(parseEntry) };
}

function parseEntry(text: string): Entry {
  const [, name, given, threads, body] =
    /^(\w+)\(([^)]*)\)\n\.maxntid (\d+), 1, 1\n(?:\.minnctapersm \d+\n)?\{\n([\s\S]*)\}\n*$/.exec(text) ?? [];
  if (body === undefined) throw new Error(`no entry: ${text.slice(0, 200)}`);
  const parameters = operandsOf(given).map((parameter) => {
    const [, type, own] = /^\.param (\.u32|\.u64) (\w+)$/.exec(parameter) ?? [];
    if (own === undefined) throw new Error(`no parameter: ${parameter}`);
    return { type: type as ".u32" | ".u64", name: own };
  });
  const shared: { name: string; words: number }[] = [];
  const registers: Record<string, number> = {};
  const instructions: Instruction[] = [];
  const labels = new Map<string, number>();
  for (const [line, source] of body.trimEnd().split("\n").entries()) {
    const register = /^\.reg \.\w+ %(\w)<(\d+)>;$/.exec(source);
    const memory = /^\.shared \.align 16 \.b32 (\w+)\[(\d+)\];$/.exec(source);
    const label = /^(\$L\d+):$/.exec(source);
    const instruction = /^(?:@(!?%p\d+) )?([a-z][\w.]*)(?: ([^;]*))?;$/.exec(source);
    if (register) registers[register[1]] = Number(register[2]);
    else if (memory) shared.push({ name: memory[1], words: Number(memory[2]) });
    else if (label) labels.set(label[1], instructions.length);
    else if (instruction) {
      const [, guard, own, rest = ""] = instruction;
      instructions.push({ ...(guard !== undefined && { guard }), name: own, operands: operandsOf(rest), line });
    } else throw new Error(`no instruction: ${source}`);
  }
  return { name, parameters, threads: Number(threads), shared, registers, instructions, labels };
}
