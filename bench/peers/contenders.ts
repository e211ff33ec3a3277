/** How each contender is started, and with which environment. */
import { fileURLToPath } from "node:url";
import { Contender, type Start, Unable } from "./contender.ts";

/** This module's ending: the sources are TypeScript, what is built from them is JavaScript. */
const script = (name: string): string => fileURLToPath(new URL(`${name}${import.meta.url.slice(-3)}`, import.meta.url));
const PYTHON = fileURLToPath(new URL("peer.py", import.meta.url));
/**
 * The system's Python has the system's BLAS, which is the one that PyTorch uses there; others bring their
 * own.
 */
const PYTHONS = ["/usr/bin/python3", "python3"];

/** Variables with which machines tune or cripple a BLAS. */
const UNSET = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

function environment(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  const names = ["VERDE_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"];
  // A thread of OpenMP that waits for others looks out for them, and where another program has a core, it
  // keeps the one that it waits for from running.
  const wait = { OMP_WAIT_POLICY: "passive" };
  const env: NodeJS.ProcessEnv = { ...process.env, ...wait, ...Object.fromEntries(names.map((name) => [name, count])) };
  for (const name of UNSET) delete env[name];
  return env;
}

export function ours(backend: string, threads: number): Start {
  return {
    name: `Verde, ${backend}`,
    command: process.execPath,
    args: [script("ours"), backend],
    env: environment(threads),
  };
}

export function javascriptPeer(name: string, folder: string): Start {
  return { name, command: process.execPath, args: [script("javascript"), name, folder], env: environment(1) };
}

/**
 * Starts a library of Python, with the first Python that has it.
 * @throws {Unable} when none has it
 */
export async function startPython(which: "torch" | "numpy", threads: number): Promise<Contender> {
  let why: unknown;
  for (const command of PYTHONS) {
    const args = [PYTHON, which, String(threads)];
    try {
      return await Contender.start({ name: which, command, args, env: environment(threads) });
    } catch (error) {
      if (!(error instanceof Unable)) throw error;
      // What the first one lacks can be installed.
      why ??= error;
    }
  }
  throw why;
}
