/** Who may take the seats of a task: `--seats` of `verde task post`, and what the client does about seats. */
import { type Address, type Hex, parseEventLogs, zeroAddress, zeroHash } from "viem";
import { ChainError } from "../../errors/index.ts";
import { formatTime } from "../../settlement/amount.ts";
import { ABIS } from "../../settlement/contracts.ts";
import type { Deployment } from "../../settlement/deployment.ts";
import { policyOf, readDraw, seatKind } from "../../settlement/seats.ts";
import { canarySaltOf } from "../../settlement/secrets.ts";
import type { TaskView, Terms } from "../../settlement/task.ts";
import type { Sender } from "../send.ts";
import type { SendFlags } from "../session-options.ts";
import { untilAfter } from "../after-block.ts";
import { canarySecretIn } from "./canary.ts";
import { expectState, move, rootOf, sceneOf } from "./scene.ts";
import { seatOf } from "./seat.ts";
import { parseAddress } from "./terms.ts";

/** Who may take the seats of a task. */
export interface SeatRule {
  readonly kind: "anyone" | "list" | "draw";
  /** Who is named, for a list. */
  readonly owners: readonly Address[];
}

/**
 * @param flag `anyone`, `drawn`, or addresses with commas between them; default: `anyone`
 * @throws {UsageError} for something else
 */
export function seatRuleFrom(flag: string | undefined): SeatRule {
  if (flag === undefined || flag === "anyone") return { kind: "anyone", owners: [] };
  if (flag === "drawn") return { kind: "draw", owners: [] };
  return { kind: "list", owners: flag.split(",").map((text) => parseAddress(text.trim(), "--seats")) };
}

/** The contract that keeps a rule. @throws {ChainError} when the deployment has none */
export function policyFor(deployment: Deployment, { kind }: SeatRule): Address {
  if (kind === "anyone") return zeroAddress;
  return policyOf(deployment, kind === "list" ? "seatList" : "seatDraw");
}

/** Names owners for the seats of a task. */
export async function nameOwners(sender: Sender, terms: Terms, owners: readonly Address[]): Promise<void> {
  if (owners.length > 0) await sender.send({ contract: "seatList", functionName: "allow", args: [terms, owners] });
}

/** `verde task admit`: names more owners. */
export async function admit(id: string, texts: readonly string[], flags: SendFlags): Promise<void> {
  const owners = texts.map((text) => parseAddress(text, "the owner"));
  const { session, sender, task } = await sceneOf(id, flags);
  if (seatKind(session.deployment, task.terms) !== "list")
    throw new ChainError("NOTHING_DUE", "the seats of this task have no list; `verde task post --seats` makes one");
  await nameOwners(sender, task.terms, owners);
  sender.report(flags.json ?? false, { task: task.id, owners }, `${owners.join(", ")} may take a seat.`);
}

/** `verde task leave`: gives a seat back. */
export async function leave(id: string, flags: SendFlags): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { task, sender } = scene;
  expectState(scene, "leave a seat", task.state === "Open");
  const { seat } = seatOf(task, sender.address);
  const done = `${sender.address} has left seat ${seat}, and has its stake back.`;
  await move(scene, flags, "leaveSeat", [task.id, BigInt(seat)], { seat }, done);
}

/** `verde task draw`: ends the offers, and draws who may take the seats. */
export async function draw(id: string, flags: SendFlags & { canary?: string }): Promise<void> {
  const scene = await sceneOf(id, flags);
  const { session, sender, task, now } = scene;
  const { terms } = task;
  expectState(scene, "draw its seats", task.state === "Open");
  if (seatKind(session.deployment, terms) !== "draw")
    throw new ChainError(
      "NOTHING_DUE",
      "the seats of this task are not drawn; `--seats drawn` posts one whose seats are",
    );
  const { drawn, number, closes, offers } = await readDraw(session, task);
  if (drawn) throw new ChainError("DONE", "the seats are drawn already; `verde task show` says who has taken one");
  if (now <= closes)
    throw new ChainError(
      "STATE",
      `offers are taken until ${formatTime(closes)}, and there are ${offers} so far; draw after that`,
      { closes, offers },
    );
  const secret = await drawSecretIn(sender, task, flags.canary);
  if (number === 0) await sender.send({ contract: "seatDraw", functionName: "close", args: [terms] });
  if (sender.secrets !== undefined) await untilAfter(session, (await readDraw(session, task)).number);
  const receipt = await sender.send({ contract: "seatDraw", functionName: "draw", args: [terms, secret] });
  const events = parseEventLogs({ abi: ABIS.seatDraw, eventName: "SeatDrawn", logs: receipt?.logs ?? [] });
  const order = events.map(({ args }) => args.owner);
  const [first, reserves] = [order.slice(0, terms.providers), order.slice(terms.providers)];
  const lines = [
    `${offers} accounts have offered; drawn are`,
    ...first.map((owner) => `  ${owner}`),
    ...(reserves.length > 0 ? ["and as reserves", ...reserves.map((owner) => `  ${owner}`)] : []),
  ];
  sender.report(flags.json ?? false, { task: task.id, offers, drawn: first, reserves }, ...lines);
}

/** The secret to which a task's salt commits. In a dry run there is none. */
async function drawSecretIn(sender: Sender, task: TaskView, canary: string | undefined): Promise<Hex> {
  const { terms } = task;
  if (canary === undefined) return (await sender.secrets?.findDrawSecrets(terms))?.[0] ?? zeroHash;
  const root = await rootOf(canary, task);
  return canarySaltOf(root, (await canarySecretIn(sender, terms, root, canary)) ?? zeroHash);
}

/** The rule of terms, for people. */
export function seatsText(deployment: Deployment, terms: Pick<Terms, "seatPolicy">): string {
  const texts = {
    anyone: "for anyone with enough stake",
    list: "for owners that the client names",
    draw: "drawn among those that offer",
    other: `as the contract ${terms.seatPolicy} says`,
  } as const;
  return texts[seatKind(deployment, terms)];
}
