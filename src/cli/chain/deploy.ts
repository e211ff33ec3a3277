/** `verde chain deploy`: deploys the contracts, and writes a file with their addresses. */
import { dirname } from "node:path";
import type { Address, PublicClient, TransactionReceipt } from "viem";
import { UsageError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { takeLock } from "../../files/lock.ts";
import { type Abilities, abilitiesOf, type Build, buildFor } from "../../settlement/abilities.ts";
import { CONTRACT_GAS, deployContracts } from "../../settlement/deploy.ts";
import type { Pace } from "../../settlement/game/match.ts";
import { type ProfileName, PROFILES } from "../../settlement/profile.ts";
import { addressOfSigner, type KeyFlags, signerOf } from "../account.ts";
import { ETHER, formatAmount, formatFee, parseAmount } from "../../settlement/amount.ts";
import { formatDuration, parseDuration } from "../../settlement/duration.ts";
import { writeNew } from "../key.ts";
import { colors, formatCount, reportLine, writeJson, writeLine } from "../output.ts";
import { sessionOf } from "../../settlement/session.ts";
import { readToken } from "../../settlement/token.ts";
import { AWAY_MILLIS } from "../../settlement/transactions/caller.ts";
import { expectNew } from "../result.ts";
import { connect } from "../session.ts";
import { type JournalFlags, openTransactor } from "../transactor.ts";
import { formatFields } from "../table.ts";
import { parseAddress, parseCount } from "../task/terms.ts";

export interface DeployFlags extends KeyFlags, JournalFlags {
  rpc: readonly string[];
  out: string;
  token?: string;
  committee: string;
  threshold?: string;
  members?: string;
  candidateStake?: string;
  profile: ProfileName;
  unbonding?: string;
  clock?: string;
  response?: string;
  recompute?: string;
  gasBond: string;
  rounds?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** The most members that are drawn for a dispute. */
const MOST_MEMBERS = 15;
/** The token that is deployed if none is named. */
const TEST_TOKEN = { symbol: "VTT", decimals: 18 };

/** `1d2h`, as it is written on the command line. */
const short = (seconds: number): string => formatDuration(seconds).replaceAll(" ", "");

export async function chainDeploy(flags: DeployFlags): Promise<void> {
  const { members, size, threshold } = seatsFrom(flags);
  const { pace: defaults, unbonding } = PROFILES[flags.profile];
  const time = (text: string | undefined, fallback: number): number =>
    text === undefined ? fallback : parseDuration(text);
  const unbondingPeriod = time(flags.unbonding, unbonding);
  const token = flags.token === undefined ? undefined : parseAddress(flags.token, "--token");
  await expectNew(flags.out);
  const { client, chainId } = await connect(flags.rpc);
  const pace: Pace = {
    clock: time(flags.clock, defaults.clock),
    response: time(flags.response, defaults.response),
    recompute: time(flags.recompute, defaults.recompute),
  };
  const gasBond = parseAmount(flags.gasBond, ETHER);
  const stake = await stakeFrom(client, token, flags);
  const abilities = await abilitiesOf(client);
  const build = buildFor(abilities, CONTRACT_GAS);
  const facts: [string, string][] = [
    ["chain", `${chainId}, with the clocks of ${flags.profile}`],
    ["it takes", abilitiesText(abilities)],
    ["build", buildText(build)],
    ["token", token ?? "a test token that anyone may mint"],
    ["unbonding", `${formatDuration(unbondingPeriod)}, which is also the longest that a task may last`],
    [
      "members",
      stake ? `${threshold} of ${size} that are drawn for each dispute` : `${threshold} of ${members.join(", ")}`,
    ],
    ...(stake
      ? [["candidates", `anyone with a stake of ${flags.candidateStake} tokens`] satisfies [string, string]]
      : []),
    [
      "clocks",
      `${short(pace.clock)} for each side, at least ${short(pace.response)} for each move, ${short(pace.recompute)} to recompute steps`,
    ],
    ["gas bond", `${formatAmount(gasBond, ETHER)} from each player of a dispute`],
    ["rounds", flags.rounds ? "with the contracts for plans of rounds" : "none; --rounds deploys their contracts too"],
  ];
  if (flags.dryRun) {
    const from = await addressOfSigner(flags);
    if (flags.json)
      writeJson({
        schemaVersion: 1,
        dryRun: true,
        from,
        chainId,
        profile: flags.profile,
        token: token ?? null,
        members,
        ...(stake && { rotating: { members: size, stake: `${stake}` } }),
        threshold,
        unbondingPeriod,
        pace,
        gasBond: `${gasBond}`,
        rounds: flags.rounds ?? false,
        build,
        abilities,
      });
    else writeLine(...formatFields([["from", from], ...facts]), "Nothing was signed or sent.");
    return;
  }
  const account = await signerOf(flags);
  const receipts: TransactionReceipt[] = [];
  // Before anything is sent: the addresses must have a place, and two commands must not have the same one.
  await makeFolder(dirname(flags.out));
  const lock = takeLock(`${flags.out}.lock`, flags.out);
  const opened = await openTransactor(client, chainId, account, flags, AWAY_MILLIS);
  const deployed = await deployContracts(client, account, {
    ...(token && { token }),
    members,
    ...(stake && { rotating: { members: size, stake } }),
    threshold,
    unbondingPeriod,
    game: { pace, gasBond, rounds: flags.rounds ?? false },
    build,
    // What an earlier command has deployed is in the journal, and is not deployed again.
    send: (what, data, to) => opened.transactor.send({ what, data, ...(to && { to }) }),
    onDeployed: (_contract, receipt) => receipts.push(receipt),
  }).catch((error: unknown) => {
    opened.abandon();
    lock.release();
    throw error;
  });
  opened.progress.clear();
  const deployment = { ...deployed, profile: flags.profile };
  await sessionOf(client, deployment);
  await writeNew(flags.out, `${JSON.stringify(deployment, null, 2)}\n`, 0o644).catch((error: unknown) => {
    reportLine(`verde: the contracts are deployed, and this is their file: ${JSON.stringify(deployment)}`);
    throw error;
  });
  lock.release();
  const gas = receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  const fee = receipts.reduce((sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice, 0n);
  if (flags.json) return writeJson({ ...deployment, file: flags.out, gas: Number(gas), fee: `${fee}`, abilities });
  const places = PLACES.flatMap((name): [string, Address][] => {
    const address = deployment[name];
    return address === undefined ? [] : [[name, address]];
  });
  writeLine(
    ...formatFields([
      ...places,
      ...facts.filter(([name]) => name !== "token"),
      ["gas", `${formatCount(Number(gas))}, ${formatFee(fee)}`],
    ]),
  );
  writeLine(`The addresses are in ${colors.bold(flags.out)}.`);
}

/** The contracts that a deployment may have. */
const PLACES = ["token", "manager", "vault", "committee", "exchange", "seatList", "seatDraw", "canaries", "game", "roundManager", "roundVault", "roundGame"] as const; // prettier-ignore

/** Who is in the committee, and how many of them make a verdict. */
function seatsFrom(flags: DeployFlags): { members: readonly Address[]; size: number; threshold: number } {
  const isRotating = flags.committee === "rotating";
  if (isRotating !== (flags.candidateStake !== undefined) || (!isRotating && flags.members !== undefined))
    throw new UsageError(
      "CONFLICT",
      "--committee rotating and --candidate-stake belong together, and --members needs both; name the referees of a fixed committee with --committee",
    );
  const texts = isRotating ? [] : flags.committee.split(",");
  const members = texts.map((text) => parseAddress(text.trim(), "--committee"));
  const size = isRotating ? parseCount(flags.members ?? "3", "--members") : members.length;
  if (isRotating && (size < 1 || size > MOST_MEMBERS))
    throw new UsageError("VALUE", `--members ${size} is not a number from 1 to ${MOST_MEMBERS}`, { found: size });
  // More than half, so that two different verdicts can't both have enough signatures.
  const threshold =
    flags.threshold === undefined ? Math.floor(size / 2) + 1 : parseCount(flags.threshold, "--threshold");
  if (threshold < 1 || threshold > size)
    throw new UsageError(
      "VALUE",
      `--threshold ${threshold} is impossible for a committee of ${size}; give a number from 1 to ${size}`,
      { expected: `1 to ${size}`, found: threshold },
    );
  if (new Set(members.map((member) => member.toLowerCase())).size !== members.length)
    throw new UsageError("VALUE", "--committee names a member twice; name each once");
  return { members, size, threshold };
}

/** The stake of a candidate, in the token's smallest units. `undefined` for a fixed committee. */
async function stakeFrom(
  client: PublicClient,
  token: Address | undefined,
  { candidateStake }: DeployFlags,
): Promise<bigint | undefined> {
  if (candidateStake === undefined) return undefined;
  const stake = parseAmount(candidateStake, token === undefined ? TEST_TOKEN : await readToken(client, token));
  if (stake === 0n)
    throw new UsageError("VALUE", "--candidate-stake 0 is not a stake; a candidate has to risk something");
  return stake;
}

/** What is deployed, and why. */
function buildText(build: Build): string {
  return build === "osaka"
    ? "osaka: the chain has CLZ (EIP-7939)"
    : "portable: the chain has no CLZ (EIP-7939), so a proof takes more gas";
}

function abilitiesText({ codeBytes, transactionGas, calldataGas }: Abilities): string {
  const code = `contracts of ${formatCount(codeBytes)} bytes`;
  return `transactions of up to ${formatCount(transactionGas)} gas, ${calldataGas} gas for a byte of calldata, ${code}`;
}
