/**
 * The terms of a task, wherever they come from: the event of its posting, the calldata of the transaction
 * that posted it, a file, or this machine's disk. It does not matter who gives them, since they hash to the
 * task's id.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeFunctionData,
  encodeAbiParameters,
  decodeAbiParameters,
  getAbiItem,
  type Hex,
  parseEventLogs,
  type PublicClient,
} from "viem";
import { parseJson, plainJson } from "../encoding/json.ts";
import { ChainError, FormatError, UsageError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { replaceFile } from "../files/replace.ts";
import { taskManagerAbi } from "./abi/task-manager.ts";
import { type ManagerPlace, taskIdOf } from "./commitment.ts";
import type { Terms } from "./task.ts";

/** Terms, and the block in which they were posted, if that is known. */
export interface Posted {
  readonly terms: Terms;
  readonly block?: bigint;
}

const TERMS = [getAbiItem({ abi: taskManagerAbi, name: "post" }).inputs[0]] as const;

/**
 * The terms that a transaction has posted.
 * @throws {ChainError} when there is no such transaction, or it posts no task
 */
export async function postedBy(client: PublicClient, place: ManagerPlace, hash: Hex): Promise<Posted> {
  const transaction = await client.getTransaction({ hash }).catch((error: unknown) => {
    if ((error as Error).name === "TransactionNotFoundError") return undefined;
    throw error;
  });
  if (!transaction)
    throw new ChainError("TASK_MISSING", `there is no transaction ${hash}; check the hash, and the chain`, { hash });
  const block = transaction.blockNumber ?? undefined;
  const terms = calledTerms(transaction.input) ?? (await loggedTerms(client, place, hash));
  if (!terms)
    throw new ChainError("TASK_MISSING", `the transaction ${hash} posts no task; name the one that did`, { hash });
  return { terms, ...(block !== undefined && { block }) };
}

function calledTerms(data: Hex): Terms | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: taskManagerAbi, data });
    return functionName === "post" ? args[0] : undefined;
  } catch {
    return undefined;
  }
}

/** The terms of a task that a contract, for example a wallet, has posted. */
async function loggedTerms(client: PublicClient, { manager }: ManagerPlace, hash: Hex): Promise<Terms | undefined> {
  const { logs } = await client.getTransactionReceipt({ hash });
  const own = logs.filter(({ address }) => address.toLowerCase() === manager.toLowerCase());
  return parseEventLogs({ abi: taskManagerAbi, eventName: "TaskPosted", logs: own })[0]?.args.terms;
}

/**
 * The terms in a file: what `verde task post --json` or `verde task show --json` prints.
 * @param what names the file, for errors
 * @throws {FormatError} when the text contains no terms
 */
export function parsePosted(text: string, what: string): Posted {
  const content = parseJson(text, what) as {
    terms?: unknown;
    transactions?: readonly { functionName?: unknown; block?: unknown }[];
  } | null;
  const post = content?.transactions?.find(({ functionName }) => functionName === "post");
  const block = Number.isSafeInteger(post?.block) ? BigInt(post!.block as number) : undefined;
  return { terms: termsIn(content?.terms ?? content, what), ...(block !== undefined && { block }) };
}

/** Amounts are texts in a file. So they are encoded and decoded once, which also checks every field. */
function termsIn(value: unknown, what: string): Terms {
  try {
    return decodeAbiParameters(TERMS, encodeAbiParameters(TERMS, [value as Terms]))[0];
  } catch {
    throw new FormatError(
      "MALFORMED",
      `${what} contains no terms of a task; \`verde task post --json\` and \`verde task show --json\` print them`,
      { what },
    );
  }
}

/** Terms that are known: those that were given, and those that are on the disk. */
export class KnownTerms {
  private readonly folder: string | undefined;
  private given: { id: Hex; what: string } | undefined;
  private readonly terms = new Map<Hex, Terms>();

  /** @param folder where terms are kept. Default: nowhere */
  constructor(folder?: string) {
    this.folder = folder;
  }

  /**
   * Takes the terms of the only task that is asked for from now on.
   * @param what names their source, for errors
   */
  give(place: ManagerPlace, terms: Terms, what: string): void {
    const id = taskIdOf(place, terms);
    this.given = { id, what };
    this.terms.set(id, terms);
  }

  /**
   * The terms that hash to this id, if they are known.
   * @throws {UsageError} when those of another task were given
   */
  async find(place: ManagerPlace, id: Hex): Promise<Terms | undefined> {
    if (this.given && this.given.id !== id)
      throw new UsageError(
        "FOREIGN",
        `the terms from ${this.given.what} are those of the task ${this.given.id}, not of ${id}; name those of this task, or omit --terms`,
        { expected: id, found: this.given.id },
      );
    const known = this.terms.get(id) ?? (await this.load(id));
    return known && taskIdOf(place, known) === id ? known : undefined;
  }

  /** Keeps terms under the id to which they hash. */
  async keep(id: Hex, terms: Terms): Promise<void> {
    if (this.terms.has(id)) return;
    this.terms.set(id, terms);
    if (this.folder === undefined) return;
    try {
      await makeFolder(this.folder, 0o700);
      await replaceFile(this.fileOf(this.folder, id), JSON.stringify(plainJson({ terms })), { mode: 0o600 });
    } catch {
      // A disk that is full costs time, and no command.
    }
  }

  private async load(id: Hex): Promise<Terms | undefined> {
    if (this.folder === undefined) return undefined;
    const file = this.fileOf(this.folder, id);
    try {
      return parsePosted(await readFile(file, "utf8"), file).terms;
    } catch {
      // Terms that are missing or damaged are read from the chain.
      return undefined;
    }
  }

  private fileOf(folder: string, id: Hex): string {
    return join(folder, `${id.slice(2)}.json`);
  }
}
