/** The moves of a task: `verde task commit`, `reveal`, `compare`, and so on. */
import { type Hex, zeroHash } from "viem";
import { ChainError } from "../../errors/index.ts";
import { awaitsReveals, type Challenger, isUnchallenged } from "../../settlement/task.ts";
import type { SendFlags } from "../session-options.ts";
import { challengeTo, commitmentTo, saltOf } from "./commitment.ts";
import { claimTrace } from "./job.ts";
import { expectState, move, rootOf, type Scene, sceneOf } from "./scene.ts";
import { challengeOf, seatOf, warnOfOneNode } from "./seat.ts";
import { parseAddress, parseCount } from "./terms.ts";

export async function commit(id: string, path: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  expectState(scene, "commit", scene.task.state === "Accepted");
  const { seat, commitment } = seatOf(scene.task, scene.sender.address);
  if (commitment !== undefined)
    throw new ChainError("DONE", `seat ${seat} has committed already; \`verde task reveal\` is next`);
  const root = await rootOf(path, scene.task);
  if (!flags.dryRun) await claimTrace(path, scene.task.terms, scene.sender.address);
  const args = [scene.task.id, BigInt(seat), commitmentTo(scene, root, await saltOf(scene))];
  await move(
    scene,
    flags,
    "commit",
    args,
    { seat, root },
    `Seat ${seat} has committed to ${root}. Keep ${path} and its data folder.`,
  );
}

export async function reveal(id: string, path: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, sender } = scene;
  const challenge = challengeOf(task, sender.address);
  if (challenge) return revealChallenge(scene, challenge, path, flags);
  const fits = task.state === "Accepted" ? task.committed === task.seats.length : task.state === "Committed";
  expectState(scene, "reveal", fits);
  const { seat, commitment, root: revealed } = seatOf(task, sender.address);
  if (revealed !== undefined)
    throw new ChainError("DONE", `seat ${seat} has revealed already; wait for the other seats`);
  const root = await rootOf(path, task);
  warnOfOneNode(flags.rpc);
  const salt = await saltOf(scene);
  expectCommitted(`seat ${seat}`, { path, root, salt }, commitmentTo(scene, root, salt), commitment);
  const done = `Seat ${seat} has claimed ${root}.`;
  await move(scene, flags, "reveal", [task.id, BigInt(seat), root, salt], { seat, root }, done);
}

/** Any account may reveal a challenge; here its owner does. */
async function revealChallenge(scene: Scene, { owner, challenge }: Challenger, path: string, flags: SendFlags) {
  const { task } = scene;
  expectState(scene, "reveal", task.phase === "Revealing");
  const root = await rootOf(path, task);
  warnOfOneNode(flags.rpc);
  const salt = await saltOf(scene);
  expectCommitted(owner, { path, root, salt }, challengeTo(scene, root, salt), challenge);
  const done = `${owner} has claimed ${root}.`;
  await move(scene, flags, "revealChallenge", [task.terms, owner, root, salt], { root }, done);
}

/** In a dry run there is no key, so this can't be checked. */
function expectCommitted(
  who: string,
  { path, root, salt }: { path: string; root: Hex; salt: Hex },
  expected: Hex,
  commitment: Hex | undefined,
): void {
  if (salt === zeroHash || expected === commitment) return;
  throw new ChainError(
    "COMMITMENT",
    `${who} has not committed to the root of ${path}, ${root}; name the trace that it committed to`,
    { root },
  );
}

export async function compare(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  expectState(scene, "compare", scene.task.state === "Revealed");
  await move(scene, flags, "compare", [scene.task.id]);
}

export async function finalize(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { deadline, waiting } = scene.task;
  expectState(scene, "finalize", isUnchallenged(scene.task) && scene.now > deadline && waiting.length === 0);
  await move(scene, flags, "finalize", [scene.task.terms]);
}

/** Ends the task's state in the way that its passed deadline allows. */
export async function expire(id: string, flags: SendFlags & { demand?: string; challenge?: string }): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, now } = scene;
  if (flags.challenge !== undefined) {
    const owner = parseAddress(flags.challenge, "--challenge");
    if (!challengeOf(task, owner))
      throw new ChainError(
        "NOTHING_DUE",
        `${owner} has no challenge that is not revealed; \`verde task show\` lists them`,
        {
          owner,
        },
      );
    const over = task.state !== "Challengeable" && task.phase !== "Revealing";
    expectState(scene, `slash the challenge of ${owner}`, over);
    return move(scene, flags, "lapse", [task.terms, owner]);
  }
  if (flags.demand !== undefined) {
    const index = parseCount(flags.demand, "--demand");
    const found = task.waiting.find((waiting) => waiting.index === index);
    if (!found)
      throw new ChainError("NOTHING_DUE", `there is no open demand ${index}; \`verde task show\` lists them`, {
        index,
      });
    expectState(scene, `expire demand ${index}`, isUnchallenged(task) && now > found.demand.deadline);
    return move(scene, flags, "expireDemand", [task.terms, BigInt(index), found.demand]);
  }
  expectState(
    scene,
    "expire it",
    (["Open", "Accepted", "Committed", "Disputed"].includes(task.state) || awaitsReveals(task)) && now > task.deadline,
  );
  if (task.ruling) await move(scene, flags, "enforce", [task.terms, task.ruling]);
  else await move(scene, flags, "expire", [task.terms]);
}
