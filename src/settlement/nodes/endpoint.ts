/** Nodes that answer JSON-RPC requests, and what they answer when they do not. */
import { BaseError, http, HttpRequestError, SocketClosedError, TimeoutError, WebSocketRequestError } from "viem";
import { ChainError } from "../../errors/index.ts";

export interface RpcRequest {
  readonly method: string;
  readonly params?: unknown;
}

/** A node of a chain. */
export interface Endpoint {
  /** Its name for people. It is not the whole URL, which may contain a secret key. */
  readonly name: string;
  /** Asks once. It rejects when the node is away, or refuses. */
  request(request: RpcRequest): Promise<unknown>;
}

/** How often a request is repeated when the connection fails. */
export const RETRIES = 2;
/** A range of blocks that is refused is not asked for again: a smaller one is (../logs/reader.ts). */
const RETRYING: Readonly<Record<string, { retryCount: number }>> = { eth_getLogs: { retryCount: 0 } };

/**
 * The nodes at these addresses, in their order.
 * @throws {ChainError} for a text that is not an address, and for an address that is named twice
 */
export function endpointsAt(urls: readonly string[]): Endpoint[] {
  for (const url of urls)
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new ChainError(
        "RPC",
        `--rpc ${JSON.stringify(url)} is not the address of a node; write one that begins with http:// or https://`,
        { found: url },
      );
  const twice = urls.find((url, i) => urls.indexOf(url) !== i);
  if (twice !== undefined)
    throw new ChainError(
      "RPC",
      `--rpc names ${new URL(twice).origin} twice; to compare a node with itself shows nothing, so name another one`,
      { found: new URL(twice).origin },
    );
  const origins = urls.map((url) => new URL(url).origin);
  return urls.map((url, i) => {
    const { request } = http(url, { retryCount: RETRIES })({ retryCount: RETRIES });
    const ofOrigin = origins.slice(0, i).filter((origin) => origin === origins[i]).length;
    const name = ofOrigin === 0 ? origins[i] : `${origins[i]} (${ofOrigin + 1})`;
    return { name, request: (asked) => request(asked as never, RETRYING[asked.method]) };
  });
}

const LOST = [HttpRequestError, TimeoutError, SocketClosedError, WebSocketRequestError];

/** Whether a request got no answer: the node may be away for a while. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  return error.walk((cause) => LOST.some((kind) => cause instanceof kind)) !== null;
}

/** Whether the chain has executed a call, and the call has reverted. All other errors are the node's own. */
export function isRevert(error: unknown): boolean {
  if (!(error instanceof BaseError) || isLost(error)) return false;
  return (
    error.walk((cause) => {
      const { code, data, details, message } = cause as {
        code?: unknown;
        data?: unknown;
        details?: string;
        message: string;
      };
      const bytes = typeof data === "object" && data !== null && "data" in data ? data.data : data;
      const hasBytes = typeof bytes === "string" && /^0x[0-9a-f]*$/i.test(bytes);
      return code === 3 || hasBytes || /revert|invalid opcode|out of gas/i.test(`${details ?? ""} ${message}`);
    }) !== null
  );
}
