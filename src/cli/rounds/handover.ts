/** The commands that hand a record over: what performs them is loaded when it is needed. */
import type { Command } from "commander";
import { addNetworkOptions } from "../network-options.ts";

export function registerHandover(rounds: Command): void {
  const serve = rounds
    .command("serve")
    .description("serve a record on a network, for those who check it; a recorder does so while it runs")
    .argument("<record>", "the folder of a record; it may be written meanwhile")
    .option("--json", "one JSON object on each line");
  addNetworkOptions(serve).action(async (folder: string, flags) =>
    (await import("./serve.ts")).serveRounds(folder, flags),
  );
  const fetch = rounds
    .command("fetch")
    .description("fetch a record from the one that serves it, and check it as it arrives; a folder is continued")
    .argument("<folder>", "where it is kept")
    .option("--terms <file>", "on a chain: the terms of the performance, as `verde rounds post` has written them")
    .option("--instance <id>", "the performance, as its recorder names it; a folder that was begun knows it")
    .option("--follow", "fetch each round as it is closed, until all are there")
    .option("--every <time>", "with --follow: how often to look", "2s")
    .option(
      "--patience <time>",
      "how long the server may be away; with --follow, until that is told (default: 1m, with --follow 5s)",
    ) // prettier-ignore
    .option("--limit <size>", "the most that the folder may hold: 500MiB, 2TiB", "64GiB")
    .option("--json", "one JSON object on each line");
  addNetworkOptions(fetch).action(async (folder: string, flags) =>
    (await import("./fetch.ts")).fetchRounds(folder, flags),
  );
}
