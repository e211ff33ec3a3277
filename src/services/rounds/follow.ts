/** Fetches a record while it is made, until it is whole. */
import { messageOf, RoundsError } from "../../errors/index.ts";
import { sleep } from "../provider/sleep.ts";
import { RecordFetch } from "./fetch.ts";
import type { Fetched, FetchOptions } from "./fetch-options.ts";

export interface FollowOptions extends FetchOptions {
  /** Milliseconds between two looks. */
  readonly everyMillis: number;
  /** Told of what does not work at the moment, once in a row. Everything is tried again. */
  onTrouble?(sentence: string): void;
}

/** Milliseconds after which a server that is away is told. It is asked for ever. */
const AWAY_MILLIS = 5_000;
/** What can only be mended by the one that has started this. */
const LOCAL: ReadonlySet<string> = new Set(["VERDE_ROUNDS_FOREIGN", "VERDE_ROUNDS_LIMIT"]);

/**
 * Fetches each round as it is closed, until all rounds and all files are there, or the signal comes.
 * @returns what is there; nothing if the signal came before anything was
 * @throws {RoundsError | FileError} for the folder's own failures alone
 */
export async function followRecord(options: FollowOptions): Promise<Fetched | undefined> {
  const { everyMillis, signal, patience = AWAY_MILLIS, onTrouble } = options;
  const fetch = await RecordFetch.open({ ...options, patience });
  let fetched: Fetched | undefined;
  let said = "";
  const say = (sentence: string): void => {
    if (sentence !== said && sentence !== "") onTrouble?.(sentence);
    said = sentence;
  };
  try {
    for (;;) {
      try {
        fetched = await fetch.pass();
        const { lacking, isWhole } = fetched;
        if (isWhole && lacking.length === 0) break;
        say(lacking.map(({ round, name, why }) => `${name} of round ${round} is lacking: ${why}`)[0] ?? "");
      } catch (error) {
        if (!(error instanceof RoundsError) || LOCAL.has(error.code)) throw error;
        say(messageOf(error));
      }
      await sleep(everyMillis, signal);
      if (signal?.aborted) break;
    }
    return fetched;
  } finally {
    fetch.close();
  }
}
