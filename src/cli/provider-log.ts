/** What a provider says: to its log, to the file that the user names, and to whoever looks. */
import type { Hex } from "viem";
import { openLog } from "../services/observe/log.ts";
import { reportLine, sayNow } from "./output.ts";
import type { WatchFlags } from "./watched.ts";

/** Says a sentence, perhaps about a task. */
export type Say = (sentence: string, task?: Hex) => void;

/**
 * @param file the provider's own log
 * @throws {FileError} when the log that the user names can't be written
 */
export function sayer(file: string, { log, json }: WatchFlags & { json?: boolean }): Say {
  const onTrouble = (message: string): void => reportLine(`verde: the log can't be written: ${message}`);
  const logs = [file, ...(log === undefined ? [] : [log])].map((to) => openLog({ to, onTrouble }));
  return (sentence, task) => {
    for (const to of logs) to.info(task === undefined ? {} : { task }, sentence);
    sayNow(sentence, json, task === undefined ? {} : { task });
  };
}
