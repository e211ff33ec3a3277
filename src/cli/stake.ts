/** `verde stake`: the tokens that secure an account's claims, and its leaves in rounds. */
import type { Command } from "commander";
import type { Address } from "viem";
import { ABIS } from "../settlement/contracts.ts";
import { addressOfSigner, type KeyFlags } from "./account.ts";
import { addAllowanceOption, allow } from "./allowance.ts";
import { formatAmount, formatTime, parseAmount } from "../settlement/amount.ts";
import { formatDuration } from "../settlement/duration.ts";
import { writeJson, writeLine } from "./output.ts";
import { Sender } from "./send.ts";
import { addChainOptions, addKeyOptions, addSendOptions, type ChainFlags, type SendFlags } from "./session-options.ts";
import { openSession } from "./session.ts";
import { formatFields } from "./table.ts";
import { saleCredit } from "../settlement/exchange/sale.ts";
import { bondCredit } from "../settlement/game/bond.ts";
import type { Session } from "../settlement/session.ts";
import { managerOf } from "../settlement/rounds/terms-file.ts";
import { bondText } from "./task/game.ts";
import { parseAddress } from "./task/terms.ts";

export function register(program: Command): void {
  const stake = program
    .command("stake")
    .description("deposit, withdraw and show the stake that secures an account's claims");
  addAllowanceOption(addVaultOption(addSendOptions(stake.command("deposit").description("add to the stake"))))
    .argument("<tokens>", "for example 100 or 10.5")
    .action(deposit);
  addVaultOption(
    addSendOptions(
      stake
        .command("unbond")
        .description("request a part of the stake back; it can be withdrawn when the unbonding time has passed"),
    ),
  )
    .argument("<tokens>", "for example 100 or 10.5; another request restarts the clock for all")
    .action(unbond);
  addVaultOption(
    addSendOptions(stake.command("withdraw").description("withdraw the stake whose unbonding time has passed")),
  ).action(withdraw);
  addVaultOption(
    addKeyOptions(addChainOptions(stake.command("show").description("show what an account has in the vault"))),
  )
    .argument("[account]", "an address; default: the account that would sign")
    .action(show);
}

/** Which vault: tasks and rounds have one each. */
interface VaultFlags {
  rounds?: boolean;
}

const addVaultOption = (command: Command): Command =>
  command.option("--rounds", "the vault of rounds; without this flag, that of tasks");

/** @throws {ChainError} when the deployment has no contracts for rounds */
function vaultOf({ deployment }: Session, { rounds = false }: VaultFlags): Vault {
  if (!rounds) return { contract: "vault", address: deployment.vault };
  managerOf(deployment);
  return { contract: "roundVault", address: deployment.roundVault! };
}

interface Vault {
  readonly contract: "vault" | "roundVault";
  readonly address: Address;
}

export async function deposit(tokens: string, flags: SendFlags & VaultFlags & { approve: boolean }): Promise<void> {
  const session = await openSession(flags);
  const amount = parseAmount(tokens, session.token);
  const sender = await Sender.open(session, flags);
  const { contract, address } = vaultOf(session, flags);
  await allow(session, sender, { name: "vault", address }, amount, flags.approve);
  await sender.send({ contract, functionName: "deposit", args: [amount] });
  const { active } = await readAccount(session, address, sender.address);
  sender.report(
    flags.json ?? false,
    { amount: `${amount}`, active: `${active}` },
    `${sender.address} has a stake of ${formatAmount(active, session.token)}.`,
  );
}

async function unbond(tokens: string, flags: SendFlags & VaultFlags): Promise<void> {
  const session = await openSession(flags);
  const amount = parseAmount(tokens, session.token);
  const { contract, address } = vaultOf(session, flags);
  const sender = await Sender.open(session, flags);
  await sender.send({ contract, functionName: "requestUnbond", args: [amount] });
  const { readyAt, unbonding } = await readAccount(session, address, sender.address);
  sender.report(
    flags.json ?? false,
    { amount: `${amount}`, unbonding: `${unbonding}`, readyAt },
    `${formatAmount(unbonding, session.token)} can be withdrawn from ${formatTime(readyAt)} on.`,
  );
}

