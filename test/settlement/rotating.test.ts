/** A committee that is drawn, beside the real game: what it takes in gas, and what clients read of it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Address, concat, type Hex, keccak256, type LocalAccount, toHex, zeroHash } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { challengeCommitment } from "../../src/settlement/commitment.ts";
import { type Hearing, hearingDue, isMemberFor, mustSpeak, readCommittee } from "../../src/settlement/committee.ts";
import { ABIS } from "../../src/settlement/contracts.ts";
import { parseDeployment } from "../../src/settlement/deployment.ts";
import { DEFAULT_GAS_BOND } from "../../src/settlement/game/bond.ts";
import { localAccount } from "../../src/settlement/local/settlement.ts";
import { type Ruling, signRuling } from "../../src/settlement/ruling.ts";
import { nextLink } from "../../src/settlement/secrets.ts";
import { readTask } from "../../src/settlement/task.ts";
import {
  ADA,
  BEN,
  CLIENT,
  DAY,
  digest,
  LIE,
  LINKS,
  POOL,
  RotatingSettlement,
  TRUTH,
  UNIT,
} from "../fixtures/rotating.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/settlement.md", import.meta.url));
let world: RotatingSettlement;
const gas: Record<string, number> = {};
let drawn: LocalAccount[] = [];

async function rotating(account: LocalAccount, functionName: string, ...args: unknown[]): Promise<void> {
  gas[functionName] = Number((await world.rotating(account, functionName, ...args)).gasUsed);
}
const task = () => readTask(world.on.session.source, world.task);
const committee = async () => (await readCommittee(world.on.session.client, await task()))!;

const hashOf = (...words: readonly Hex[]): Hex => keccak256(concat(words));
const word = (value: bigint): Hex => toHex(value, { size: 32 });

/** Who is drawn in the first round of a dispute, by the specification (6.11). */
function membersOf(id: Hex, dispute: bigint, link: Hex, hash: Hex): Address[] {
  const seed = hashOf(digest("Verde committee seed 1"), hashOf(id, word(dispute)), word(1n), link, hash);
  const found = new Set<Address>();
  for (let i = 0n; found.size < 3; i++)
    found.add(POOL[Number(BigInt(hashOf(seed, word(i))) % BigInt(POOL.length))].address);
  return [...found];
}

beforeAll(async () => {
  world = await RotatingSettlement.open(true);
});
afterAll(() => world.on.close());

it("is the deployment's committee, with the code of this version", () => {
  const { deployment } = world.on.session;
  expect(deployment.rotating).toBe(deployment.committee);
  expect(parseDeployment(JSON.stringify(deployment), "it")).toEqual(deployment);
  const other = { ...deployment, rotating: deployment.manager };
  expect(() => parseDeployment(JSON.stringify(other), "it")).toThrow("its rotating committee is another one");
});

it("is drawn by the client's links, one after the other", async () => {
  for (const account of POOL) await rotating(account, "register");
  await world.dispute();
  const { terms } = world;
  expect(await committee()).toMatchObject({
    kind: "rotating",
    members: 3,
    threshold: 2,
    hearing: { round: 0, drawn: [] },
  });
  await rotating(ADA, "convene", terms);
  await world.skip(1);
  await expect(rotating(CLIENT, "draw", terms, LINKS[2])).rejects.toThrow("commits to this secret");
  expect(nextLink(LINKS, zeroHash)).toBe(LINKS[1]);
  expect(nextLink(LINKS, LINKS[1])).toBe(LINKS[2]);
  expect(nextLink(LINKS, LINKS.at(-1)!)).toBeUndefined();
  expect(nextLink(LINKS, digest("another"))).toBeUndefined();
  await rotating(CLIENT, "draw", terms, LINKS[1]);
  const { hearing } = await committee();
  const { hash } = await world.on.session.client.getBlock({ blockNumber: BigInt(hearing!.number) });
  expect(hearing!.drawn).toEqual(membersOf(world.task, 1n, LINKS[1], hash));
  drawn = hearing!.drawn.map((address) => POOL.find((account) => account.address === address)!);
  for (const { address } of POOL)
    expect(await isMemberFor(world.on.session.client, terms.committee, world.task, address)).toBe(
      hearing!.drawn.includes(address),
    );
  drawn.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
});

