/**
 * What a chain can do: the instructions, sizes and prices that the contracts depend on, found by asking a
 * node to execute a few bytes each. A chain that lacks CLZ takes the portable build; what no build can do
 * without is refused before anything is sent.
 */
import { HttpRequestError, type Hex, type PublicClient, TimeoutError } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";

/** Which of the two builds of the judge and the game: with CLZ (EIP-7939), or without. */
export type Build = "osaka" | "portable";

/** What a chain can do, as far as the contracts depend on it. */
export interface Abilities {
  /** The instructions and precompiles that it has. */
  readonly has: Readonly<Record<Part, boolean>>;
  /** The largest contract that it takes, in bytes, of the sizes that are tried; 0 for none. */
  readonly codeBytes: number;
  /** The most gas of a transaction: that of a block, or 2^24 (EIP-7825). */
  readonly transactionGas: number;
  /** The gas of one byte of calldata, in a transaction that executes nothing: 40 with EIP-7623. */
  readonly calldataGas: number;
}

/** Bytes that return one word, and the word. A chain that lacks the instruction reverts. */
const PARTS = {
  PUSH0: { code: "5f60070160005260206000f3", word: 7n, eip: "EIP-3855" },
  MCOPY: { code: "602a6000526020600060205e60206020f3", word: 42n, eip: "EIP-5656" },
  TSTORE: { code: "600960015d60015c60005260206000f3", word: 9n, eip: "EIP-1153" },
  CLZ: { code: "60011e60005260206000f3", word: 255n, eip: "EIP-7939" },
  SHA256: {
    code: "6020600060006000600060025af15060206000f3",
    word: 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855n,
    eip: "the precompile 2",
  },
} as const satisfies Record<string, { code: string; word: bigint; eip: string }>;
type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as Part[];

/** Every contract fits the first (EIP-170). Some chains take more. */
const CODE_SIZES = [24_576, 32_768, 49_152, 65_536];
/** The cap of EIP-7825; and a place in memory, of which a read takes 17.2 million gas, more than the cap. */
const [TRANSACTION_CAP, FAR] = [1 << 24, 0x2d_6a_00];
/** A place that has no code, and is no precompile. */
const NOBODY = "0x000000000000000000000000000000000000dead";
const DATA_BYTES = 1_000;

/**
 * Asks a node what its chain can do.
 * @throws {ChainError} when it does not answer, or executes nothing at all
 */
export async function abilitiesOf(client: PublicClient): Promise<Abilities> {
  // What every EVM does: if this fails, no other answer means anything.
  if ((await returned(client, "600560005260206000f3")) !== 5n)
    throw new ChainError(
      "FAILED",
      "the node does not execute code that is no contract yet (eth_call without `to`), so it can't be asked what its chain can do; use another node",
    );
  const has = {} as Record<Part, boolean>;
  for (const name of NAMES) has[name] = (await returned(client, PARTS[name].code)) === PARTS[name].word;
  let codeBytes = 0;
  for (const size of CODE_SIZES) {
    const made = await attempt(client, "eth_call", { data: `0x62${size.toString(16).padStart(6, "0")}6000f3` });
    if (typeof made !== "string" || made.length !== 2 + 2 * size) break;
    codeBytes = size;
  }
  const { gasLimit } = await client.getBlock();
  const far = await attempt(client, "eth_estimateGas", { data: `0x62${FAR.toString(16).padStart(6, "0")}51500000` });
  const transactionGas = far === undefined ? Math.min(TRANSACTION_CAP, Number(gasLimit)) : Number(gasLimit);
  const [none, some] = await Promise.all(
    [0, DATA_BYTES].map((bytes) =>
      client.estimateGas({ account: NOBODY, to: NOBODY, data: `0x${"ff".repeat(bytes)}` }),
    ),
  );
  return { has, codeBytes, transactionGas, calldataGas: Math.round(Number(some - none) / DATA_BYTES) };
}

/**
 * The build for a chain.
 * @param contractGas the most gas that one of the contracts takes to deploy
 * @throws {ChainError} when no build can run there
 */
export function buildFor({ has, codeBytes, transactionGas }: Abilities, contractGas: number): Build {
  const missing: string[] = NAMES.filter((name) => name !== "CLZ" && !has[name]).map(
    (name) => `${name} (${PARTS[name].eip})`,
  );
  if (codeBytes < CODE_SIZES[0]) missing.push(`contracts of ${CODE_SIZES[0]} bytes (EIP-170)`);
  if (transactionGas < contractGas) missing.push(`transactions of ${contractGas} gas (it takes ${transactionGas})`);
  if (missing.length > 0)
    throw new ChainError(
      "UNSUITABLE",
      `the contracts can't work on this chain, which lacks ${missing.join(", ")}; nothing was sent, use a chain that has what Ethereum has since Cancun`,
      { missing },
    );
  return has.CLZ ? "osaka" : "portable";
}

/** The number that bytes return when they are executed, or `undefined` when they fail. */
async function returned(client: PublicClient, code: string): Promise<bigint | undefined> {
  const found = await attempt(client, "eth_call", { data: `0x${code}` });
  return typeof found === "string" && found.length === 66 ? BigInt(found) : undefined;
}

/** A node's answer, or `undefined` when it refuses. @throws {ChainError} when it does not answer */
async function attempt(client: PublicClient, method: string, call: { data: Hex }): Promise<unknown> {
  const params = method === "eth_call" ? [call, "latest"] : [call];
  return client.request({ method, params } as never).catch((error: unknown) => {
    const lost = [HttpRequestError, TimeoutError].some((kind) => error instanceof kind);
    if (!lost) return undefined;
    throw new ChainError("UNREACHABLE", `the node does not answer: ${messageOf(error).split("\n")[0]}; try again`);
  });
}
