/** What the game that a task names asks for: time, and a bond for gas. */
import { type Address, type PublicClient, zeroAddress } from "viem";
import { ChainError, JobError, messageOf } from "../../errors/index.ts";
import type { JobOutline } from "../../job/closed.ts";
import { jobFacts } from "../../referee/facts.ts";
import { ETHER, formatAmount } from "../../settlement/amount.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { dearestStep, GAS_CAP, type StepBound } from "../../settlement/game/proof-bound.ts";
import type { Terms } from "../../settlement/task.ts";
import { formatBytes, formatCount } from "../output.ts";

/** Terms with at least the time that a game about them may take; the manager refuses less. @throws {ChainError} for what is no game */
export async function withTimeToPlay(client: PublicClient, terms: Terms): Promise<Terms> {
  const { game, steps, commitEvery, periods } = terms;
  if (game === zeroAddress) return terms;
  const args = [BigInt(steps), BigInt(commitEvery)] as const;
  const longest = await client
    .readContract({ address: game, abi: ABIS.game, functionName: "longestGame", args })
    .catch((cause: unknown) => {
      throw new ChainError(
        "CONTRACT_KIND",
        `${game} is no game (${messageOf(cause).split("\n")[0]}); give the address of a game that \`verde chain deploy\` made`,
        { game },
      );
    });
  return { ...terms, periods: { ...periods, toPlay: Math.max(periods.toPlay, Number(longest)) } };
}

/** What the first move of each side brings in a game, in wei; `undefined` where there is none, or one of another kind. */
export async function bondOf(client: PublicClient, game: Address): Promise<bigint | undefined> {
  if (game === zeroAddress) return undefined;
  return client.readContract({ address: game, abi: ABIS.game, functionName: "gasBond" }).catch(() => undefined);
}

/** Says beside the game what it asks for. @param dearest step of the job, where that is known */
export function withGameFields(
  fields: [string, string][],
  gasBond: bigint | undefined,
  dearest?: StepBound,
): [string, string][] {
  if (gasBond === undefined) return fields;
  const added: [string, string][] = [["gas bond", `${bondText(gasBond)} with each side's first move in a dispute`]];
  if (dearest) added.push(["dearest step", `${dearest.label}: its proof takes at most ${sizeText(dearest)}`]);
  return fields.flatMap((field) => (field[0] === "game" ? [field, ...added] : [field]));
}

/** The dearest step of a job before the game. @throws {JobError} where no transaction could prove it */
export function provableStep(outline: JobOutline, commitEvery: number): StepBound {
  const dearest = dearestStep(jobFacts(outline, commitEvery));
  const { label, gas } = dearest;
  if (gas > GAS_CAP)
    throw new JobError(
      "STEP_TOO_LARGE",
      `${label}: to prove a step of this operator may take ${sizeText(dearest)}, more than a transaction may; use smaller tensors in it, or a task without a game`,
      { gas, expected: `at most ${GAS_CAP}`, found: gas },
    );
  return dearest;
}

const sizeText = ({ bytes, gas }: StepBound): string => `${formatBytes(bytes)} and ${formatCount(gas)} gas`;

export const bondText = (gasBond = 0n): string => formatAmount(gasBond, ETHER);

/** What an owner may withdraw of a game, in wei; nothing where there is none, or one of another kind. */
export async function bondCredit(client: PublicClient, game: Address | undefined, owner: Address): Promise<bigint> {
  if (game === undefined || game === zeroAddress) return 0n;
  const call = { address: game, abi: ABIS.game, functionName: "creditOf", args: [owner] } as const;
  return client.readContract(call).catch(() => 0n);
}
