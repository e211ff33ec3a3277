/** `verde task sell` and `release`: the seller's steps. */
import { isAddressEqual, zeroHash } from "viem";
import { fromHex, toHex } from "../../encoding/bytes.ts";
import { ChainError, FormatError } from "../../errors/index.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { type Seal, sealCheckpoint } from "../../settlement/exchange/seal-checkpoint.ts";
import { keyHashOf } from "../../settlement/exchange/seal.ts";
import { chunksIn } from "../../settlement/exchange/sealed-file.ts";
import { readTask } from "../../settlement/task.ts";
import { stateTypes } from "../../job/closed.ts";
import { expectNew } from "../result.ts";
import type { SendFlags } from "../session-options.ts";
import { traceFor } from "../task/job.ts";
import { allowExchange, expectSale, moveSale, type SaleScene, saleSceneOf } from "./scene.ts";

export interface SellFlags extends SendFlags {
  out: string;
  approve: boolean;
}

/**
 * Seals the final checkpoint and offers it. If it was offered before, the same file is written again, because
 * the key is always the same.
 */
export async function sell(id: string, path: string, flags: SellFlags): Promise<void> {
  const scene = await saleSceneOf(id, flags);
  const { session, sender, sale } = scene;
  const again = sale.state === "Offered" || sale.state === "Taken";
  if (!again) await expectSale(scene, "sell", "Pledged");
  const { terms, seats } = await readTask(session.source, sale.task);
  const seat = seats[sale.seat];
  if (seat === undefined || !isAddressEqual(seat.owner, sender.address))
    throw new ChainError(
      "NO_SEAT",
      `${sender.address} does not have seat ${sale.seat} of the task, whose owner sells; use the account that has it`,
      { seat: sale.seat },
    );
  const trace = await traceFor(path, terms);
  const root = toHex(trace.runRoot);
  if (seat.root !== root)
    throw new FormatError(
      "FOREIGN",
      `${path} has the root ${root}, but the seat has claimed ${seat.root ?? "none yet"}; name the trace of that root`,
      { path, expected: seat.root ?? "none", found: root },
    );
  await expectNew(flags.out);
  if (!again) await allowExchange(session, sender, sale.bond, flags);
  const key = await sender.saleKey(sale.id);
  const chunks = chunksIn(stateTypes(trace.manifest.outline));
  const seal = key === undefined ? undefined : await sealCheckpoint(trace, sale.id, fromHex(key, 32), flags.out);
  const facts = { out: flags.out, chunks, ...(seal && { root: toHex(seal.root) }) };
  const done = `${flags.out} holds the sealed checkpoint: ${chunks} chunks. Give it to the buyer, ${sale.buyer}.`;
  if (again && seal) return written(scene, flags, seal, facts, done);
  const args = [sale.id, seal ? toHex(seal.root) : zeroHash, chunks, seal ? toHex(seal.keyHash) : zeroHash];
  await moveSale(scene, flags, { contract: "exchange", functionName: "offer", args }, facts, [
    done,
    `If you do not release the key in time, you lose ${formatAmount(sale.bond, session.token)}.`,
  ]);
}

/** The file of an earlier offer is there again. */
function written({ sender, sale }: SaleScene, flags: SellFlags, seal: Seal, facts: object, done: string): void {
  if (toHex(seal.root) !== sale.root)
    throw new FormatError(
      "ALTERED",
      `${flags.out} is another file than the one that was offered: its root is ${toHex(seal.root)}, and the offer says ${sale.root}; look for the file of the offer`,
      { expected: sale.root, found: toHex(seal.root) },
    );
  sender.report(flags.json ?? false, { sale: sale.id, state: sale.state, ...facts }, done);
}

/** Publishes the key of an offer that was taken. */
export async function release(id: string, flags: SendFlags): Promise<void> {
  const scene = await saleSceneOf(id, flags);
  const { sender, sale } = scene;
  await expectSale(scene, "release the key", "Taken");
  const key = await sender.saleKey(sale.id);
  if (key !== undefined && toHex(keyHashOf(fromHex(sale.id), fromHex(key))) !== sale.keyHash)
    throw new ChainError(
      "COMMITMENT",
      `${sender.address} did not seal this sale's checkpoint; use the account that made the offer`,
      { sale: sale.id },
    );
  const args = [sale.id, key ?? zeroHash];
  await moveSale(scene, flags, { contract: "exchange", functionName: "releaseKey", args });
}
