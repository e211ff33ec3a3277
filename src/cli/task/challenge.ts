/** `verde task challenge` and `escalate`: who brings a dispute, and posts a bond for the gas of the game. */
import { plainJson } from "../../encoding/json.ts";
import { ChainError } from "../../errors/index.ts";
import { formatTime } from "../../settlement/amount.ts";
import { bondDueTo } from "../../settlement/game/bond.ts";
import type { SendFlags } from "../session-options.ts";
import { challengeTo, saltOf } from "./commitment.ts";
import { bondText } from "./game.ts";
import { claimTrace } from "./job.ts";
import { expectWithinPolicy, type RiskFlags } from "./risk.ts";
import { expectState, move, rootOf, sceneOf } from "./scene.ts";
import { seatOf } from "./seat.ts";
import { expectTrusted, type Trusted } from "./trust.ts";

export async function challenge(id: string, path: string, flags: SendFlags & Trusted & RiskFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task } = scene;
  expectState(scene, "challenge", task.state === "Challengeable");
  expectTrusted(task.terms, scene.session.deployment, flags);
  await expectWithinPolicy(scene.session, task.terms, "challenger", flags);
  const root = await rootOf(path, task);
  if (task.claims.includes(root))
    throw new ChainError("NOTHING_DUE", `${path} has the root that stands, ${root}: there is nothing to challenge`, {
      root,
    });
  if (!flags.dryRun) await claimTrace(path, task.terms, scene.sender.address);
  const commitment = challengeTo(scene, root, await saltOf(scene));
  const args = [task.terms, task.claims[0], commitment];
  const gasBond = await bondDueTo(scene.session.client, task, scene.sender.address);
  const posted = gasBond ? `, with a bond of ${bondText(gasBond)} for the game` : "";
  const from = formatTime(task.deadline + 1);
  const next = `${scene.sender.address} challenges${posted}. Reveal with \`verde task reveal\` from ${from} on, or let \`verde defend\` do it.`;
  await move(scene, flags, "challenge", args, { root, gasBond: plainJson(gasBond ?? null) }, next, gasBond);
}

/** A loser takes the dispute to the game, which executes the scalar step at which the claims differ. */
export async function escalate(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task } = scene;
  expectState(scene, "escalate", task.phase === "Ruled");
  const { seat } = seatOf(task, scene.sender.address);
  const gasBond = await bondDueTo(scene.session.client, task, scene.sender.address);
  const posted = gasBond ? `The bond of ${bondText(gasBond)} for the game is posted. ` : "";
  const facts = { seat, gasBond: plainJson(gasBond ?? null) };
  const args = [task.terms, task.ruling, BigInt(seat)];
  await move(scene, flags, "escalate", args, facts, `${posted}Defend the claim with \`verde defend\`.`, gasBond);
}
