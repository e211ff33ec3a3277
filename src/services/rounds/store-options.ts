/** How a store joins a plan on a network. */
import type { Plan } from "../../rounds/plan.ts";
import type { StoreSentence } from "../../rounds/receipt.ts";
import type { Signer } from "../../rounds/signer.ts";
import type { Instance } from "../../rounds/statement.ts";
import type { Transport } from "../transport/transport.ts";

export interface JoinStoreOptions {
  readonly transport: Transport;
  readonly plan: Plan;
  /** Its name in the plan: `store-1`. */
  readonly participant: string;
  /** Where it keeps leaves: a folder for each instance. */
  readonly out: string;
  /** The folder of its key. */
  readonly state: string;
  /** On a chain: the one instance for which it signs, with the key of its account. */
  readonly staked?: { readonly instance: Instance; readonly signer: Signer };
  /** The most bytes that the folder may have. Default: 64 GiB. */
  readonly limit?: number | undefined;
  /** Milliseconds for which an owner may be away while its entries are fetched. Default: a minute. */
  readonly patience?: number | undefined;
  /**
   * Milliseconds for which an owner may still deliver after the recorder has asked for a note of absence.
   * Default: ten seconds.
   */
  readonly notice?: number | undefined;
  /** Told of each sentence that it signs, before it leaves. */
  onSigned?(sentence: StoreSentence, name: string): void;
  /** Told once when the folder is full, in words. */
  onFull?(why: string): void;
  /** Told of a folder of `out` that it can't serve. */
  onSkipped?(folder: string, why: string): void;
}
