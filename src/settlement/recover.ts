/** What became of transactions that a command signed and did not live to see in a block. */
import { BaseError, HttpRequestError, type PublicClient, TimeoutError } from "viem";
import type { Outbox, Signed } from "./outbox.ts";

export interface Recovered extends Signed {
  /** `dropped`: another transaction has its place. */
  outcome: "success" | "reverted" | "dropped";
}

/** Brings each to its end, one after the other: it is looked for, else sent again as it was signed. */
export async function recover(
  client: PublicClient,
  outbox: Outbox,
  unsettled: readonly Signed[],
): Promise<Recovered[]> {
  const found: Recovered[] = [];
  for (const signed of unsettled) {
    found.push({ ...signed, outcome: await outcomeOf(client, signed) });
    await outbox.settle(signed.hash);
  }
  return found;
}

async function outcomeOf(client: PublicClient, { hash, from, nonce, raw }: Signed): Promise<Recovered["outcome"]> {
  const known = await client.getTransactionReceipt({ hash }).catch(() => undefined);
  if (known) return known.status;
  if ((await client.getTransactionCount({ address: from })) > nonce) return "dropped";
  // The node may have it, or have forgotten it.
  try {
    await client.sendRawTransaction({ serializedTransaction: raw });
  } catch (error) {
    if (isUnanswered(error)) throw error;
    // Refused: it waits there already, or it can't be carried out any more.
    if (!(await client.getTransaction({ hash }).catch(() => undefined))) return "dropped";
  }
  return (await client.waitForTransactionReceipt({ hash })).status;
}

/** Whether nobody knows what a node did with a request; otherwise it has refused it. */
export function isUnanswered(error: unknown): boolean {
  const lost = (cause: unknown): boolean => cause instanceof HttpRequestError || cause instanceof TimeoutError;
  return error instanceof BaseError && error.walk(lost) !== null;
}
