/** Signatures of wallet contracts (ERC-1271): whether they hold is asked of a node. */
import { formatAddress } from "../claims/claim.ts";
import type { AcceptSignature } from "../referee/check-proof.ts";
import type { Bytes } from "../encoding/bytes.ts";
import { ChainError, DisputeError } from "../errors/index.ts";

/** What a wallet returns for a signature that holds. */
const HOLDS = "0x1626ba7e";

/** Collects signatures that are not by the key of their address, then asks whether they are by its wallet. */
export class Wallets {
  private readonly pending: { address: Bytes; digest: Bytes; signature: Bytes }[] = [];
  private readonly rpc: string | undefined;

  /** @param rpc the URL of a node */
  constructor(rpc: string | undefined) {
    this.rpc = rpc;
  }

  /** Takes a signature for now. `confirm` decides about it. */
  readonly accept: AcceptSignature = (address, digest, signature) => {
    this.pending.push({ address, digest, signature });
    return true;
  };

  /**
   * @returns the block at which the wallets were asked; nothing if no signature needs it
   * @throws {ChainError} when no node was named
   * @throws {DisputeError} when an address is no wallet, or its wallet does not accept the signature
   */
  async confirm(): Promise<bigint | undefined> {
    if (this.pending.length === 0) return undefined;
    const [{ address: first }] = this.pending;
    if (this.rpc === undefined)
      throw new ChainError(
        "WALLET",
        `a signature is not by the key of ${formatAddress(first)}. If that is a wallet contract, name a node that knows it: --rpc URL`,
        { address: formatAddress(first) },
      );
    // The code that talks to a chain is slow to load, and few checks need it.
    const viem = await import("viem");
    const { BaseError, ContractFunctionRevertedError, ContractFunctionZeroDataError } = viem;
    const { createPublicClient, http, parseAbi, toHex } = viem;
    const abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
    const client = createPublicClient({ transport: http(this.rpc) });
    const blockNumber = await client.getBlockNumber();
    for (const { address, digest, signature } of this.pending) {
      const answer = await client
        .readContract({
          address: formatAddress(address) as `0x${string}`,
          abi,
          functionName: "isValidSignature",
          args: [toHex(digest), toHex(signature)],
          blockNumber,
        })
        .catch((error: unknown) => {
          // The contract has answered, with a revert or nothing, or there is none. All else is the node's
          // failure.
          const isRefusal =
            error instanceof BaseError &&
            error.walk(
              (cause) =>
                cause instanceof ContractFunctionRevertedError || cause instanceof ContractFunctionZeroDataError,
            ) !== null;
          if (isRefusal) return undefined;
          throw error;
        });
      if (answer !== HOLDS)
        throw new DisputeError(
          "VERDICT_ALTERED",
          `a signature is neither by the key of ${formatAddress(address)} nor accepted by a wallet at this address; do not rely on the verdict`,
          { address: formatAddress(address), block: Number(blockNumber) },
        );
    }
    return blockNumber;
  }
}
