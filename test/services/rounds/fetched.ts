/** Records that are served and fetched, and servers that send something else. */
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LogWriter } from "../../../src/rounds/log.ts";
import { openEmpty } from "../../../src/rounds/begin-record.ts";
import { logFile, type RoundsRecord } from "../../../src/rounds/record.ts";
import { RecordFetch } from "../../../src/services/rounds/fetch.ts";
import type { Fetched, FetchOptions } from "../../../src/services/rounds/fetch-options.ts";
import { type AskedOfServer, messages, type Reply } from "../../../src/services/rounds/messages.ts";
import { serveRecord } from "../../../src/services/rounds/record-server.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";

/** What a folder holds, by the names of its files, without what only a fetched record has. */
export function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile() && !/^(evidence\.log|record\.lock)/.test(name)); // prettier-ignore
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name)).toString("hex")]));
}

/** A network of this process on which a folder is served. */
export async function servedFrom(folder: string): Promise<InProcess> {
  const network = new InProcess();
  await serveRecord(network, await openEmpty(folder));
  return network;
}

/** Changes what is asked and answered. */
export type Lie = (reply: Reply, question: AskedOfServer) => Reply | Promise<Reply>;

/** A network whose answers are changed on their way. */
export function lyingOn(network: Transport, lie: Lie): Transport {
  return Object.assign(Object.create(network) as Transport, {
    ask: async (subject: string, question: Parameters<Transport["ask"]>[1]) => {
      const asked = messages.askedOfServer(question.message);
      return messages.reply(await lie(messages.replied(await network.ask(subject, question)), asked));
    },
  });
}

/** Fetches once. */
export async function fetched(options: FetchOptions): Promise<Fetched> {
  const fetch = await RecordFetch.open({ patience: 300, ...options });
  try {
    return await fetch.pass();
  } finally {
    fetch.close();
  }
}

/** Writes the log of a record as its recorder does: round by round, with rolls and marks. */
export async function writeRounds({ folder, plan, all, second, rolls, marks }: RoundsRecord): Promise<void> {
  const log = await LogWriter.open(logFile(folder));
  for (let round = 0; round <= plan.rounds; round++) {
    for (const statement of all) if (statement.round === round) await log.statement(statement);
    for (const roll of rolls.all) if (roll.round === round) await log.roll(roll);
    for (const mark of marks) if (mark.rounds === round + 1) await log.mark(mark);
  }
  for (const statement of second) await log.statement(statement);
}

/** A copy of a record's folder, for a server that changes it. */
export function copied(from: string, to: string): string {
  cpSync(from, to, { recursive: true });
  return to;
}
