/** Allowances: how many tokens of an owner the vault or the exchange may take. */
import type { Command } from "commander";
import { type Address, encodeFunctionData } from "viem";
import { ChainError } from "../errors/index.ts";
import { ABIS } from "../settlement/contracts.ts";
import { formatAmount } from "../settlement/amount.ts";
import { isRevert } from "../settlement/nodes/endpoint.ts";
import type { Session } from "../settlement/session.ts";
import { type ContractCall, requestOf } from "../settlement/transactions/caller.ts";
import type { Sender } from "./send.ts";

/** Whether the token would execute a call. */
async function isAllowed(session: Session, account: Address, call: ContractCall): Promise<boolean> {
  const { address: to, ...request } = requestOf(session, call);
  try {
    await session.client.call({ account, to, data: encodeFunctionData(request) });
    return true;
  } catch (error) {
    if (isRevert(error)) return false;
    throw error;
  }
}

export function addAllowanceOption(command: Command): Command {
  return command.option("--no-approve", "do not change an allowance; without this flag, just enough is approved first");
}

/** Makes sure that the vault may take an amount from the sender, as `allow` does. */
export function allowVault(session: Session, sender: Sender, amount: bigint, approve: boolean): Promise<void> {
  return allow(session, sender, { name: "vault", address: session.deployment.vault }, amount, approve);
}

/** A contract that takes tokens. */
interface Spender {
  readonly name: string;
  readonly address: Address;
}

/**
 * Makes sure that a contract may take an amount from the sender.
 * @throws {ChainError} when the sender has too few tokens, or the allowance is too small and `approve` is
 *   false
 */
export async function allow(
  session: Session,
  sender: Sender,
  spender: Spender,
  amount: bigint,
  approve: boolean,
): Promise<void> {
  const { client, deployment, token } = session;
  const contract = { address: deployment.token, abi: ABIS.token } as const;
  const [balance, allowance] = await Promise.all([
    client.readContract({ ...contract, functionName: "balanceOf", args: [sender.address] }),
    client.readContract({ ...contract, functionName: "allowance", args: [sender.address, spender.address] }),
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
      `the ${spender.name} ${spender.address} may take ${formatAmount(allowance, token)} from ${sender.address}, but ` +
        `${formatAmount(amount, token)} are needed; approve more, or omit --no-approve`,
      { allowance, amount, expected: amount, found: allowance },
    );
  const approval = (wanted: bigint): ContractCall => ({
    contract: "token",
    functionName: "approve",
    args: [spender.address, wanted],
  });
  // Some tokens refuse to change an allowance that is not zero, because its spender could use both.
  if (allowance > 0n && !(await isAllowed(session, sender.address, approval(amount)))) await sender.send(approval(0n));
  await sender.send(approval(amount));
}
