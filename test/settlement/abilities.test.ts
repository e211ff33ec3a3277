/** A chain is asked what it can do, and gets the build that it can run. */
import { createPublicClient, custom, type PublicClient } from "viem";
import { describe, expect, test } from "vitest";
import { type Abilities, abilitiesOf, buildFor } from "../../src/settlement/abilities.ts";
import { CONTRACT_GAS } from "../../src/settlement/deploy.ts";
import { openLocalChain } from "../../src/settlement/local/chain.ts";
import type { Hardfork } from "../../src/settlement/local/hardfork.ts";

type Request = (call: { method: string; params?: unknown }) => Promise<unknown>;
const clientOf = (request: Request): PublicClient =>
  createPublicClient({ transport: custom({ request }, { retryCount: 0 }), cacheTime: 0 });

async function abilitiesOn(hardfork: Hardfork, change = (request: Request): Request => request): Promise<Abilities> {
  const { provider, close } = await openLocalChain(hardfork);
  try {
    return await abilitiesOf(clientOf(change((call) => provider.request(call as never))));
  } finally {
    await close();
  }
}

const CANCUN = { PUSH0: true, MCOPY: true, TSTORE: true, CLZ: false, SHA256: true };

describe("what a chain can do", () => {
  test.each([
    ["cancun", { has: CANCUN, codeBytes: 24_576, calldataGas: 16 }, "portable"],
    ["prague", { has: CANCUN, codeBytes: 24_576, calldataGas: 40 }, "portable"],
    ["osaka", { has: { ...CANCUN, CLZ: true }, codeBytes: 24_576, calldataGas: 40, transactionGas: 1 << 24 }, "osaka"],
  ] as const)("follows from its fork: %s", async (hardfork, wanted, build) => {
    const found = await abilitiesOn(hardfork);
    expect(found).toMatchObject(wanted);
    if (hardfork !== "osaka") expect(found.transactionGas).toBeGreaterThan(1 << 24);
    expect(buildFor(found, CONTRACT_GAS)).toBe(build);
  });

  test("is not guessed from a node that does not answer, or executes nothing", async () => {
    const without =
      (answer: () => Promise<unknown>) =>
      (request: Request): Request =>
      (call) =>
        call.method === "eth_call" ? answer() : request(call);
    const mute = without(() => Promise.reject(new Error("method not available")));
    await expect(abilitiesOn("osaka", mute)).rejects.toThrow(/does not execute code/);
    const wrong = without(() => Promise.resolve("0x"));
    await expect(abilitiesOn("osaka", wrong)).rejects.toThrow(/does not execute code/);
  });
});

describe("the build for a chain", () => {
  const osaka: Abilities = {
    has: { ...CANCUN, CLZ: true },
    codeBytes: 24_576,
    transactionGas: 1 << 24,
    calldataGas: 40,
  };
  const refused = (change: Partial<Abilities>): string => {
    try {
      return buildFor({ ...osaka, ...change }, CONTRACT_GAS);
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each(["PUSH0", "MCOPY", "TSTORE", "SHA256"] as const)("needs %s", (name) => {
    expect(refused({ has: { ...osaka.has, [name]: false } })).toContain(`lacks ${name}`);
  });

  test("needs contracts and transactions of their sizes", () => {
    expect(refused({ codeBytes: 0 })).toContain("contracts of 24576 bytes");
    expect(refused({ transactionGas: CONTRACT_GAS - 1 })).toContain(`transactions of ${CONTRACT_GAS} gas`);
    expect(refused({})).toBe("osaka");
  });
});
