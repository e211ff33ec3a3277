/** The judge and the game refuse a chain that computes otherwise than they expect. */
import { expect, test } from "vitest";
import type { Hex } from "viem";
import { disputeGameBytecode, judgeBytecode } from "../../src/settlement/abi/bytecode.ts";
import { disputeGamePortableBytecode, judgePortableBytecode } from "../../src/settlement/abi/portable.ts";
import { openLocalChain } from "../../src/settlement/local/chain.ts";
import { selfTestDigests } from "./self-test.ts";

const { words, floats } = selfTestDigests();
const BUILDS = {
  osaka: { judge: judgeBytecode, game: disputeGameBytecode },
  portable: { judge: judgePortableBytecode, game: disputeGamePortableBytecode },
} as const;
/** The constructor's arguments: any manager, judge, pace and bond. */
const ARGS = `${"01".padStart(64, "0")}`.repeat(6);

test.each(["osaka", "portable"] as const)("the constructors expect what the definition gives (%s)", async (build) => {
  const { provider, close } = await openLocalChain("osaka");
  const [from] = (await provider.request({ method: "eth_accounts" })) as Hex[];
  const deploys = (data: string): Promise<boolean> =>
    provider.request({ method: "eth_call", params: [{ from, data }] }).then(
      () => true,
      () => false,
    );
  const { judge, game } = BUILDS[build];
  expect([await deploys(judge), await deploys(game + ARGS)]).toEqual([true, true]);
  // A chain with other results is a contract that expects others: one digit of what is expected is altered.
  const altered = (code: string, digest: string): string => {
    expect(code).toContain(digest.slice(2));
    return code.replace(digest.slice(2), digest.slice(2, -1) + (digest.endsWith("0") ? "1" : "0"));
  };
  expect(await deploys(altered(judge, words))).toBe(false);
  expect(await deploys(altered(judge, floats))).toBe(false);
  expect(await deploys(altered(game, words) + ARGS)).toBe(false);
  await close();
});

test("a chain without CLZ refuses the build that needs it", async () => {
  const { provider, close } = await openLocalChain("prague");
  const deploy = (data: string): Promise<unknown> => provider.request({ method: "eth_call", params: [{ data }] });
  await expect(deploy(judgeBytecode)).rejects.toThrow(/opcode/);
  await expect(deploy(disputeGameBytecode + ARGS)).rejects.toThrow(/opcode/);
  await deploy(judgePortableBytecode);
  await deploy(disputeGamePortableBytecode + ARGS);
  await close();
});
