/** `verde task claim`: withdraws what the vault and the game hold for an account. */
import { isAddressEqual } from "viem";
import { ChainError } from "../../errors/index.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { Sender } from "../send.ts";
import { openSession, type SendFlags } from "../session.ts";
import { bondCredit } from "../../settlement/game/bond.ts";
import { bondText } from "./game.ts";
import { parseAddress } from "./terms.ts";

/** Withdraws all credits of an account. Credits belong to accounts, not to tasks. */
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
  const bonds = isOwn ? await bondCredit(client, game, owner) : 0n;
  if (credit === 0n && bonds === 0n)
    throw new ChainError(
      "NOTHING_DUE",
      `${owner} has no credit in the vault${isOwn ? ", and no bonds in the game" : ""}; there is nothing to claim`,
      { owner },
    );
  if (credit > 0n) await sender.send({ contract: "vault", functionName: "claim", args: [owner] });
  if (bonds > 0n) await sender.send({ contract: "game", to: game!, functionName: "withdraw", args: [owner] });
  const parts = [credit > 0n ? formatAmount(credit, token) : [], bonds > 0n ? bondText(bonds) : []].flat();
  sender.report(
    flags.json ?? false,
    { owner, amount: `${credit}`, bonds: `${bonds}` },
    `${owner} has ${parts.join(" and ")} more.`,
  );
}
