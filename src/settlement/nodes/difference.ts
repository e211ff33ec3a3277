/** The errors for nodes that do not agree. They name both answers. */
import { ChainError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { formatDuration } from "../duration.ts";
import type { RpcRequest } from "./endpoint.ts";
import type { Head } from "./head.ts";
import type { Reply } from "./reply.ts";

/** The most characters of an answer in a sentence. */
const SHOWN = 120;

/** @param replies answers of which at least two differ */
export function differing({ method, params }: RpcRequest, replies: readonly Reply[]): ChainError {
  const [first] = replies;
  const other = replies.find(({ text }) => text !== first.text) ?? replies[replies.length - 1];
  const [a, b] = [first.text ?? "nothing", other.text ?? "nothing"];
  // Long answers are shown from shortly before the place at which they differ.
  const from = a.length + b.length < 2 * SHOWN ? 0 : Math.max(0, [...a].findIndex((letter, i) => letter !== b[i]) - 20);
  const said = (text: string): string => `${from > 0 ? "…" : ""}${quote(text.slice(from), SHOWN)}`;
  return new ChainError(
    "NODES_DIFFER",
    `two nodes answer ${method} differently: ${first.node.name} says ${said(a)}, and ${other.node.name} says ` +
      `${said(b)}. One of them is wrong, so nothing is done; find out which one, and omit it`,
    {
      method,
      params: JSON.stringify(params ?? []),
      nodes: [first.node.name, other.node.name],
      expected: first.text,
      found: other.text,
    },
  );
}

/** @param late the newest block of a node, which is too old */
export function lagging(late: Head, newest: Head): ChainError {
  const age = formatDuration(Number(newest.timestamp - late.timestamp));
  return new ChainError(
    "NODES_DIFFER",
    `the newest block of ${late.node.name} is ${late.number}, and that of ${newest.node.name} is ${newest.number}, ${age} ` +
      "younger. One of them is behind, hides blocks or invents them, so nothing is done; omit it, or wait",
    { nodes: [late.node.name, newest.node.name], expected: `${newest.number}`, found: `${late.number}` },
  );
}
