/** The token of a deployment, as it describes itself. */
import type { Address, PublicClient } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";
import type { Token } from "./amount.ts";
import { ABIS } from "./contracts.ts";
import { isForeign } from "./foreign.ts";

/** @throws {ChainError} when it is no token */
export async function readToken(client: PublicClient, address: Address): Promise<Token> {
  const contract = { address, abi: ABIS.token } as const;
  const [symbol, decimals] = await Promise.all([
    client.readContract({ ...contract, functionName: "symbol" }),
    client.readContract({ ...contract, functionName: "decimals" }),
  ]).catch((cause: unknown) => {
    if (!isForeign(cause)) throw cause;
    throw new ChainError(
      "CONTRACT_KIND",
      `${address} is not a token with a symbol and decimals: ${messageOf(cause).split("\n")[0]}; give the address of an ERC-20 token`,
    );
  });
  return { symbol, decimals };
}
