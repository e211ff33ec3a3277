/**
 * What the operations of Float32.sol cost, between call and return, in gas: below their ceilings, and equal
 * to `float-gas.json`. `VERDE_WRITE_GAS=1 npx vitest run test/contracts/float-gas.test.ts` writes the file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { floatCases, OPERATIONS } from "../sweep/cases.ts";
import { openContract } from "./open-contract.ts";

const FILE = new URL("float-gas.json", import.meta.url);
const CASES = 600;
/** For ordinary operands. */
const CEILINGS: Readonly<Record<string, number>> = { fadd: 310, fsub: 390, fmul: 320, fdiv: 600, fsqrt: 1260 };

interface Cost {
  /** 1.37 and 0.3; -1.37 and 0.3, which have other signs. */
  same: number;
  other: number;
  /** The most expensive of the adversarial cases. */
  most: number;
}

test("gas of the operations stays below the ceilings and unchanged", async () => {
  const ask = await openContract("test/solidity/Float32Gas.sol");
  const gas: Record<string, Cost> = {};
  for (const operation of OPERATIONS) {
    const of = async (a: number, b: number): Promise<number> =>
      Number(await ask("gasOf", [BigInt(operation.code), BigInt(a), BigInt(b)]));
    const cases = floatCases(operation, CASES, 7 + operation.code);
    const most = Number(await ask("mostOf", [BigInt(operation.code), `0x${Buffer.from(cases).toString("hex")}`]));
    gas[operation.name] = { same: await of(0x3faf5c29, 0x3e99999a), other: await of(0xbfaf5c29, 0x3e99999a), most };
  }
  if (process.env.VERDE_WRITE_GAS) writeFileSync(FILE, `${JSON.stringify(gas, null, 2)}\n`);
  for (const [name, ceiling] of Object.entries(CEILINGS)) expect(gas[name].same, name).toBeLessThanOrEqual(ceiling);
  expect(gas).toEqual(JSON.parse(readFileSync(FILE, "utf8")));
});
