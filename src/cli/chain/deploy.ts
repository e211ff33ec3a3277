/** `verde chain deploy`: deploys the contracts, and writes a file with their addresses. */
import { dirname } from "node:path";
import type { Address, TransactionReceipt } from "viem";
import { UsageError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { takeLock } from "../../files/lock.ts";
import { exists } from "../../files/regular.ts";
import { deployContracts } from "../../settlement/deploy.ts";
import type { Pace } from "../../settlement/game/match.ts";
import { addressOfSigner, type KeyFlags, signerOf } from "../account.ts";
import { ETHER, formatAmount, formatFee, parseAmount } from "../../settlement/amount.ts";
import { formatDuration, parseDuration } from "../../settlement/duration.ts";
import { writeNew } from "../key.ts";
import { colors, formatCount, reportLine, writeJson, writeLine } from "../output.ts";
import { sessionOf } from "../../settlement/session.ts";
import { connect } from "../session.ts";
import { formatFields } from "../table.ts";
import { parseAddress, parseCount } from "../task/terms.ts";

export interface DeployFlags extends KeyFlags {
  rpc: string;
  out: string;
  token?: string;
  committee: string;
  threshold?: string;
  unbonding: string;
  clock: string;
  response: string;
  recompute: string;
  gasBond: string;
  dryRun?: boolean;
  json?: boolean;
}

export async function chainDeploy(flags: DeployFlags): Promise<void> {
  const members = flags.committee.split(",").map((text) => parseAddress(text.trim(), "--committee"));
  // More than half, so that two different verdicts can't both have enough signatures.
  const threshold =
    flags.threshold === undefined ? Math.floor(members.length / 2) + 1 : parseCount(flags.threshold, "--threshold");
  if (threshold < 1 || threshold > members.length)
    throw new UsageError(
      "VALUE",
      `--threshold ${threshold} is impossible for a committee of ${members.length}; give a number from 1 to ${members.length}`,
      { expected: `1 to ${members.length}`, found: threshold },
    );
  if (new Set(members.map((member) => member.toLowerCase())).size !== members.length)
    throw new UsageError("VALUE", "--committee names a member twice; name each once");
  const unbondingPeriod = parseDuration(flags.unbonding);
  const token = flags.token === undefined ? undefined : parseAddress(flags.token, "--token");
  if (await exists(flags.out))
    throw new UsageError("EXISTS", `${flags.out} exists; move it away, or choose another name with --out`, {
      out: flags.out,
    });
  const { client, chainId } = await connect(flags.rpc);
  const pace: Pace = {
    clock: parseDuration(flags.clock),
    response: parseDuration(flags.response),
    recompute: parseDuration(flags.recompute),
  };
  const gasBond = parseAmount(flags.gasBond, ETHER);
  const facts: [string, string][] = [
    ["chain", String(chainId)],
    ["token", token ?? "a test token that anyone may mint"],
    ["unbonding", `${formatDuration(unbondingPeriod)}, which is also the longest that a task may last`],
    ["members", `${threshold} of ${members.join(", ")}`],
    [
      "clocks",
      `${flags.clock} for each side, at least ${flags.response} for each move, ${flags.recompute} to recompute steps`,
    ],
    ["gas bond", `${formatAmount(gasBond, ETHER)} with each side's first move in a dispute`],
  ];
  if (flags.dryRun) {
    const from = await addressOfSigner(flags);
    if (flags.json)
      writeJson({
        schemaVersion: 1,
        dryRun: true,
        from,
        chainId,
        token: token ?? null,
        members,
        threshold,
        unbondingPeriod,
        pace,
        gasBond: `${gasBond}`,
      });
    else writeLine(...formatFields([["from", from], ...facts]), "Nothing was signed or sent.");
    return;
  }
  const account = await signerOf(flags);
  const receipts: TransactionReceipt[] = [];
  // Before anything is sent: the addresses must have a place, and two commands must not have the same one.
  await makeFolder(dirname(flags.out));
  const lock = takeLock(`${flags.out}.lock`, flags.out);
  const deployment = await deployContracts(client, account, {
    ...(token && { token }),
    members,
    threshold,
    unbondingPeriod,
    game: { pace, gasBond },
    onDeployed: (_contract, receipt) => receipts.push(receipt),
  });
  await sessionOf(client, deployment);
  await writeNew(flags.out, `${JSON.stringify(deployment, null, 2)}\n`, 0o644).catch((error: unknown) => {
    reportLine(`verde: the contracts are deployed, and this is their file: ${JSON.stringify(deployment)}`);
    throw error;
  });
  lock.release();
  const gas = receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  const fee = receipts.reduce((sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice, 0n);
  if (flags.json) return writeJson({ ...deployment, file: flags.out, gas: Number(gas), fee: `${fee}` });
  const places = (["token", "manager", "vault", "committee", "game"] as const).map((name): [string, Address] => [
    name,
    deployment[name]!,
  ]);
  writeLine(...formatFields([...places, ...facts.slice(2), ["gas", `${formatCount(Number(gas))}, ${formatFee(fee)}`]]));
  writeLine(`The addresses are in ${colors.bold(flags.out)}.`);
}
