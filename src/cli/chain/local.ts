/** `verde chain mint` and `verde chain skip`: what a real chain lets nobody do. */
import { numberToHex } from "viem";
import { ChainError, messageOf } from "../../errors/index.ts";
import { formatAmount, formatTime, parseAmount } from "../../settlement/amount.ts";
import { formatDuration, parseDuration } from "../../settlement/duration.ts";
import { writeJson, writeLine } from "../output.ts";
import { Sender } from "../send.ts";
import { connect, openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { parseAddress } from "../task/terms.ts";

export async function chainMint(tokens: string, flags: SendFlags & { to?: string }): Promise<void> {
  const session = await openSession(flags);
  const amount = parseAmount(tokens, session.token);
  const sender = await Sender.open(session, flags);
  const to = flags.to === undefined ? sender.address : parseAddress(flags.to, "--to");
  await sender.send({ contract: "token", functionName: "mint", args: [to, amount] });
  const shown = formatAmount(amount, session.token);
  sender.report(flags.json ?? false, { to, amount: `${amount}` }, `${to} has ${shown} more.`);
}

export async function chainSkip(
  time: string,
  { rpc, json }: { rpc: readonly string[]; json?: boolean },
): Promise<void> {
  const seconds = parseDuration(time);
  const { client } = await connect(rpc);
  const ask = (method: string, params: unknown[]): Promise<unknown> =>
    client.request({ method, params } as never).catch((cause: unknown) => {
      throw new ChainError(
        "CLOCK",
        `the clock of the chain at ${rpc.join(", ")} can't be moved; only development chains allow it, for example \`verde chain node\` (${messageOf(cause).split("\n")[0]})`,
        { rpc },
      );
    });
  await ask("evm_increaseTime", [numberToHex(seconds)]);
  await ask("evm_mine", []);
  const { timestamp } = await client.getBlock();
  if (json) writeJson({ schemaVersion: 1, seconds, timestamp: Number(timestamp) });
  else writeLine(`${formatDuration(seconds)} have passed on the chain: it is ${formatTime(Number(timestamp))} there.`);
}
