/** `verde referee serve`: a member of a committee that judges by itself. */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { Bench, ownWord } from "../services/referee/bench.ts";
import { judge } from "../services/referee/referee.ts";
import { parseDuration } from "../settlement/duration.ts";
import { signerOf } from "./account.ts";
import { openClaims } from "./claims.ts";
import { networkKey, networksOf } from "./network.ts";
import { addNetworkOptions, expectNetwork, type NetworkFlags } from "./network-options.ts";
import { sayNow } from "./output.ts";
import { Sender } from "./send.ts";
import { openSession } from "./session.ts";
import { addSendOptions, type SendFlags } from "./session-options.ts";
import { endSignal } from "./stop.ts";
import { addTokenOption } from "./token.ts";

interface Flags extends SendFlags, NetworkFlags {
  every: string;
  patience: string;
  witness?: boolean;
  forfeitSilent?: boolean;
}

export function register(referee: Command): void {
  const serve = referee
    .command("serve")
    .description("watch for disputes, ask those who answer for the claims, sign rulings, and submit them")
    .option("--every <time>", "how often to look", "4s")
    .option("--patience <time>", "how long a party has for one answer", "10m")
    .option("--witness", "also sign rulings of your own, which rest on your word")
    .option("--forfeit-silent", "with --witness: a party that gives no answer loses");
  addTokenOption(addNetworkOptions(addSendOptions(serve))).action(serveReferee);
}

async function serveReferee(flags: Flags): Promise<void> {
  const network = expectNetwork(flags);
  if (flags.forfeitSilent && !flags.witness)
    throw new UsageError("CONFLICT", "that a party is silent rests on your word; add --witness to --forfeit-silent");
  const say = (sentence: string): void => sayNow(sentence, flags.json);
  const signal = endSignal();
  const networks = await networksOf(flags);
  try {
    const session = await openSession(flags, { agreement: "majority", onDissent: say });
    const account = await signerOf(flags);
    const sender = await Sender.open(session, flags);
    const claims = await openClaims(flags);
    const key = await networkKey(flags);
    say(`referee ${account.address} is on ${network} as ${key.publicKey}`);
    const bench = new Bench({
      session,
      network,
      reach: networks.reach,
      claims,
      ...(flags.witness && { own: await ownWord(account.address, claims) }),
      forfeitSilent: flags.forfeitSilent ?? false,
      timeout: 1000 * Math.max(parseDuration(flags.patience), 1),
    });
    await judge({
      session,
      account,
      send: (call) => sender.send(call),
      open: () => networks.at(network),
      key,
      bench,
      everyMillis: 1000 * Math.max(parseDuration(flags.every), 1),
      signal,
      say,
    });
  } finally {
    await networks.close();
  }
}
