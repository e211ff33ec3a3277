/** The machine's own C compiler: where it is, what it says of itself, and how it is called. Only in Node. */
import { toHex } from "../../../encoding/bytes.ts";
import { sha256 } from "../../../encoding/hash.ts";
import { childProcess, fs, os, path } from "../../../encoding/node.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";

/** No fused operations, no other order, and C without undefined overflow decide the bits. */
const FLAGS = [
  "-std=gnu11",
  "-shared",
  "-fPIC",
  "-fvisibility=hidden",
  "-ffp-contract=off",
  "-fno-fast-math",
  "-fno-math-errno",
  "-fno-strict-aliasing",
  "-fwrapv",
  "-fno-strict-overflow",
  // The code has vectors; what a compiler makes of the addresses between them is slower.
  "-fno-tree-vectorize",
  "-fno-tree-slp-vectorize",
  "-w",
];
/** How a compiler is told to use all that this processor has; the first that it accepts. */
const TARGETS = [["-march=native"], ["-mcpu=native"], []];
/** A compiler may crash on code that it compiles with fewer optimizations. */
const LEVELS = ["-O2", "-O1", "-O0"];
const NAMES = ["cc", "gcc", "clang"];

/** A choice of the compiler and of its flags, for tests; default: what the machine has. */
export interface CompilerOptions {
  /** A name or a path; default: `VERDE_CC`, or the first of cc, gcc and clang. */
  command?: string;
  /** Further flags, after the others. */
  flags?: readonly string[];
}

export interface Compiler {
  /** The absolute path. */
  command: string;
  /** Its first line about itself. */
  version: string;
  flags: readonly string[];
  /** The digest of everything that it predefines for this processor. */
  target: string;
  /** The floats of a vector, as core/vector.h has it. */
  lanes: number;
  /** Equal for equal compilers, flags and processors. */
  identity: string;
}

/** The result of a program. `status` is absent where it could not be started or was ended by a signal. */
interface Finished {
  status?: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: readonly string[]): Promise<Finished> {
  const spawn = () => childProcess.spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let child: ReturnType<typeof spawn>;
  try {
    child = spawn();
  } catch (error) {
    // Node's permissions can forbid programs.
    return Promise.resolve({ stdout: "", stderr: messageOf(error) });
  }
  return new Promise((resolve) => {
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", ({ message }) => resolve({ stdout, stderr: message }));
    child.on("close", (status) => resolve({ ...(status !== null && { status }), stdout, stderr }));
  });
}

/** The path of a program in one of the folders of `PATH`. */
async function locate(name: string): Promise<string | undefined> {
  if (/[/\\]/.test(name)) return path.resolve(name);
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder, name);
    const there = await fs.access(file, fs.constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== "" && there) return file;
  }
  return undefined;
}

const found = new Map<string, Promise<Compiler>>();

/**
 * Finds the compiler once for a process.
 * @throws {BackendError} when there is none; the message says what to install
 */
export function findCompiler({ command, flags = [] }: CompilerOptions = {}): Promise<Compiler> {
  const named = command ?? (process.env.VERDE_CC || undefined);
  const key = JSON.stringify([named, process.env.PATH, flags]);
  let compiler = found.get(key);
  if (!compiler) {
    compiler = identify(named, flags);
    found.set(key, compiler);
    // A compiler may be installed while this process runs.
    compiler.catch(() => found.delete(key));
  }
  return compiler;
}

async function identify(named: string | undefined, more: readonly string[]): Promise<Compiler> {
  for (const name of named === undefined ? NAMES : [named]) {
    const command = await locate(name);
    if (command === undefined) continue;
    const { status, stdout: text } = await run(command, ["--version"]);
    if (status !== 0) continue;
    for (const target of TARGETS) {
      const flags = [...FLAGS, ...target, ...more];
      const macros = await run(command, [...flags, "-dM", "-E", "-x", "c", os.devNull]);
      if (macros.status !== 0) continue;
      const digest = digestOf(macros.stdout);
      const identity = digestOf(JSON.stringify([command, text, flags, digest, os.arch(), os.cpus()[0]?.model]));
      const lanes = lanesOf(macros.stdout);
      return { command, version: text.split("\n", 1)[0], flags, target: digest.slice(0, 18), lanes, identity };
    }
  }
  const looked = named === undefined ? `${NAMES.join(", ")} are not in PATH` : `${named} can't be run`;
  throw new BackendError(
    "COMPILER_MISSING",
    `the native backend needs a C compiler, and ${looked}: install gcc or clang ` +
      "(Debian: `apt-get install gcc libc6-dev`; macOS: `xcode-select --install`), or name one in VERDE_CC; wasm needs none",
    { tried: named ?? NAMES },
  );
}

/** @param macros what the compiler predefines */
function lanesOf(macros: string): number {
  const has = (name: string): boolean => macros.includes(`#define ${name} `);
  return has("__AVX512F__") ? 16 : has("__AVX2__") ? 8 : 4;
}

const digestOf = (text: string): string => toHex(sha256(new TextEncoder().encode(text)));

/**
 * Compiles a file to a shared object.
 * @throws {BackendError} with the compiler's first error, when no level of optimization works
 */
export async function compile({ command, flags, version }: Compiler, source: string, object: string): Promise<void> {
  let problem = "";
  for (const level of LEVELS) {
    // Levels among the flags come later, and the last one counts.
    const { status, stderr } = await run(command, [level, ...flags, source, "-o", object]);
    if (status === 0) return;
    problem ||= stderr.split("\n").find((line) => /error/i.test(line)) ?? stderr.trim();
  }
  throw new BackendError(
    "COMPILE",
    `${command} (${version}) can't compile generated code: ${problem.slice(0, 300)}; use another compiler (VERDE_CC), or wasm`,
    { compiler: command },
  );
}
