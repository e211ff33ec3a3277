/** What a seat commits to, before it shows its claim. */
import { type Hex, zeroHash } from "viem";
import { challengeCommitment, commitmentOf } from "../../settlement/commitment.ts";
import type { Scene } from "./scene.ts";

/** The salt of the sender. Zero in a dry run, which has no key. */
export async function saltOf({ sender, task }: Scene): Promise<Hex> {
  return (await sender.salt(task.id)) ?? zeroHash;
}

/** A provider's commitment. */
export function commitmentTo({ session, sender, task }: Scene, root: Hex, salt: Hex): Hex {
  return commitmentOf(session.deployment, task.id, sender.address, root, salt);
}

/** A challenger's commitment, against the claim that stands. */
export function challengeTo({ session, sender, task }: Scene, root: Hex, salt: Hex): Hex {
  const challenged = { task: task.id, standing: task.claims[0] };
  return challengeCommitment(session.deployment, challenged, sender.address, root, salt);
}
