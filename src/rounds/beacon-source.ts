/** Asks servers of a drand network for its values, and waits for those that are not published yet. */
import { type Bytes, fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { messageOf, RoundsError, RunError } from "../errors/index.ts";
import { ask, bodyOf, serverAt } from "../formats/http.ts";
import { type Beacon, beaconRound, isValueOf, VALUE_BYTES } from "./beacon.ts";

/** Finds the value of a beacon for a round of the plan, and waits until there is one. */
export type BeaconSource = (beacon: Beacon, round: number, signal?: AbortSignal) => Promise<Bytes>;

/** What servers answer about a round that is not there yet. */
const NOT_YET = [404, 425] as const;
const PAUSE_MILLIS = 1_000;
/** The most bytes of an answer. */
const MOST = 2 ** 16;

/**
 * Servers of drand's HTTP interface (`GET /CHAIN/public/ROUND`). None of them is believed: a value counts
 * by the network's public key.
 * @param urls asked in their order, until one has the value
 * @param onWait told once for each round whose value is not published yet
 */
export function drandServers(urls: readonly string[], onWait?: (round: number) => void): BeaconSource {
  return async (beacon, round, signal) => {
    const at = beaconRound(beacon, round);
    for (let isFirst = true; ; isFirst = false) {
      const problems: string[] = [];
      for (const url of urls) {
        const found = await valueAt(url, beacon, at);
        if (typeof found === "string") problems.push(found);
        else if (found && isValueOf(beacon, { round, signature: found })) return found;
        else if (found) problems.push(`${url} sent a value that is not that of round ${at}`);
      }
      // Where one of them says that it is not published yet, all are asked again.
      if (problems.length === urls.length)
        throw new RoundsError("UNAVAILABLE", `no server has the beacon's round ${at}, which round ${round} needs: ${problems.join("; ")}; name others with --beacon, and continue with --resume`, { round, beacon: at }); // prettier-ignore
      if (isFirst) onWait?.(at);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
      if (signal?.aborted)
        throw new RunError("STOPPED", `the rounds were stopped while they waited for the beacon's round ${at}; continue them with --resume`, { round, beacon: at }); // prettier-ignore
    }
  };
}

/** The value that a server has, nothing if it has none yet, or what is wrong with its answer. */
async function valueAt(url: string, { chain }: Beacon, at: number): Promise<Bytes | string | undefined> {
  const address = `${serverAt(url).base}${toHex(chain).slice(2)}/public/${at}`;
  try {
    const response = await ask(address, { accept: NOT_YET, timeout: 10_000 });
    if (!response.ok) return void (await response.body?.cancel());
    const text = new TextDecoder().decode(await bodyOf(response, address, MOST));
    const { signature } = parseJson(text, address) as { signature?: unknown };
    return fromHex(`0x${String(signature)}`, VALUE_BYTES);
  } catch (error) {
    return messageOf(error);
  }
}
