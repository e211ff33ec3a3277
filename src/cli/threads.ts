/** `--threads`: on how many threads a command computes. */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { setThreads, threads as threadsNow } from "../repops/backends/threads.ts";

export function addThreadsOption(command: Command): Command {
  return command
    .option(
      "--threads <n>",
      "threads that compute; the results do not depend on it (default: VERDE_THREADS, or all cores)",
    )
    .hook("preAction", () => {
      const { threads } = command.opts<{ threads?: string }>();
      if (threads !== undefined && !/^\d+$/.test(threads))
        throw new UsageError(
          "VALUE",
          `--threads ${quote(threads)} is no number of threads; write a whole number from 1 to 256`,
        );
      setThreads(threads === undefined ? undefined : Number(threads));
      // A wrong VERDE_THREADS is refused before anything is done.
      threadsNow();
    });
}
