/** What one node has answered. */
import { HttpRequestError } from "viem";
import { textOf } from "./answers.ts";
import { type Endpoint, isLost, isRevert, type RpcRequest } from "./endpoint.ts";

export interface Reply {
  readonly node: Endpoint;
  readonly value?: unknown;
  /** What it says. `undefined` if the node gave no answer. */
  readonly text?: string;
  readonly error?: unknown;
}

/** Asks a node. It never fails: that there is no answer is told by the reply. */
export async function replyOf(node: Endpoint, request: RpcRequest): Promise<Reply> {
  try {
    const value = await node.request(request);
    return { node, value, text: textOf(request.method, value) };
  } catch (error) {
    // That a call reverts is an answer of the chain. Nodes word it differently.
    const isAnswer = ["eth_call", "eth_estimateGas"].includes(request.method) && isRevert(error);
    return { node, error: named(node, error), ...(isAnswer && { text: "it reverts" }) };
  }
}

/** The error of a node that is away, with its name. */
function named({ name }: Endpoint, error: unknown): unknown {
  if (!isLost(error)) return error;
  const { details, status } = error as { details?: string; status?: number };
  // No cause: the library would show the cause's details instead of these.
  return new HttpRequestError({ url: name, details: `${name}: ${details ?? "no answer"}`, ...(status && { status }) });
}

/** The value of a reply. @throws its error */
export function settled({ value, error }: Reply): unknown {
  if (error !== undefined) throw error;
  return value;
}
