/** What stands on the boards of a network, as schemas: whatever does not fit one is not read. */
import { z } from "zod";
import type { Address, Hex } from "viem";
import { PUBLIC_KEY } from "./key.ts";

/** The most offers in a draw. */
export const MOST_OFFERS = 1024;

const word = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const address = z.custom<Address>((value) => typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value));
const bytes = z.custom<Hex>((value) => typeof value === "string" && /^0x([0-9a-f]{2}){1,2048}$/.test(value));
const nkey = z.string().regex(PUBLIC_KEY);
const seconds = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 48);
const count = z.number().int().nonnegative().max(1_000_000);

/** Whose the author's key is (src/settlement/identity.ts). */
const statement = z.strictObject({
  nkey,
  owner: address,
  operator: address,
  nonce: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  expiry: seconds,
  signature: bytes,
});

/** The boards, each with what its notes say. */
export const BOARDS = {
  /** A provider is there: posted again and again, so that one that has gone is soon forgotten. */
  providers: z.strictObject({ statement, tasks: count, most: count }),
  /**
   * A client will post a task with these terms, and draws its providers among those that offer until
   * `closes`, in the chain's time. The terms' salt commits to the secret of the draw.
   */
  wanted: z.strictObject({ statement, task: word, terms: z.looseObject({}), closes: seconds }),
  /** A provider would take a wanted task. */
  offers: z.strictObject({ statement, task: word }),
  /** Whom a client has drawn, with all that the draw follows from (./draw.ts). */
  draws: z.strictObject({
    task: word,
    secret: word,
    block: z.number().int().nonnegative(),
    blockHash: word,
    together: z.boolean(),
    offers: z.array(z.strictObject({ owner: address, operator: address })).max(MOST_OFFERS),
  }),
  /** The author answers for the claim of a seat. */
  provers: z.strictObject({ statement, task: word, root: word }),
  /** Verdict files of a dispute, word by word. */
  verdicts: z.strictObject({ task: word, dispute: count, files: z.array(z.string().max(400_000)).min(1).max(16) }),
  /** A member's signature of a ruling, as `verde referee sign` writes it. */
  rulings: z.strictObject({ task: word, signature: z.string().max(20_000) }),
} as const;

export type Board = keyof typeof BOARDS;
export type Body<B extends Board> = z.infer<(typeof BOARDS)[B]>;
