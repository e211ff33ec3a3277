/** Scalar programs and steps of kernels in the EVM, by the functions of test/solidity/PointBatch.sol. */
import { bytesToHex, type Hex } from "viem";
import type { Bytes } from "../../src/encoding/bytes.ts";
import { encodeProgram, type Program } from "../../src/repops/programs/program.ts";
import { type Ask, openContract } from "./open-contract.ts";

/** A call may use 2^24 gas. These limits bound the cost of a run, with its share of the calldata. */
const GAS_OF_A_CALL = 14_000_000;
const GAS_OF_A_RUN = 4_000;
const GAS_OF_AN_INPUT = 1_000;
const GAS_OF_AN_INSTRUCTION = 1_200;

export interface PointInput {
  isRead: boolean;
  tensor: bigint;
  element: bigint;
  bits: bigint;
  clampRange: number;
}
export interface Point {
  isFold: boolean;
  start: bigint;
  programFrom: bigint;
  programTo: bigint;
  inputs: readonly PointInput[];
}

export interface Points {
  /** Any function of test/solidity/PointBatch.sol. */
  ask: Ask;
  /**
   * Runs a program, given as such or as bytes.
   * @param rows the patterns of the inputs of each run, the same number for each
   * @returns one pattern for each run
   */
  run(program: Program | Bytes, rows: readonly (readonly number[])[]): Promise<Uint32Array>;
}

export async function openPoints(): Promise<Points> {
  const ask = await openContract("test/solidity/PointBatch.sol");
  return {
    ask,
    async run(program, rows) {
      const bytes = program instanceof Uint8Array ? program : encodeProgram(program);
      const arity = rows[0]?.length ?? 0;
      const gas = GAS_OF_A_RUN + GAS_OF_AN_INPUT * arity + GAS_OF_AN_INSTRUCTION * (bytes[4] ?? 0);
      const runs = Math.floor(GAS_OF_A_CALL / gas);
      const out = new Uint32Array(rows.length);
      for (let from = 0; from < out.length; from += runs) {
        const part = rows.slice(from, from + runs);
        const args = [bytesToHex(bytes), arity, part.length, words(part.flat())];
        const results = await ask<Hex>("run", args);
        for (let i = 0; i < part.length; i++) out[from + i] = wordAt(results, i);
      }
      return out;
    },
  };
}

function words(values: readonly number[]): Hex {
  return `0x${values.map((value) => (value >>> 0).toString(16).padStart(8, "0")).join("")}`;
}

function wordAt(hex: Hex, i: number): number {
  return Number.parseInt(hex.slice(2 + 8 * i, 10 + 8 * i), 16);
}
