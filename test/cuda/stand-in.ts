/**
 * The stand-in for NVIDIA's driver (stand-in.c), compiled for this machine, with the interpreter as its
 * processor. Import it before a session is opened.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { type Kernel, loadModule } from "./interpreter.ts";
import { DeviceMemory } from "./memory.ts";

const SOURCE = fileURLToPath(new URL("stand-in.c", import.meta.url));
/** What the driver says of a text that its compiler refuses, and of a kernel that fails. */
const [INVALID_PTX, LAUNCH_FAILED] = [218, 719];
const INITIAL = { version: 12_040, devices: 1, major: 9, minor: 0, room: 2 ** 27 };

/** The machine that the driver describes. */
export type Machine = typeof INITIAL;

export interface StandIn {
  /** The path of the library. */
  library: string;
  machine(changes?: Partial<Machine>): void;
  /** In which order streams go on. */
  seed(seed: number): void;
  /** The call of this name that comes `after` others fails. */
  fail(name: string, code: number, after?: number): void;
  calls(name: string): number;
  /** Changes the text of what is compiled from now on; without an argument nothing is changed any more. */
  rewrite(change?: (text: string) => string): void;
  /** What has not been freed. */
  alive(): { bytes: number; events: number; graphs: number };
  /** The faults of kernels. */
  readonly faults: Error[];
}

/** Where there is no C compiler, a line is printed. */
export function standIn(): StandIn | undefined {
  const library = join(mkdtempSync(join(tmpdir(), "verde-cuda-")), "libcuda.so.1");
  try {
    execFileSync("cc", ["-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-o", library, SOURCE]);
  } catch {
    console.log("skipped: there is no C compiler for the driver's stand-in");
    return undefined;
  }
  process.env.VERDE_LIBCUDA = library;
  return open(library);
}

/** Loads a stand-in that was compiled before. */
export function open(library: string): StandIn {
  const object = koffi.load(library);
  const call = (name: string, result: string, ...types: string[]) =>
    object.func(name, result, types) as (...values: (number | string | bigint)[]) => number;
  const base = call("standin_base", "int64_t")();
  const memory = new DeviceMemory(koffi.view(BigInt(base), call("standin_bytes", "int64_t")()), base);
  const modules = new Map<number, Map<string, Kernel>>();
  const faults: Error[] = [];
  const guarded = (code: number, run: () => void): number => {
    try {
      run();
      return 0;
    } catch (error) {
      faults.push(error as Error);
      return code;
    }
  };
  const [moduleOf, numberOf] = ["standin_module", "standin_number"].map((name) => call(name, "int64_t", "int64_t"));
  let change: ((text: string) => string) | undefined;
  const load = (module: number, text: string): number =>
    guarded(INVALID_PTX, () => void modules.set(module, loadModule(change?.(text) ?? text)));
  const run = (code: number, blocks: number, threads: number, values: number): number =>
    guarded(LAUNCH_FAILED, () => {
      const kernel = modules.get(moduleOf(code))!.get(`k${numberOf(code)}`)!;
      const { parameters } = kernel.entry;
      const words = new BigUint64Array(koffi.view(BigInt(values), 8 * parameters.length));
      kernel.launch(blocks, threads, Array.from(words, Number), memory);
    });
  const mark = (address: number, bytes: number, valid: number): void => memory.mark(address, bytes, valid === 1);
  const parameters = (module: number, name: string): bigint => {
    const found = modules.get(module)?.get(name)?.entry.parameters;
    if (!found) return -1n;
    const wide = found.reduce((bits, { type }, i) => (type === ".u64" ? bits | (1n << BigInt(i)) : bits), 0n);
    return BigInt(found.length) | (wide << 8n);
  };
  const prototype = (text: string) => koffi.pointer(koffi.proto(text));
  const registered = [
    koffi.register(load, prototype("int64_t StandInLoad(int64_t, const char *)")),
    koffi.register(run, prototype("int64_t StandInRun(int64_t, int64_t, int64_t, int64_t)")),
    koffi.register(mark, prototype("void StandInMark(int64_t, int64_t, int64_t)")),
    koffi.register(parameters, prototype("int64_t StandInParameters(int64_t, const char *)")),
  ];
  call("standin_register", "void", ...registered.map(() => "void *"))(...registered);
  const setMachine = call("standin_machine", "void", "int", "int", "int", "int", "int64_t");
  const [seed, alive] = [call("standin_seed", "void", "uint32_t"), call("standin_alive", "int64_t", "int")];
  const [fail, calls] = [call("standin_fail", "void", "str", "int", "int"), call("standin_calls", "int", "str")];
  return {
    library,
    machine: (changes = {}) => {
      const { version, devices, major, minor, room } = { ...INITIAL, ...changes };
      setMachine(version, devices, major, minor, room);
    },
    seed: (value) => void seed(value),
    fail: (name, code, after = 0) => void fail(name, after, code),
    calls: (name) => calls(name),
    rewrite: (other) => void (change = other),
    alive: () => ({ bytes: alive(0), events: alive(1), graphs: alive(2) }),
    faults,
  };
}
