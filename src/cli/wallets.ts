/** Signatures of wallet contracts (ERC-1271): whether they hold is asked of a node. */
import { formatAddress } from "../claims/claim.ts";
import type { AcceptSignature } from "../referee/check-proof.ts";
import type { Bytes } from "../encoding/bytes.ts";
import { ChainError, DisputeError } from "../errors/index.ts";

/** Collects signatures that are not by the key of their address, then asks whether they are by its wallet. */
export class Wallets {
  private readonly pending: { address: Bytes; digest: Bytes; signature: Bytes }[] = [];
  private readonly rpc: readonly string[] | undefined;

  /** @param rpc the addresses of nodes, which have to agree */
  constructor(rpc: readonly string[] | undefined) {
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
    const { toHex } = await import("viem");
    const { acceptedByWallet } = await import("../settlement/wallet-signature.ts");
    const { endpointsAt } = await import("../settlement/nodes/endpoint.ts");
    const { clientOf } = await import("../settlement/nodes/quorum.ts");
    const client = clientOf(endpointsAt(this.rpc));
    const blockNumber = await client.getBlockNumber();
    for (const { address, digest, signature } of this.pending) {
      const wallet = formatAddress(address) as `0x${string}`;
      if (!(await acceptedByWallet(client, wallet, toHex(digest), toHex(signature), blockNumber)))
        throw new DisputeError(
          "VERDICT_ALTERED",
          `a signature is neither by the key of ${formatAddress(address)} nor accepted by a wallet at this address; do not rely on the verdict`,
          { address: formatAddress(address), block: Number(blockNumber) },
        );
    }
    return blockNumber;
  }
}
