/**
 * A task from its posting to its payment in tokens with few decimals, which return nothing and refuse to change an
 * allowance that is not zero.
 */
import { describe, expect, test } from "vitest";
import { createWalletClient, createPublicClient, custom, encodeDeployData, type Hex, numberToHex } from "viem";
import type { EthereumProvider } from "hardhat/types/providers";
import { compileContract } from "../../scripts/compiler.ts";
import { deposit } from "../../src/cli/stake.ts";
import { claim } from "../../src/cli/task/claim.ts";
import { commit, compare, finalize, reveal } from "../../src/cli/task/moves.ts";
import { localAccount } from "../../src/settlement/local/settlement.ts";
import { ABIS } from "../../src/settlement/contracts.ts";
import { addressOf, type Person, Scene } from "../fixtures/scene.ts";

const deployWith =
  (decimals: number) =>
  async (provider: EthereumProvider): Promise<Hex> => {
    const { abi, bytecode } = compileContract("test/solidity/OldToken.sol");
    const transport = custom(provider);
    const wallet = createWalletClient({ account: localAccount(0), transport });
    const data = encodeDeployData({ abi, bytecode, args: [decimals] });
    const hash = await wallet.sendTransaction({ data, chain: null });
    return (await createPublicClient({ transport }).waitForTransactionReceipt({ hash })).contractAddress!;
  };

describe.each([0, 6])("a token of %i decimals", (decimals) => {
  const on = new Scene(deployWith(decimals));
  const run = async (person: Person, command: (flags: ReturnType<Scene["flags"]>) => Promise<void>) => {
    const { printed, error } = await on.as(person, async () => command(on.flags(await on.node())));
    expect(error).toBeUndefined();
    return JSON.parse(printed) as { transactions: { functionName: string }[]; amount?: string };
  };
  const balance = (person: Person): Promise<bigint> =>
    on.session.client.readContract({
      address: on.session.deployment.token,
      abi: ABIS.token,
      functionName: "balanceOf",
      args: [addressOf(person)],
    });

  test("is deposited, also where an allowance is left over", async () => {
    expect(on.session.token).toEqual({ symbol: "OLD", decimals });
    const { vault } = on.session.deployment;
    for (const left of [0n, 1n]) {
      await on.call("ada", "token", "approve", vault, 0n);
      if (left > 0n) await on.call("ada", "token", "approve", vault, left);
      const before = await balance("ada");
      const { transactions } = await run("ada", (flags) => deposit("5", { ...flags, approve: true }));
      const names = transactions.map(({ functionName }) => functionName);
      expect(names).toEqual([...(left > 0n ? ["approve"] : []), "approve", "deposit"]);
      expect(before - (await balance("ada"))).toBe(5n * 10n ** BigInt(decimals));
    }
  });

  test("pays those who did the work", async () => {
    const { task } = await on.post("ada", "ben");
    for (const person of ["ada", "ben"] as const)
      await run(person, (flags) => commit(task, on.at("honest.trace"), flags));
    for (const person of ["ada", "ben"] as const)
      await run(person, (flags) => reveal(task, on.at("honest.trace"), flags));
    await run("client", (flags) => compare(task, flags));
    await on.provider.request({ method: "evm_increaseTime", params: [numberToHex(86_401)] });
    await on.provider.request({ method: "evm_mine", params: [] });
    await run("client", (flags) => finalize(task, flags));
    const before = await balance("ada");
    expect((await run("ada", (flags) => claim(flags))).amount).toBe(`${10n ** BigInt(decimals)}`);
    expect((await balance("ada")) - before).toBe(10n ** BigInt(decimals));
  });
});
