/** Which open tasks a provider takes: those that it can run and afford, with terms that its policy allows. */
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { ABIS } from "../../settlement/contracts.ts";
import { messageOf } from "../../errors/index.ts";
import type { JobOutline } from "../../job/closed.ts";
import type { Build } from "../../settlement/abilities.ts";
import { ETHER, formatAmount, formatFee } from "../../settlement/amount.ts";
import { bondOf, TASK_GAS } from "../../settlement/game/bond.ts";
import { expectSettleable } from "../../settlement/game/lengths.ts";
import { jobTermsOf } from "../../settlement/job-terms.ts";
import type { Policy } from "../../settlement/policy.ts";
import { type RiskyTerm, risksOf } from "../../settlement/risks.ts";
import type { Session } from "../../settlement/session.ts";
import type { TaskView, Terms } from "../../settlement/task.ts";
import { longestGame } from "../../settlement/terms.ts";

/** Under which conditions a provider takes a task. */
export interface Conditions {
  policy: Policy;
  /** Risks that are accepted although the policy refuses them. */
  accepted: readonly RiskyTerm[];
  /** The contracts that may decide disputes, beside none. */
  committees: readonly Address[];
  games: readonly Address[];
}

/**
 * Why a provider does not take a task; `undefined` if it does.
 * @param job the task's job, if it can run that
 * @param carried the games of the tasks that it carries at the moment; the zero address for none
 */
export async function objection(
  session: Session,
  view: TaskView,
  owner: Address,
  { policy, accepted, committees, games }: Conditions,
  job: JobOutline | undefined,
  carried: readonly Address[],
): Promise<string | undefined> {
  const { terms, seats, state } = view;
  if (state !== "Open" || seats.length >= terms.providers) return "its seats are taken";
  if (!job) return `there is no job file for ${terms.job}`;
  const mismatch = mismatchOf(terms, job, session.deployment.build);
  if (mismatch !== undefined) return mismatch;
  const judge = untrusted(terms, committees, games);
  if (judge !== undefined) return judge;
  const risks = risksOf(terms, policy, session.token, await longestGame(session.client, terms));
  const [risk] = risks.filter(({ term }) => !accepted.includes(term));
  if (risk) return `its ${risk.term} is ${risk.value}, and has to be ${risk.bound}: ${risk.why}`;
  const free = await freeStake(session, owner);
  if (free < terms.stake)
    return `it needs a stake of ${formatAmount(terms.stake, session.token)}, and ${formatAmount(free, session.token)} is free`;
  if (terms.game === zeroAddress) return undefined;
  return poverty(session, owner, [...carried, terms.game]);
}

/** Why the chain's currency does not last for the games of tasks: each wants a bond, and gas. */
async function poverty({ client }: Session, owner: Address, games: readonly Address[]): Promise<string | undefined> {
  const [balance, { maxFeePerGas }, bonds] = await Promise.all([
    client.getBalance({ address: owner }),
    client.estimateFeesPerGas(),
    Promise.all(games.map(async (game) => (await bondOf(client, game)) ?? 0n)),
  ]);
  const bond = bonds.reduce((sum, one) => sum + one, 0n);
  const gas = roundedUp(BigInt(games.length) * TASK_GAS * maxFeePerGas);
  if (balance >= bond + gas) return undefined;
  const count = games.length === 1 ? "this task" : `the ${games.length} tasks that it would carry`;
  return `${count} can take ${formatAmount(bond + gas, ETHER)} (${formatAmount(bond, ETHER)} for bonds of games, the rest for gas), and the account has ${formatFee(balance)}`;
}

/** With one digit that is not 0: the price of gas changes with each block, and the sentence should not. */
function roundedUp(wei: bigint): bigint {
  let unit = 1n;
  while (unit * 10n <= wei) unit *= 10n;
  return ((wei + unit - 1n) / unit) * unit;
}

/**
 * Why no run of a job could win a task with these terms: they say something else than the job has, or a step
 * is too large to be shown on a chain.
 */
function mismatchOf(terms: Terms, job: JobOutline, build: Build | undefined): string | undefined {
  try {
    const own = jobTermsOf(job, terms.commitEvery);
    for (const field of ["job", "stateLayout", "steps", "tensors"] as const)
      if (own[field] !== terms[field])
        return `its terms say ${field} ${terms[field]}, and the job has ${own[field]}, so no run can match them`;
    // Only a game shows the job's graphs.
    expectSettleable(terms, terms.game === zeroAddress ? undefined : job, build);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function untrusted(terms: Terms, committees: readonly Address[], games: readonly Address[]): string | undefined {
  for (const [name, wanted, known] of [
    ["committee", terms.committee, committees],
    ["game", terms.game, games],
  ] as const)
    if (wanted !== zeroAddress && !known.some((one) => isAddressEqual(one, wanted)))
      return `its ${name} ${wanted} is not trusted, and could take the stake`;
  return undefined;
}

/** The stake of an owner that no task may slash, in the token's smallest units. */
export async function freeStake({ client, deployment }: Session, owner: Address): Promise<bigint> {
  const { active, exposed } = await client.readContract({
    address: deployment.vault,
    abi: ABIS.vault,
    functionName: "accountOf",
    args: [owner],
  });
  return active - exposed;
}
