/** `verde worker`: computes shards of training steps for a run on another machine. */
import { once } from "node:events";
import type { Command } from "commander";
import { openBackend } from "../certify/open-backend.ts";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { parseFault } from "../trace/fault.ts";
import { addListenOptions, exposure, type ListenFlags, placeOf, tlsOf } from "./listen.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { addThreadsOption } from "./threads.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";

interface Flags extends TokenFlags, ListenFlags {
  backend?: string;
  most: string;
  fault?: string;
  untilInputEnds?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("worker")
    .description("compute shards of training steps for `verde run --workers` elsewhere")
    .option("--backend <name>", `${BACKEND_NAMES}, auto (default), or a module that exports one`)
    .option("--most <MiB>", "the most bytes of a message; the first one holds the job with its dataset", "1024")
    .option("--fault <fault>", "lie on purpose, for drills: flip:step=S,operator=N,element=E,bit=B")
    .option("--until-input-ends", "end when the standard input ends, for processes that start workers")
    .option("--json", "one JSON object, as soon as it can be asked");
  addTokenOption(addThreadsOption(addListenOptions(command, "127.0.0.1:8851"))).action(work);
}

async function work(flags: Flags): Promise<void> {
  const place = placeOf(flags.listen, "--listen");
  const token = (await tokensOf(flags))(`http://${flags.listen}/`);
  const tls = await tlsOf(flags);
  const fault = flags.fault === undefined ? undefined : parseFault(flags.fault);
  if (fault && fault.kind !== "flip")
    throw new UsageError("VALUE", `--fault ${quote(flags.fault)} is none of a worker; write flip:step=S,operator=N,element=E,bit=B`); // prettier-ignore
  const { serveWorker } = await import("../services/worker-server.ts");
  const server = await serveWorker({
    ...place,
    ...(token !== undefined && { token }),
    ...(tls && { tls }),
    most: mostOf(flags.most),
    ...(fault && { fault }),
    backendFor: async (job) => {
      const load = { list: job.step, times: job.steps };
      return (await openBackend(flags.backend, { load, say: reportLine })).backend;
    },
    say: reportLine,
  });
  // Listens for the signals before the output says that Ctrl-C ends it.
  const ends = [once(process, "SIGINT"), once(process, "SIGTERM")];
  if (flags.untilInputEnds) ends.push(once(process.stdin.resume(), "close"));
  const ended = Promise.race(ends);
  if (flags.json) writeJson({ schemaVersion: 1, url: server.url });
  else writeLine(`computing shards at ${colors.bold(server.url)}`, colors.dim("Ctrl-C ends it."));
  if (fault) reportLine(colors.yellow("verde: a drill: this worker lies"));
  for (const line of exposure(place.host, token !== undefined, tls !== undefined)) reportLine(line);
  await ended;
  await server.close();
}

function mostOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text) * 2 ** 20;
  throw new UsageError("VALUE", `--most ${quote(text)} is no number of MiB; write one from 1 to 99999`);
}