it("rules, and is paid once its ruling is enforced", async () => {
  const { terms } = world;
  const { deployment, client } = world.on.session;
  const ruling: Ruling = { dispute: 1n, claims: [TRUTH, LIE], losers: 2n, file: digest("file"), validUntil: 2n ** 40n };
  const bench = { chainId: deployment.chainId, committee: terms.committee, task: world.task };
  const signatures = await Promise.all(drawn.map((member) => signRuling(member, bench, ruling)));
  await rotating(ADA, "attest", terms, ruling, drawn[2].address, signatures[2]);
  expect((await committee()).hearing!.spoken).toEqual([drawn[2].address]);
  const two = drawn.slice(0, 2).map(({ address }) => address);
  const args = [terms, ruling, two, signatures.slice(0, 2)];
  gas.submit = Number((await world.send(ADA, { contract: "committee", functionName: "submit", args })).gasUsed);
  expect((await task()).phase).toBe("Ruled");
  await world.skip(DAY + 1);
  const { dispute, claims, losers, file: verdict } = ruling;
  await world.manager(ADA, "enforce", terms, { dispute, claims, losers, verdict });
  await rotating(ADA, "settle", terms, 1n);
  const asked = { address: terms.committee, abi: ABIS.rotating, functionName: "candidateOf" } as const;
  const { pay } = await client.readContract({ ...asked, args: [drawn[2].address] });
  expect(pay).toBe((10n * UNIT) / 3n);
  await rotating(ADA, "payMember", drawn[2].address);
});

it("replaces those that are silent", async () => {
  const { terms } = world;
  const salt = digest("salt of the challenge");
  const [challenger] = POOL;
  await world.send(challenger, { contract: "vault", functionName: "deposit", args: [100n * UNIT] });
  const place = { task: world.task, standing: TRUTH };
  const commitment = challengeCommitment(world.on.session.deployment, place, challenger.address, LIE, salt);
  const args = [terms, TRUTH, commitment];
  await world.send(challenger, { contract: "manager", functionName: "challenge", args, value: DEFAULT_GAS_BOND });
  await world.skip(DAY + 1);
  await world.manager(ADA, "expire", terms);
  await world.manager(ADA, "revealChallenge", terms, challenger.address, LIE, salt);
  await world.rotating(BEN, "convene", terms);
  await world.skip(1);
  await world.rotating(CLIENT, "draw", terms, LINKS[2]);
  await world.skip(DAY / 3 + 1);
  // Only two others are left, so nobody is replaced.
  await expect(world.rotating(ADA, "convene", terms)).rejects.toThrow("2 accounts can be drawn, but 3 are needed");
  await world.fund(localAccount(9));
  await world.rotating(localAccount(9), "register");
  gas.replace = Number((await world.rotating(ADA, "convene", terms)).gasUsed);
  expect((await committee()).hearing).toMatchObject({ round: 2, drawn: [], until: 0 });
});

it("takes the gas that docs/settlement.md says", () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const figure = (words: string): number =>
    Number(new RegExp(`${words} ([\\d,]+)`).exec(text)?.[1].replaceAll(",", ""));
  for (const [name, words] of [
    ["register", "`register`"],
    ["convene", "`convene`"],
    ["replace", "`convene` that replaces three"],
    ["draw", "`draw` of three members about"],
    ["attest", "`attest`"],
    ["submit", "`submit` with two signatures"],
    ["settle", "`settle`"],
    ["payMember", "`payMember`"],
  ] as const)
    expect(Math.abs(figure(words) - gas[name]), `${name}: ${JSON.stringify(gas)}`).toBeLessThanOrEqual(
      // A place that is hit twice costs another try.
      name === "draw" ? 20_000 : 1_000,
    );
});

it("says what is due", () => {
  const before: Hearing = { round: 0, number: 0, convenedAt: 0, plain: false, until: 0, drawn: [], spoken: [] };
  const convened = { ...before, round: 1, number: 100, convenedAt: 1000 };
  const plain = { ...convened, plain: true };
  const sitting = { ...convened, until: 5000, drawn: [ADA.address] };
  expect(hearingDue(before, 1200, 0, 0)).toEqual({ what: "convene" });
  expect(hearingDue(convened, 1200, 1100, 101)).toEqual({ what: "wait", until: 1100 });
  expect(hearingDue(convened, 1200, 1101, 101)).toEqual({ what: "convene" });
  expect(hearingDue(plain, 1200, 1101, 101)).toEqual({ what: "draw" });
  expect(hearingDue(plain, 1200, 1101, 9000)).toEqual({ what: "convene" });
  expect(hearingDue(sitting, 1200, 5000, 101)).toEqual({ what: "wait", until: 5000 });
  expect(hearingDue(sitting, 1200, 5001, 101)).toEqual({ what: "convene" });
  expect(mustSpeak(sitting, ADA.address, 1200, 4900)).toBe(false);
  expect(mustSpeak(sitting, ADA.address, 1200, 4901)).toBe(true);
  expect(mustSpeak(sitting, BEN.address, 1200, 4901)).toBe(false);
  expect(mustSpeak({ ...sitting, spoken: [ADA.address] }, ADA.address, 1200, 4901)).toBe(false);
});
