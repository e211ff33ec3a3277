/** `verde rounds stake`: joins a performance on a chain, if its terms are about the plan. */
import type { Command } from "commander";
import { isAddressEqual } from "viem";
import { ChainError, UsageError } from "../../errors/index.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { expectNoRisk } from "../../settlement/risks.ts";
import { numbersOf, readPerformance } from "../../settlement/rounds/performance.ts";
import { ROUND_RISKY_TERMS, roundRisksOf, type RoundRiskyTerm, type RoundRole } from "../../settlement/rounds/risks.ts";
import { instanceOn } from "../../settlement/rounds/terms.ts";
import { allow } from "../allowance.ts";
import { writeLine } from "../output.ts";
import { Sender } from "../send.ts";
import type { SendFlags } from "../session-options.ts";
import { readAccount } from "../stake.ts";
import { formatFields } from "../table.ts";
import { policyFrom } from "../task/risk.ts";
import { type PlanFlags, planOf } from "./plan.ts";
import { openPosted, partyName, stateText, termsFields } from "./terms.ts";

interface Flags extends SendFlags, PlanFlags {
  terms: string;
  policy?: string;
  acceptRisk: readonly string[];
  approve: boolean;
}

export async function stakeRounds(path: string, rest: string[], flags: Flags, command: Command): Promise<void> {
  const accepted = flags.acceptRisk.map(riskyTerm);
  const plan = await planOf(path, rest, flags, command);
  const { session, posted } = await openPosted(flags.terms, flags);
  const { deployment, token } = session;
  const { terms, id } = posted;
  // First of all: a signature in terms about something else would stand for something else.
  instanceOn(plan, terms, posted);
  const game = await session.client.readContract({ address: posted.manager, abi: ABIS.roundManager, functionName: "game" }); // prettier-ignore
  if (!isAddressEqual(game, deployment.roundGame!))
    throw new ChainError("UNTRUSTED", `leaves of this performance are judged by ${game}, not by ${deployment.roundGame}, the deployment's game; it can take your stake, so do not join`, { game, expected: deployment.roundGame, found: game }); // prettier-ignore
  const sender = await Sender.open(session, flags);
  const numbers = numbersOf(posted, sender.address);
  if (numbers.length === 0)
    throw new ChainError("NO_SEAT", `${sender.address} is neither a participant of this performance nor its recorder; use an account of its terms`, { account: sender.address }); // prettier-ignore
  const names = numbers.map((number) => partyName(terms, number, plan));
  if (!flags.json) writeLine(...formatFields([["you are", names.join(", ")], ...termsFields(terms, token, plan.participants.map(({ name }) => name))])); // prettier-ignore
  const policy = await policyFrom(session, { acceptRisk: [], ...(flags.policy !== undefined && { policy: flags.policy }) }); // prettier-ignore
  const count = terms.participants.length;
  const roleOf = (number: number): RoundRole => (number === count ? "recorder" : number < count - (plan.storage?.members ?? 0) ? "participant" : "store"); // prettier-ignore
  for (const role of new Set(numbers.map(roleOf)))
    expectNoRisk(roundRisksOf(terms, policy, token, role), accepted, "performance");
  const view = await readPerformance(session, posted);
  const missing = numbers.filter((number) => !view.joined[number]);
  if (missing.length > 0 && (view.state !== "Joining" || view.now > view.deadline))
    throw new ChainError("STATE", `this is not the time to join; the performance is ${stateText(posted, view)}`, { state: view.state }); // prettier-ignore
  if (missing.length > 0) {
    const wanted = terms.stake * BigInt(missing.length);
    const { active, exposed } = await readAccount(session, deployment.roundVault!, sender.address);
    const free = active > exposed ? active - exposed : 0n;
    if (free < wanted) {
      await allow(session, sender, { name: "vault", address: deployment.roundVault! }, wanted - free, flags.approve);
      await sender.send({ contract: "roundVault", functionName: "deposit", args: [wanted - free] });
    }
    for (const number of missing)
      await sender.send({ contract: "roundManager", functionName: "join", args: [terms, BigInt(number)] });
  }
  const facts = { instance: id, parties: numbers.map((number, i) => ({ number, name: names[i] })), joined: missing.length }; // prettier-ignore
  const done = missing.length === 0
      ? `${names.join(", ")} ${names.length > 1 ? "have" : "has"} joined already.`
      : `${sender.address} has joined as ${names.join(", ")}, with a stake of ${formatAmount(terms.stake, token)}${names.length > 1 ? " each" : ""}.`; // prettier-ignore
  sender.report(flags.json ?? false, facts, done);
}

/** @throws {UsageError} for a term that has no rule */
function riskyTerm(text: string): RoundRiskyTerm {
  const found = ROUND_RISKY_TERMS.find((term) => term === text);
  if (found) return found;
  throw new UsageError("VALUE", `--accept-risk ${text} is no term with a rule; choose from ${ROUND_RISKY_TERMS.join(", ")}`, { found: text, expected: ROUND_RISKY_TERMS }); // prettier-ignore
}
