/** What naming and drawing owners for seats costs, in gas, as docs/settlement.md says. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encodeDeployData, type Hex } from "viem";
import { expect, test } from "vitest";
import { seatDrawBytecode, seatListBytecode } from "../../src/settlement/abi/bytecode.ts";
import { seatDrawAbi } from "../../src/settlement/abi/seat-draw.ts";
import { seatListAbi } from "../../src/settlement/abi/seat-list.ts";
import { drawSaltOf } from "../../src/settlement/secrets.ts";
import { digest, openChain, pass } from "./chain.ts";
import { Play } from "./task.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/settlement.md", import.meta.url));
const SECRET = digest("the secret of a draw");

async function measure(): Promise<Record<string, number>> {
  const chain = await openChain();
  const { client, accounts, manager } = chain;
  const deploy = async (abi: typeof seatListAbi | typeof seatDrawAbi, bytecode: Hex): Promise<Hex> => {
    const hash = await client.sendTransaction({ account: accounts[0], data: encodeDeployData({ abi, bytecode, args: [manager] }) }); // prettier-ignore
    return (await client.waitForTransactionReceipt({ hash })).contractAddress as Hex;
  };
  const list = await deploy(seatListAbi, seatListBytecode);
  const draw = await deploy(seatDrawAbi, seatDrawBytecode);
  const gasOf = async (hash: Hex): Promise<number> =>
    Number((await client.waitForTransactionReceipt({ hash })).gasUsed);
  const gas: Record<string, number> = {};
  const listed = await Play.of(chain, { seatPolicy: list });
  await listed.post();
  const allow = [listed.terms, accounts.slice(2, 4)] as const;
  gas.allow = await gasOf(await client.writeContract({ account: listed.terms.client, address: list, abi: seatListAbi, functionName: "allow", args: allow })); // prettier-ignore
  gas["accept (listed)"] = Number((await listed.accept(0)).gasUsed);
  const drawn = await Play.of(chain, { seatPolicy: draw, salt: drawSaltOf(SECRET) });
  await drawn.post();
  const contract = { address: draw, abi: seatDrawAbi } as const;
  for (const account of accounts.slice(2, 7))
    gas.offer = await gasOf(await client.writeContract({ ...contract, account, functionName: "offer", args: [drawn.terms] })); // prettier-ignore
  await pass(chain, drawn.terms.periods.toAccept / 2 + 1);
  const [account] = accounts;
  gas.close = await gasOf(await client.writeContract({ ...contract, account, functionName: "close", args: [drawn.terms] })); // prettier-ignore
  gas.draw = await gasOf(await client.writeContract({ ...contract, account, functionName: "draw", args: [drawn.terms, SECRET] })); // prettier-ignore
  return gas;
}

test("gas is what docs/settlement.md says", async () => {
  const gas = await measure();
  const text = readFileSync(DOCUMENT, "utf8");
  const figure = (name: string): number => Number(new RegExp(`${name} ([\\d,]+)`).exec(text)?.[1].replaceAll(",", ""));
  // An offer that is drawn where it stands moves no other, which saves gas: so a draw's gas is chance.
  for (const [name, words, within] of [
    ["allow", "`allow` for two owners", 1_000],
    ["offer", "`offer`", 1_000],
    ["close", "`close`", 1_000],
    ["draw", "`draw` of two seats and two reserves about", 12_000],
    ["accept (listed)", "`accept` of a listed owner", 1_000],
  ] as const)
    expect(Math.abs(figure(words) - gas[name]), JSON.stringify(gas)).toBeLessThanOrEqual(within);
});
