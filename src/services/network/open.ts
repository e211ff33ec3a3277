/** Opens networks by their addresses, each once. */
import { TransportError } from "../../errors/index.ts";
import { isUrl } from "../../formats/http.ts";
import { ANSWER_MILLIS } from "../../game/play.ts";
import type { Channel } from "../../referee/apart/reached.ts";
import { Http, type HttpOptions } from "../transport/http.ts";
import type { Transport } from "../transport/transport.ts";
import type { NetworkKey } from "./key.ts";
import { NetworkChannel, parsePartyAddress } from "./party.ts";

export interface NetworkOptions extends HttpOptions {
  /** The key of the connections. It is asked for when NATS is used first. */
  readonly key?: () => Promise<NetworkKey>;
}

/** @throws {TransportError} when the text is no address, or nobody answers there */
async function openTransport(address: string, { key, ...options }: NetworkOptions = {}): Promise<Transport> {
  if (isUrl(address)) return new Http(address, options);
  if (!/^(nats|tls):\/\/[^/]+$/i.test(address))
    throw new TransportError(
      "ADDRESS",
      `${address} is no address of a network; write nats://HOST:PORT or http://HOST:PORT`,
      {
        found: address,
      },
    );
  // The library is slow to load, and few commands need it.
  const { Nats } = await import("../transport/nats.ts");
  const opened = await key?.();
  return Nats.open(address, opened && { seed: opened.seed });
}

/**
 * The way to a party by its address; nothing for an address of another kind.
 * @param open the transport of a network
 * @param patience milliseconds until an answer has to be there, where the asker does not say it
 */
export const reachOver =
  (open: (network: string) => Promise<Transport>, patience = ANSWER_MILLIS) =>
  async (address: string, timeout = patience): Promise<Channel | undefined> => {
    const party = parsePartyAddress(address);
    return party && new NetworkChannel(await open(party.network), party, timeout);
  };

/** The networks that a command uses. */
export class Networks {
  private readonly options: NetworkOptions;
  private readonly opened = new Map<string, Promise<Transport>>();

  constructor(options: NetworkOptions = {}) {
    this.options = options;
  }

  at(address: string): Promise<Transport> {
    const known = this.opened.get(address);
    if (known) return known;
    const opening = openTransport(address, this.options);
    this.opened.set(address, opening);
    // One that can't be reached now is tried again by the next call.
    opening.catch(() => this.opened.delete(address));
    return opening;
  }

  readonly reach = reachOver((network) => this.at(network));

  async close(): Promise<void> {
    const all = await Promise.allSettled(this.opened.values());
    this.opened.clear();
    for (const one of all) if (one.status === "fulfilled") await one.value.close();
  }
}
