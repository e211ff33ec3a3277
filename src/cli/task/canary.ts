/** `verde task canary`: shows that the client knew the root of a task, and who has passed. */
import { type Hex, parseEventLogs, zeroHash } from "viem";
import { ChainError } from "../../errors/index.ts";
import { ABIS } from "../../settlement/contracts.ts";
import type { Terms } from "../../settlement/task.ts";
import type { Sender } from "../send.ts";
import type { SendFlags } from "../session-options.ts";
import { expectState, rootOf, sceneOf } from "./scene.ts";

/**
 * The secret with which the salt of a task hides the root of a run. There is none in a dry run.
 * @throws {ChainError} when it does not hide it
 */
export async function canarySecretIn(
  { secrets, address }: Sender,
  terms: Terms,
  root: Hex,
  path: string,
): Promise<Hex | undefined> {
  const secret = await secrets?.findCanarySecret(terms, root);
  if (secret !== undefined || secrets === undefined) return secret;
  throw new ChainError(
    "NO_SECRET",
    `the salt of the terms does not hide the root of ${path}, ${root}; use the account and the trace that it was posted with`,
    { address, root },
  );
}

export async function canary(id: string, path: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, sender } = scene;
  const { state, claims, terms } = task;
  const root = await rootOf(path, task);
  const secret = await canarySecretIn(sender, terms, root, path);
  if (state === "Challengeable" && claims[0] !== root)
    throw new ChainError(
      "STATE",
      `the claim that stands is ${claims[0]}, and not the root of ${path}, ${root}; challenge it with \`verde task challenge\``,
      { expected: root, found: claims[0] },
    );
  expectState(scene, "show the canary", state === "Final");
  const args = [terms, root, secret ?? zeroHash];
  const receipt = await sender.send({ contract: "canaries", functionName: "show", args });
  const events = parseEventLogs({ abi: ABIS.canaries, logs: receipt?.logs ?? [] });
  const of = (name: "CanaryPassed" | "CanaryFailed") =>
    events.flatMap((event) => (event.eventName === name ? [event.args.owner] : []));
  const [passed, failed] = [of("CanaryPassed"), of("CanaryFailed")];
  sender.report(
    flags.json ?? false,
    { task: task.id, root, passed, failed },
    `${task.id} was a canary.`,
    ...passed.map((owner) => `  ${owner} has passed`),
    ...failed.map((owner) => `  ${owner} has failed, and lost its stake`),
  );
}
