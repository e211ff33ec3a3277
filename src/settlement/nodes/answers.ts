/** What an answer of a node says, as text: two nodes give the same answer if the texts are equal. */

/** The fields of an object that the chain determines. Nodes add others of their own. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  eth_getBlockByNumber: ["hash", "parentHash", "number", "timestamp"],
  eth_getBlockByHash: ["hash", "parentHash", "number", "timestamp"],
  eth_getTransactionReceipt: [
    "transactionHash",
    "blockHash",
    "blockNumber",
    "status",
    "from",
    "to",
    "contractAddress",
    "gasUsed",
    "logs",
  ],
  eth_getLogs: ["address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"],
};
const NUMBERS = [
  "eth_blockNumber",
  "eth_chainId",
  "eth_getBalance",
  "eth_getTransactionCount",
  "eth_estimateGas",
  "eth_gasPrice",
  "eth_maxPriorityFeePerGas",
];

/** @param value the result of the request */
export function textOf(method: string, value: unknown): string {
  if (NUMBERS.includes(method) && typeof value === "string" && /^0x[0-9a-f]+$/i.test(value)) return `${BigInt(value)}`;
  const fields = FIELDS[method];
  return JSON.stringify(fields ? chosen(value, fields) : value)?.toLowerCase() ?? "nothing";
}

function chosen(value: unknown, fields: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => chosen(item, fields)).sort(byText);
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  return fields.map((field) =>
    field === "logs" ? chosen(object[field], FIELDS["eth_getLogs"]) : (object[field] ?? null),
  );
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
