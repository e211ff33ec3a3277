/** The vault's allowance: how many tokens of an owner the vault may take. */
import type { Command } from "commander";
import { ChainError } from "../errors/index.ts";
import { ABIS } from "../settlement/contracts.ts";
import { formatAmount } from "../settlement/amount.ts";
import type { Session } from "../settlement/session.ts";
import type { Sender } from "./send.ts";

export function addAllowanceOption(command: Command): Command {
  return command.option(
    "--no-approve",
    "do not change the vault's allowance; without this flag, just enough is approved first",
  );
}

/**
 * Makes sure that the vault may take an amount from the sender.
 * @throws {ChainError} when the sender has too few tokens, or the allowance is too small and `approve` is
 *   false
 */
export async function allowVault(session: Session, sender: Sender, amount: bigint, approve: boolean): Promise<void> {
  const { client, deployment, token } = session;
  const contract = { address: deployment.token, abi: ABIS.token } as const;
  const [balance, allowance] = await Promise.all([
    client.readContract({ ...contract, functionName: "balanceOf", args: [sender.address] }),
    client.readContract({ ...contract, functionName: "allowance", args: [sender.address, deployment.vault] }),
  ]);
  if (balance < amount)
    throw new ChainError(
      "FUNDS",
      `${sender.address} has ${formatAmount(balance, token)}, but ${formatAmount(amount, token)} are needed; transfer more to it`,
      { balance, amount, expected: amount, found: balance },
    );
  if (allowance >= amount) return;
  if (!approve)
    throw new ChainError(
      "ALLOWANCE",
      `the vault ${deployment.vault} may take ${formatAmount(allowance, token)} from ${sender.address}, but ` +
        `${formatAmount(amount, token)} are needed; approve more, or omit --no-approve`,
      { allowance, amount, expected: amount, found: allowance },
    );
  await sender.send({ contract: "token", functionName: "approve", args: [deployment.vault, amount] });
}
