/** The commands with which the final weights of a task change hands. */
import type { Command } from "commander";
import { addAllowanceOption } from "../allowance.ts";
import { addChainOptions, addPostedOption, addSendOptions } from "../session-options.ts";
import { buy, open } from "./buy.ts";
import { addPledgeOptions, pledge } from "./pledge.ts";
import { release, sell } from "./sell.ts";
import { sales, settle } from "./settle.ts";

const SALE = ["<sale>", "the sale's id, 0x and 64 digits"] as const;
const FILE = ["<file>", "the sealed checkpoint, which the seller has given you"] as const;

/** @param task the command `verde task` */
export function registerSales(task: Command): void {
  const sends = (name: string, description: string): Command =>
    addPostedOption(addSendOptions(task.command(name).description(description)));

  addAllowanceOption(addPledgeOptions(sends("pledge", "set aside what the final weights of a task are worth")))
    .argument("<task>", "the task's id, 0x and 64 digits")
    .action(pledge);
  addAllowanceOption(sends("sell", "as a seat: seal the final checkpoint, and offer it"))
    .argument(...SALE)
    .argument("<trace>", "the run that the seat has claimed")
    .requiredOption("--out <file>", "the sealed checkpoint to write; an existing file is never overwritten")
    .action(sell);
  sends("buy", "check a sealed checkpoint against the settled run and the offer, and take the offer")
    .argument(...SALE)
    .argument(...FILE)
    .action(buy);
  sends("release", "as the seller: release the key")
    .argument(...SALE)
    .action(release);
  sends("open", "decrypt a sealed checkpoint; a wrong chunk is shown on the chain, and exits with 1")
    .argument(...SALE)
    .argument(...FILE)
    .requiredOption("--out <file>", "the weights to write (safetensors); an existing file is never overwritten")
    .option("--finish", "pay the seller at once, if all chunks are right")
    .action(open);
  sends("settle", "end a sale whose deadline has passed: pay, give back, or burn")
    .argument(...SALE)
    .action(settle);
  addChainOptions(task.command("sales").description("list the sales of a task"))
    .argument("<task>", "the task's id, 0x and 64 digits")
    .action(sales);
}
