/**
 * Builds a WebAssembly module: functions over one imported memory, structured control flow, binary encoding.
 */
import { type Code, concat, i32, unsigned, ValueType } from "./opcodes.ts";

/** A local variable; as an expression it reads the variable. */
export type Local = Code & { readonly index: number };

const local = (index: number): Local => Object.assign([0x20, ...unsigned(index)], { index });

/** Of an imported memory: any size; a shared one needs a maximum. */
const LIMITS = [0, 0];
const SHARED_LIMITS = [3, 0, ...unsigned(65_536)];

const EMPTY_BLOCK = 0x40;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const CALL = 0x10;
const SET = 0x21;

export class FunctionBuilder {
  readonly index: number;
  readonly name: string | undefined;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  private readonly locals: ValueType[] = [];
  private readonly code: number[] = [];

  constructor(
    index: number,
    name: string | undefined,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ) {
    this.index = index;
    this.name = name;
    this.parameters = parameters;
    this.results = results;
  }

  parameter(index: number): Local {
    return local(index);
  }

  /** A new local, set to `value` at this point when one is given (locals start at 0 otherwise). */
  local(type: ValueType, value?: Code): Local {
    const made = local(this.parameters.length + this.locals.push(type) - 1);
    if (value) this.set(made, value);
    return made;
  }

  emit(code: Code): this {
    for (const byte of code) this.code.push(byte);
    return this;
  }

  set(target: Local, value: Code): this {
    return this.emit(value).emit([SET, ...unsigned(target.index)]);
  }

  /** target += bytes */
  increment(target: Local, by: number | Code): this {
    return this.set(target, i32.add(target, typeof by === "number" ? i32.const(by) : by));
  }

  if(condition: Code, then: () => void, otherwise?: () => void): this {
    this.emit(condition).emit([IF, EMPTY_BLOCK]);
    then();
    if (otherwise) {
      this.emit([ELSE]);
      otherwise();
    }
    return this.emit([END]);
  }

  while(condition: Code, body: () => void): this {
    this.emit([BLOCK, EMPTY_BLOCK, LOOP, EMPTY_BLOCK]).emit(i32.eqz(condition)).emit([BRANCH_IF, 1]);
    body();
    return this.emit([BRANCH, 0, END, END]);
  }

  /** Runs the body at least once, and repeats it while the condition holds: one branch in each iteration. */
  doWhile(body: () => void, condition: Code): this {
    this.emit([LOOP, EMPTY_BLOCK]);
    body();
    return this.emit(condition).emit([BRANCH_IF, 0, END]);
  }

  call(target: FunctionBuilder, ...args: Code[]): Code {
    return concat(...args, [CALL, ...unsigned(target.index)]);
  }

  /** The function's entry in the code section. */
  encode(): number[] {
    const groups: { count: number; type: ValueType }[] = [];
    for (const type of this.locals) {
      const last = groups[groups.length - 1];
      if (last?.type === type) last.count++;
      else groups.push({ count: 1, type });
    }
    const declared = vector(groups.map(({ count, type }) => [...unsigned(count), type]));
    const body = concat(declared, this.code, [END]);
    return concat(unsigned(body.length), body);
  }
}

export class ModuleBuilder {
  private readonly functions: FunctionBuilder[] = [];

  /** Adds a function; with a name it is exported. */
  function(
    name: string | undefined,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    build: (f: FunctionBuilder, ...parameters: Local[]) => void,
  ): FunctionBuilder {
    const f = new FunctionBuilder(this.functions.length, name, parameters, results);
    this.functions.push(f);
    build(f, ...parameters.map((_, i) => f.parameter(i)));
    return f;
  }

  /**
   * A function that takes an address and is not added to the module. It is used to find out what code needs.
   */
  scratch(): FunctionBuilder {
    return new FunctionBuilder(-1, undefined, [ValueType.i32], []);
  }

  /**
   * The module's bytes. The module imports its memory as `env.memory`.
   * @param shared whether that is a memory that several threads share
   */
  encode(shared = false): Uint8Array<ArrayBuffer> {
    const types: string[] = [];
    const typeOf = this.functions.map(({ parameters, results }) => {
      const type = [0x60, ...vector(parameters.map((p) => [p])), ...vector(results.map((r) => [r]))].join();
      const known = types.indexOf(type);
      return known >= 0 ? known : types.push(type) - 1;
    });
    const exported = this.functions.filter((f) => f.name !== undefined);
    return Uint8Array.from(
      concat(
        [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        section(1, vector(types.map((type) => type.split(",").map(Number)))),
        section(2, vector([concat(text("env"), text("memory"), [2], shared ? SHARED_LIMITS : LIMITS)])),
        section(3, vector(typeOf.map((type) => unsigned(type)))),
        section(7, vector(exported.map((f) => concat(text(f.name!), [0, ...unsigned(f.index)])))),
        section(10, vector(this.functions.map((f) => f.encode()))),
      ),
    );
  }
}

function section(id: number, content: Code): number[] {
  return concat([id], unsigned(content.length), content);
}

function vector(items: readonly Code[]): number[] {
  return concat(unsigned(items.length), ...items);
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return concat(unsigned(bytes.length), bytes);
}
