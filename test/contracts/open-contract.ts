/** A contract of the tests on a chain in this process, called by eth_call. */
import { network } from "hardhat";
import { type Abi, createTestClient, custom, encodeDeployData, type Hex, publicActions, walletActions } from "viem";
import { hardhat } from "viem/chains";
import { compileContract } from "../../scripts/compiler.ts";

export type Ask = <T>(functionName: string, args: readonly unknown[]) => Promise<T>;

/** @param file from the root of the checkout, with a contract of its name that takes no arguments */
export async function openContract(file: string): Promise<Ask> {
  const { abi, bytecode } = compileContract(file);
  return openBytecode(abi, bytecode);
}

/** The same of a contract that is compiled. */
export async function openBytecode(abi: Abi, bytecode: Hex): Promise<Ask> {
  const { provider } = await network.create();
  const client = createTestClient({ chain: hardhat, mode: "hardhat", transport: custom(provider), cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions);
  const [account] = await client.getAddresses();
  const hash = await client.sendTransaction({ account, data: encodeDeployData({ abi, bytecode, args: [] }) });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  return <T>(functionName: string, args: readonly unknown[]) =>
    client.readContract({ address: contractAddress as Hex, abi, functionName, args }) as Promise<T>;
}
