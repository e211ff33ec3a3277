/** The trace that the server was started with. */
import { FormatError } from "../../errors/index.ts";
import { blobSource, type TraceSource } from "../../trace/source.ts";
import type { TraceListing } from "../../services/trace-files.ts";

/** The trace that the server has. `undefined` if it was started without one. */
export async function servedListing(): Promise<TraceListing | undefined> {
  return ((await (await get("/trace")).json()) as TraceListing | null) ?? undefined;
}

/** The trace as a source. Its files are fetched when they are needed. */
export async function servedSource({ path, files }: TraceListing): Promise<TraceSource> {
  const trace = await (await get("/trace/trace")).blob();
  return blobSource(path, trace, files, async (name) => (await get(`/trace/data/${name}`)).blob());
}

/** @throws {FormatError} when the server does not have it, or does not answer */
async function get(path: string): Promise<Response> {
  const response = await fetch(path).catch(() => undefined);
  if (!response)
    throw new FormatError("UNREADABLE", "the server does not answer; is `verde serve` still running?", { path });
  if (!response.ok)
    throw new FormatError(
      response.status === 404 ? "MISSING" : "UNREADABLE",
      `the server has no ${path} (${response.status}); load the page again`,
      { path },
    );
  return response;
}
