/** How a service is watched: `--metrics` and `--log`, and spans where the environment asks for them. */
import type { Command } from "commander";
import type { Registry } from "prom-client";
import type { Gauges } from "../services/observe/metrics.ts";
import type { ServerOptions } from "../services/server.ts";
import { placeOf } from "./listen.ts";

export interface WatchFlags {
  metrics?: string;
  log?: string;
}

export function addWatchOptions(command: Command): Command {
  return command
    .option("--metrics <address>", "address and port for /health, /ready and /metrics; port 0 is any free one")
    .option("--log <file>", "JSON lines about what it does; - is stderr");
}

/** A service that is watched. */
export interface Watched {
  /** The address for machines that watch it. */
  readonly url?: string;
  /** Stops being watched. What is left is sent. */
  close(): Promise<void>;
}

/**
 * Serves what machines that watch it ask, if the user wants that, and sends spans, if the environment does.
 * The code for both is loaded only then: other commands start without it.
 * @param unready why the service can't do its work now, if it can't
 */
export async function watchService(
  { metrics }: WatchFlags,
  service: string,
  registry: () => Promise<Registry>,
  unready: () => string | undefined,
): Promise<Watched> {
  const place = metrics === undefined ? undefined : placeOf(metrics, "--metrics");
  const { startTracing } = await import("../services/observe/tracing.ts");
  const stopSpans = await startTracing(service);
  if (!place) return { close: stopSpans };
  const { serveWatch } = await import("../services/observe/endpoint.ts");
  const { url, close } = await serveWatch({ ...place, registry: await registry(), unready });
  return { url, close: async () => void (await Promise.all([close(), stopSpans()])) };
}

/** What a server gets, so that it is watched. */
export type WatchedServer = Watched & { readonly options: Pick<ServerOptions, "logger" | "onAnswer"> };

/**
 * @param about what stands in each line of the log
 * @throws {FileError} when the log can't be written
 */
export async function watchServer(
  flags: WatchFlags,
  service: string,
  about: Record<string, string>,
  gauges: Gauges,
  unready: () => string | undefined,
): Promise<WatchedServer> {
  const metrics =
    flags.metrics === undefined
      ? undefined
      : await (await import("../services/observe/metrics.ts")).requestMetrics(gauges);
  const logger =
    flags.log === undefined
      ? undefined
      : (await import("../services/observe/log.ts")).openLog({ to: flags.log, about });
  const watched = await watchService(flags, service, async () => metrics!.registry, unready);
  return { ...watched, options: { ...(logger && { logger }), ...(metrics && { onAnswer: metrics.answered }) } };
}
