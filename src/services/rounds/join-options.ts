/** How a participant joins a plan on a network. */
import type { Backend } from "../../repops/backends/backend.ts";
import type { PlantedFault } from "../../rounds/fault.ts";
import type { LeafNews } from "../../rounds/leaf-news.ts";
import type { LeafPlace, Plan } from "../../rounds/plan.ts";
import type { Signer } from "../../rounds/signer.ts";
import type { Instance } from "../../rounds/statement.ts";
import type { SilentStore } from "../../rounds/store.ts";
import type { Transport } from "../transport/transport.ts";

export interface JoinOptions {
  readonly transport: Transport;
  readonly plan: Plan;
  /** Its name in the plan: `worker-2`. */
  readonly participant: string;
  /** Where it alone keeps what it reads and computes: a folder for each instance. */
  readonly out: string;
  /** The folder of its key. */
  readonly state: string;
  readonly backend: Backend | string;
  /** On a chain: the one instance for which it signs, with the key of its account. */
  readonly staked?: { readonly instance: Instance; readonly signer: Signer };
  /** What it does wrong, for drills. Without a stake it signs with another key then. */
  readonly faults?: readonly PlantedFault[];
  /** Milliseconds for which the recorder may be away. Default: a minute. */
  readonly patience?: number;
  /** How often a leaf keeps its state, in training steps (`RunRoundsOptions.checkpointEvery`). */
  readonly checkpointEvery?: number | undefined;
  /** Told when a leaf continues from a state that it had kept, or can't. */
  onNews?(place: LeafPlace, name: string, news: LeafNews): void;
  /** Told of each leaf, when it is signed. */
  onLeaf?(place: LeafPlace, name: string): void;
  /** Told of each store that signs no receipt for a leaf. */
  onSilent?(silent: SilentStore & { readonly name: string }): void;
  /** Told of each leaf without which the recorder has closed its turn. */
  onClosed?(place: LeafPlace, name: string): void;
}
