/** `verde serve`: serves a page that checks a trace in a browser tab. */
import { once } from "node:events";
import type { Command } from "commander";
import { writerOf } from "../trace/folder.ts";
import { moduleAssets } from "../web/modules.ts";
import { startServer } from "../web/server.ts";
import { isLocal } from "../services/address.ts";
import { traceFiles } from "../services/trace-files.ts";
import { portFrom } from "./listen.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";

interface Flags {
  host: string;
  port: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("serve")
    .description("serve a page that re-executes the training steps of a trace in a browser, and compares the roots")
    .argument("[trace]", "a trace file; without one, the page asks for files")
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option("--port <number>", "the port to listen on; 0 for any free port", "8329")
    .option("--json", "one JSON object, as soon as the page can be opened")
    .action(async (trace: string | undefined, flags: Flags) => {
      const { host } = flags;
      const port = portFrom(flags.port, "--port");
      const files = trace === undefined ? undefined : await traceFiles(trace);
      const server = await startServer({ host, port, assets: moduleAssets(), ...(files && { trace: files }) });
      // Listens for the signals before the output says that Ctrl-C ends it.
      const ended = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
      if (flags.json) writeJson({ schemaVersion: 1, url: server.url, trace: trace ?? null });
      else writeLine(`${trace ?? "The page"} is at ${colors.bold(server.url)}`, colors.dim("Ctrl-C ends it."));
      const writer = trace === undefined ? undefined : await writerOf(trace);
      if (writer !== undefined)
        reportLine(`verde: ${trace} is not finished: ${writer} is writing it; load the page again when that has ended`);
      if (!isLocal(host))
        reportLine(`verde: other machines can reach ${host}; on those, browsers give the page no WebGPU`);
      await ended;
      await server.close();
    });
}