async function withdraw(flags: SendFlags & VaultFlags): Promise<void> {
  const session = await openSession(flags);
  const { contract, address } = vaultOf(session, flags);
  const sender = await Sender.open(session, flags);
  const before = await readAccount(session, address, sender.address);
  await sender.send({ contract, functionName: "draw", args: [] });
  const amount = before.unbonding - (await readAccount(session, address, sender.address)).unbonding;
  sender.report(
    flags.json ?? false,
    { amount: `${amount}` },
    `${sender.address} has ${formatAmount(amount, session.token)} back.`,
  );
}

/** What an owner has in a vault. */
export function readAccount({ client }: Session, vault: Address, owner: Address) {
  return client.readContract({ address: vault, abi: ABIS.vault, functionName: "accountOf", args: [owner] });
}

/** How an owner's claims in canaries ended, as their clients have shown. */
async function canaryRecord({ client, deployment }: Session, owner: Address) {
  if (deployment.canaries === undefined) return { passed: 0, failed: 0 };
  const call = { address: deployment.canaries, abi: ABIS.canaries, functionName: "recordOf", args: [owner] } as const;
  const { passed, failed } = await client.readContract(call);
  return { passed: Number(passed), failed: Number(failed) };
}

export async function show(account: string | undefined, flags: ChainFlags & KeyFlags & VaultFlags): Promise<void> {
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const owner = account === undefined ? await addressOfSigner(flags) : parseAddress(account, "the account");
  const [{ active, exposed, unbonding, readyAt, credit }, balance, ether, bonds, sales, canaries, { timestamp }] =
    await Promise.all([
      readAccount(session, vaultOf(session, flags).address, owner),
      client.readContract({ address: deployment.token, abi: ABIS.token, functionName: "balanceOf", args: [owner] }),
      client.getBalance({ address: owner }),
      bondCredit(client, flags.rounds ? deployment.roundGame : deployment.game, owner),
      flags.rounds ? 0n : saleCredit(session, owner),
      canaryRecord(session, owner),
      client.getBlock(),
    ]);
  const free = active > exposed ? active - exposed : 0n;
  if (flags.json) {
    const amounts = Object.entries({ balance, active, free, exposed, unbonding, credit, ether, bonds, sales });
    const asText = Object.fromEntries(amounts.map(([name, amount]) => [name, `${amount}`]));
    const { symbol, decimals } = token;
    return writeJson({ schemaVersion: 1, owner, ...asText, readyAt, canaries, symbol, decimals });
  }
  const money = (amount: bigint): string => formatAmount(amount, token);
  const left = readyAt - Number(timestamp);
  const claim = `verde ${flags.rounds ? "rounds" : "task"} claim`;
  const fields: [string, string][] = [
    ["account", owner],
    ["wallet", money(balance)],
    ["stake", `${money(active)}, of which ${money(free)} can secure further tasks`],
    ["exposed", `${money(exposed)} can be slashed by running tasks`],
    [
      "unbonding",
      unbonding === 0n
        ? "nothing"
        : `${money(unbonding)}, ${left > 0 ? `ready in ${formatDuration(left)}` : "ready to be withdrawn"}`,
    ],
    ["credit", `${money(credit)}${credit > 0n ? `, withdraw it with \`${claim}\`` : ""}`],
    ...(flags.rounds
      ? []
      : [["canaries", `${canaries.passed} passed, ${canaries.failed} failed`] satisfies [string, string]]),
    ...(sales > 0n
      ? [["sales", `${money(sales)} in the exchange, withdraw it with \`verde task claim\``] satisfies [string, string]]
      : []),
    ...(bonds > 0n
      ? [["bonds", `${bondText(bonds)} in the game, withdraw them with \`${claim}\``] satisfies [string, string]]
      : []),
  ];
  writeLine(...formatFields(fields));
}
