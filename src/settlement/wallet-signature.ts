/** Whether a wallet contract accepts a signature (ERC-1271). Only a node can say it. */
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  type Hex,
  parseAbi,
  type PublicClient,
} from "viem";

/** What a wallet returns for a signature that holds. */
const HOLDS = "0x1626ba7e";
const ABI = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);

/**
 * @param blockNumber the block at which the wallet is asked. Default: the latest
 * @throws {Error} what a node fails with; a contract that reverts, or none, accepts nothing
 */
export async function acceptedByWallet(
  client: PublicClient,
  address: Address,
  digest: Hex,
  signature: Hex,
  blockNumber?: bigint,
): Promise<boolean> {
  const asked = { address, abi: ABI, functionName: "isValidSignature", args: [digest, signature] } as const;
  const answer = await client
    .readContract({ ...asked, ...(blockNumber !== undefined && { blockNumber }) })
    .catch((error: unknown) => {
      // The contract has answered, with a revert or nothing, or there is none. All else is the node's
      // failure.
      const isRefusal =
        error instanceof BaseError &&
        error.walk(
          (cause) => cause instanceof ContractFunctionRevertedError || cause instanceof ContractFunctionZeroDataError,
        ) !== null;
      if (isRefusal) return undefined;
      throw error;
    });
  return answer === HOLDS;
}
