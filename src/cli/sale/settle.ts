/** `verde task settle` and `sales`: what ends a sale, and what is known of it. */
import { plainJson } from "../../encoding/json.ts";
import { ChainError } from "../../errors/index.ts";
import { endingCall, readSale, salesOf } from "../../settlement/exchange/sale.ts";
import { readTask } from "../../settlement/task.ts";
import { openSession } from "../session.ts";
import type { ChainFlags, SendFlags } from "../session-options.ts";
import { formatFields } from "../table.ts";
import { writeJson, writeLine } from "../output.ts";
import { parseTaskId } from "../task/scene.ts";
import { isLostSeat, moveSale, nowOf, saleDue, saleFields, saleSceneOf } from "./scene.ts";

/** Ends a sale in the way that its state and its deadline allow. Anyone may. */
export async function settle(id: string, flags: SendFlags): Promise<void> {
  const scene = await saleSceneOf(id, flags);
  const { session, sender, sale, isLost } = scene;
  const now = await nowOf(session);
  const call = endingCall(sale, now, sender.address, !isLost);
  if (call === undefined)
    throw new ChainError("NOTHING_DUE", `the sale is ${sale.state}: ${saleDue(sale, now, isLost)}`, {
      state: sale.state,
    });
  await moveSale(scene, flags, call);
}

/** The sales of a task. */
export async function sales(id: string, flags: ChainFlags): Promise<void> {
  const task = parseTaskId(id);
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const ids = await salesOf(session, task);
  const found = await Promise.all(ids.map((sale) => readSale(client, deployment, sale)));
  if (flags.json) return writeJson({ schemaVersion: 1, task, sales: found.map((sale) => plainJson(sale)) });
  const now = await nowOf(session);
  if (found.length === 0) writeLine("Nobody has pledged for this task's weights.");
  const view = await readTask(session.source, task);
  for (const sale of found) writeLine(...formatFields(saleFields(sale, now, token, isLostSeat(view, sale.seat))), "");
}
