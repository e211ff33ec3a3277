/**
 * The text of PTX (NVIDIA's PTX ISA): the registers, instructions and labels of one kernel, and modules of
 * kernels. The text consists of names and numbers that are made here.
 */

/** The PTX version of all modules, which drivers from CUDA 11.4 on compile. */
export const PTX_VERSION = "7.4";
/** The oldest processors that run it: Turing. Drivers compile it for all newer ones. */
export const LEAST_CAPABILITY = 75;

/** Predicates, 32-bit words, floats, 64-bit addresses. */
export type Bank = "p" | "r" | "f" | "d";

const TYPES: Readonly<Record<Bank, string>> = { p: ".pred", r: ".b32", f: ".f32", d: ".b64" };

/** A kernel without a name, so that equal ones are one. */
export interface Entry {
  /** Parameters and body. */
  readonly code: string;
  /** Threads of a block. */
  readonly threads: number;
}

/** A kernel under construction. */
export class Body {
  private readonly lines: string[] = [];
  /** The loads of the parameters, before everything else. */
  private readonly loads: string[] = [];
  private readonly counts: Record<Bank, number> = { p: 0, r: 0, f: 0, d: 0 };
  private known = new Map<string, string>();
  private readonly variables = new Set<string>();
  private readonly parameters: string[] = [];
  private readonly shared: string[] = [];
  private labels = 0;

  /** A new register. */
  register(bank: Bank): string {
    return `%${bank}${this.counts[bank]++}`;
  }

  /** A register that may be written to several times. What is computed from it is never shared. */
  variable(bank: Bank): string {
    const register = this.register(bank);
    this.variables.add(register);
    return register;
  }

  emit(line: string): void {
    this.lines.push(line);
  }

  /** The result of an instruction in a new register. */
  fresh(bank: Bank, name: string, ...operands: readonly string[]): string {
    const register = this.register(bank);
    this.emit(`${name} ${[register, ...operands].join(", ")};`);
    return register;
  }

  /** As `fresh`; an instruction that was computed before on all ways here is not computed again. */
  value(bank: Bank, name: string, ...operands: readonly string[]): string {
    if (operands.some((operand) => this.variables.has(operand))) return this.fresh(bank, name, ...operands);
    const key = [name, ...operands].join(" ");
    let register = this.known.get(key);
    if (register === undefined) this.known.set(key, (register = this.fresh(bank, name, ...operands)));
    return register;
  }

  /** What is computed within is not known after it: a loop's body, or one of two ways. */
  scope(write: () => void): void {
    const before = new Map(this.known);
    write();
    this.known = before;
  }

  label(): string {
    return `$L${this.labels++}`;
  }

  /** Whether the bits are those of a float is for the reader to say. */
  float(bits: number): string {
    return this.value("f", "mov.f32", `0f${(bits >>> 0).toString(16).toUpperCase().padStart(8, "0")}`);
  }

  int(value: number): string {
    return this.value("r", "mov.b32", String(value | 0));
  }

  /** A parameter of the kernel, in the order of the calls: an address, or a word. */
  parameter(bank: "d" | "r"): string {
    const type = bank === "d" ? ".u64" : ".u32";
    const name = `p${this.parameters.length}`;
    const register = this.register(bank);
    this.parameters.push(`.param ${type} ${name}`);
    this.loads.push(`ld.param${type} ${register}, [${name}];`);
    return register;
  }

  /** Memory of the block, in words; gives its address. */
  sharedWords(count: number): string {
    const name = `s${this.shared.length}`;
    this.shared.push(`.shared .align 16 .b32 ${name}[${count}];`);
    return this.fresh("r", "mov.u32", name);
  }

  /**
   * @param threads of a block
   * @param blocks that a processor should hold at once: a limit of registers; default: none
   */
  finish(threads: number, blocks?: number): Entry {
    const registers = (Object.keys(TYPES) as Bank[])
      .filter((bank) => this.counts[bank] > 0)
      .map((bank) => `.reg ${TYPES[bank]} %${bank}<${this.counts[bank]}>;`);
    const code = [
      `(${this.parameters.join(", ")})`,
      `.maxntid ${threads}, 1, 1`,
      ...(blocks === undefined ? [] : [`.minnctapersm ${blocks}`]),
      "{",
      ...registers,
      ...this.shared,
      ...this.loads,
      ...this.lines,
      "ret;",
      "}",
    ].join("\n");
    return { code, threads };
  }
}

/** A module of these kernels, which are named `k0`, `k1`, … in their order. */
export function moduleText(entries: readonly Entry[]): string {
  const head = [`.version ${PTX_VERSION}`, `.target sm_${LEAST_CAPABILITY}`, ".address_size 64"];
  return [...head, ...entries.map(({ code }, i) => `.visible .entry k${i}${code}`), ""].join("\n");
}
