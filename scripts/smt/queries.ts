/**
 * Z3 answers the queries of the compiler's SMT checker. The compiler has a Z3 of its own, which is not used:
 * its steps are few, and casts exhaust them.
 */
import { spawnSync } from "node:child_process";

/** Steps for a query, instead of seconds: every machine that has the same Z3 gives the same answers. */
const STEPS = 20_000_000;

/**
 * How the checker writes an integer as a bit vector: with a case for negative numbers.
 * @param group number of the integer's group in the whole expression; the next one is the number of bits
 */
function bitsOf(group: number): string {
  const [integer, bits] = [`\\${group}`, `\\${group + 1}`];
  const negative = String.raw`\(bvneg \(\(_ int2bv ${bits}\) \(- ${integer}\)\)\)`;
  return String.raw`\(ite \(>= ([^\s()]+) 0\) \(\(_ int2bv (\d+)\) ${integer}\) ${negative}\)`;
}
const CAST = new RegExp(String.raw`\(bv2nat ${bitsOf(1)}\)`, "g");
const OF_ONE = new RegExp(String.raw`\(bv2nat \((bv\w+) ${bitsOf(2)}\)\)`, "g");
const OF_TWO = new RegExp(String.raw`\(bv2nat \((bv\w+) ${bitsOf(2)} ${bitsOf(4)}\)\)`, "g");

/**
 * Z3 gives up on numbers that are now integers, now bit vectors. So a query gets less to say about bits: a
 * cast to n bits is the remainder by 2^n, which is what it means, for numbers of either sign; and of any other
 * operation on bits nothing is known but that equal operands have equal results. What is proved without
 * knowing more is proved. What is not may be true.
 */
export function simplified(query: string): string {
  const operators = new Map<string, string>();
  const named = (operator: string, bits: string, ...operands: string[]): string => {
    const name = `${operator}_${bits}_of_${operands.length}`;
    operators.set(name, `(declare-fun ${name} (${operands.map(() => "Int").join(" ")}) Int)`);
    return `(${name} ${operands.join(" ")})`;
  };
  const text = query
    .replace(CAST, (_, a: string, bits: string) => `(mod ${a} ${2n ** BigInt(bits)})`)
    .replace(OF_ONE, (_, operator: string, a: string, bits: string) => named(operator, bits, a))
    .replace(OF_TWO, (_, operator: string, a: string, bits: string, b: string) => named(operator, bits, a, b));
  const start = text.indexOf("(declare-");
  return `${text.slice(0, start)}${[...operators.values()].join("\n")}\n${text.slice(start)}`;
}

/** @returns Z3's version, or undefined where it isn't installed */
export function solverVersion(): string | undefined {
  const { status, stdout } = spawnSync("z3", ["--version"], { encoding: "utf8" });
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined;
}

/** @returns what Z3 prints: `sat`, `unsat` or `unknown`, and values for a counterexample */
export function solve(query: string): { contents: string } {
  const options = ["-smt2", "-in", `rlimit=${STEPS}`, "-memory:2048"];
  const { stdout, error } = spawnSync("z3", options, { input: simplified(query), encoding: "utf8" });
  if (error) throw error;
  return { contents: stdout };
}
