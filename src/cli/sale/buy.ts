/** `verde task buy` and `open`: the buyer's steps. */
import { isAddressEqual, type Hex } from "viem";
import { fromHex } from "../../encoding/bytes.ts";
import { ChainError, FormatError } from "../../errors/index.ts";
import { openFile } from "../../formats/file.ts";
import type { JobId } from "../../job/closed.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { expectOffered, isCommittedTo, openInto } from "../../settlement/exchange/open-sealed.ts";
import { complaintOf, releasedKey } from "../../settlement/exchange/sale.ts";
import { openSealed, type SealedFile } from "../../settlement/exchange/sealed-file.ts";
import { readTask } from "../../settlement/task.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { expectNew } from "../result.ts";
import type { SendFlags } from "../session-options.ts";
import { expectSale, moveSale, type SaleScene, saleSceneOf } from "./scene.ts";

/** Opens a sealed file of the sale, for as long as something is done with it. */
async function withSealed<T>(path: string, sale: Hex, use: (file: SealedFile) => Promise<T>): Promise<T> {
  const source = await openFile(path);
  try {
    const file = await openSealed(source, path);
    if (file.sale !== sale)
      throw new FormatError("FOREIGN", `${path} belongs to the sale ${file.sale}; name the file of ${sale}`, {
        path,
        expected: sale,
        found: file.sale,
      });
    return await use(file);
  } finally {
    await source.close();
  }
}

function expectBuyer({ sender, sale }: SaleScene): void {
  if (!isAddressEqual(sender.address, sale.buyer))
    throw new ChainError("NO_SEAT", `only ${sale.buyer}, who has pledged the price, can buy; use that account`, {
      expected: sale.buyer,
      found: sender.address,
    });
}

/** Checks the file against the settled run and the offer, and only then takes the offer. */
export async function buy(id: string, path: string, flags: SendFlags): Promise<void> {
  const scene = await saleSceneOf(id, flags);
  const { session, sale } = scene;
  await expectSale(scene, "buy", "Offered");
  expectBuyer(scene);
  const { terms, seats } = await readTask(session.source, sale.task);
  const runRoot = fromHex(seats[sale.seat].root!, 32);
  const place = { job: fromHex(terms.job) as JobId, steps: terms.steps, commitEvery: terms.commitEvery };
  const offered = { root: fromHex(sale.root), chunks: sale.chunks, runRoot };
  await withSealed(path, sale.id, (file) => expectOffered(file, place, offered));
  const call = { contract: "exchange", functionName: "take", args: [sale.id, sale.root, sale.keyHash] } as const;
  await moveSale(scene, flags, call, { chunks: sale.chunks }, [
    `${path} leads to the settled run and to the offer: all of its ${sale.chunks} chunks can be held to it.`,
  ]);
}

export interface OpenFlags extends SendFlags {
  out: string;
  finish?: boolean;
}

/** Decrypts the file with the released key. If a chunk is wrong, it complains. */
export async function open(id: string, path: string, flags: OpenFlags): Promise<void> {
  const scene = await saleSceneOf(id, flags);
  const { session, sale, sender } = scene;
  await expectSale(scene, "open the file", "Released", "Paid");
  const finishes = flags.finish && sale.state === "Released";
  // Who can't finish is told before anything is written.
  if (finishes) expectBuyer(scene);
  await expectNew(flags.out);
  const key = await releasedKey(session, sale);
  const wrong = await withSealed(path, sale.id, (file) => openInto(file, fromHex(key), flags.out));
  if (wrong === undefined) {
    const done = `${flags.out} holds the final weights.`;
    const facts = { out: flags.out, key, wrong: null };
    if (!finishes) return sender.report(flags.json ?? false, { sale: sale.id, state: sale.state, ...facts }, done);
    return moveSale(scene, flags, { contract: "exchange", functionName: "finish", args: [sale.id] }, facts, [done]);
  }
  if (!isCommittedTo(sale.chunks, fromHex(sale.root), wrong))
    throw new FormatError(
      "ALTERED",
      `${path} is not the file that was offered, so its chunk ${wrong.index} proves nothing; get the file again, before the time for complaints is over`,
      { path, chunk: wrong.index },
    );
  if (sale.state === "Paid")
    throw new ChainError("STATE", `chunk ${wrong.index} is wrong, but the time for complaints is over`, {
      chunk: wrong.index,
    });
  const back = formatAmount(sale.price + sale.bond / 2n, session.token);
  await moveSale(scene, flags, complaintOf(sale.id, key, wrong), { key, wrong: wrong.index }, [
    `Chunk ${wrong.index} does not decrypt to what the seller has committed to: ${back} are the buyer's.`,
  ]);
  exitWith(EXIT.divergence);
}
