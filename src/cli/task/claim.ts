/** `verde task claim`: withdraws what the vault, the exchange and the game hold for an account. */
import { isAddressEqual } from "viem";
import { ChainError } from "../../errors/index.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { saleCredit } from "../../settlement/exchange/sale.ts";
import { bondCredit, unusedBonds } from "../../settlement/game/bond.ts";
import { bondText } from "./game.ts";
import { parseAddress } from "./terms.ts";

/**
 * Withdraws all credits of an account. Credits belong to accounts, not to tasks. Bonds that were posted for
 * the game and not needed are credited first.
 */
export async function claim(flags: SendFlags & { owner?: string; game?: string }): Promise<void> {
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const sender = await Sender.open(session, flags);
  const owner = flags.owner === undefined ? sender.address : parseAddress(flags.owner, "--owner");
  const { credit } = await client.readContract({
    address: deployment.vault,
    abi: ABIS.vault,
    functionName: "accountOf",
    args: [owner],
  });
  // The game pays an account only at its own request.
  const isOwn = isAddressEqual(owner, sender.address);
  const game = flags.game === undefined ? deployment.game : parseAddress(flags.game, "--game");
  const unused = isOwn && game !== undefined ? await unusedBonds(session.source, game, owner) : [];
  for (const terms of unused)
    await sender.send({ contract: "game", to: game!, functionName: "reclaim", args: [terms, owner] });
  const bonds = isOwn ? await bondCredit(client, game, owner) : 0n;
  const sales = await saleCredit(session, owner);
  if (credit === 0n && sales === 0n && bonds === 0n)
    throw new ChainError(
      "NOTHING_DUE",
      `${owner} has no credit in the vault or the exchange${isOwn ? ", and no bonds in the game" : ""}; there is nothing to claim`,
      { owner },
    );
  if (credit > 0n) await sender.send({ contract: "vault", functionName: "claim", args: [owner] });
  if (sales > 0n) await sender.send({ contract: "exchange", functionName: "claim", args: [owner] });
  if (bonds > 0n) await sender.send({ contract: "game", to: game!, functionName: "withdraw", args: [owner] });
  const parts = [
    credit + sales > 0n ? formatAmount(credit + sales, token) : [],
    bonds > 0n ? bondText(bonds) : [],
  ].flat();
  sender.report(
    flags.json ?? false,
    { owner, amount: `${credit + sales}`, bonds: `${bonds}` },
    `${owner} has ${parts.join(" and ")} more.`,
  );
}
