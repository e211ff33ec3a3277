/** `verde rounds claim`: withdraws what the vault of rounds and its game hold for an account. */
import { ChainError } from "../../errors/index.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { bondCredit } from "../../settlement/game/bond.ts";
import { managerOf } from "../../settlement/rounds/terms-file.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { readAccount } from "../stake.ts";
import { bondText } from "../task/game.ts";

export async function claimRounds(flags: SendFlags): Promise<void> {
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  managerOf(deployment);
  const sender = await Sender.open(session, flags);
  const { credit } = await readAccount(session, deployment.roundVault!, sender.address);
  const bonds = await bondCredit(client, deployment.roundGame, sender.address);
  if (credit === 0n && bonds === 0n)
    throw new ChainError("NOTHING_DUE", `${sender.address} has no credit in the vault of rounds, and no bonds in its game; there is nothing to claim`, { owner: sender.address }); // prettier-ignore
  if (credit > 0n) await sender.send({ contract: "roundVault", functionName: "claim", args: [sender.address] });
  if (bonds > 0n) await sender.send({ contract: "roundGame", functionName: "withdraw", args: [sender.address] });
  const parts = [credit > 0n ? formatAmount(credit, token) : [], bonds > 0n ? bondText(bonds) : []].flat();
  sender.report(
    flags.json ?? false,
    { owner: sender.address, amount: `${credit}`, bonds: `${bonds}` },
    `${sender.address} has ${parts.join(" and ")} more.`,
  );
}
