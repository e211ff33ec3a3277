/**
 * The final weights of a task change hands, by the commands themselves, on a chain in this process: an honest
 * sale, and every way to cheat in one.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { numberToHex } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { buy, open } from "../../../src/cli/sale/buy.ts";
import { pledge } from "../../../src/cli/sale/pledge.ts";
import { show } from "../../../src/cli/stake.ts";
import { release, sell } from "../../../src/cli/sale/sell.ts";
import { sales, settle } from "../../../src/cli/sale/settle.ts";
import { claim } from "../../../src/cli/task/claim.ts";
import { commit, compare, finalize, reveal } from "../../../src/cli/task/moves.ts";
import { fromHex, toHex } from "../../../src/encoding/bytes.ts";
import { buildLevels, merkleRoot, proveLeaf } from "../../../src/encoding/merkle.ts";
import { openFile } from "../../../src/formats/file.ts";
import { ABIS } from "../../../src/settlement/contracts.ts";
import { saleKeyFor } from "../../../src/settlement/exchange/sale-key.ts";
import { sealCheckpoint } from "../../../src/settlement/exchange/seal-checkpoint.ts";
import { keyHashOf, sealedLeaf } from "../../../src/settlement/exchange/seal.ts";
import { openSealed, type Place, placesOf } from "../../../src/settlement/exchange/sealed-file.ts";
import { openTrace } from "../../../src/trace/folder.ts";
import { localAccount } from "../../../src/settlement/local/settlement.ts";
import { addressOf, PEOPLE, type Person, Scene } from "../../fixtures/scene.ts";

const DAY = 86_400;
const on = new Scene();
type Flags = ReturnType<Scene["flags"]> & { approve: boolean };
let task = "";
let files = 0;

/** Runs a command with `--json`. */
async function run(person: Person, command: (flags: Flags) => Promise<void>): Promise<Record<string, unknown>> {
  const { printed, error } = await on.as(person, async () => command({ ...on.flags(await on.node()), approve: true }));
  expect(error).toBeUndefined();
  return JSON.parse(printed) as Record<string, unknown>;
}

async function fails(words: string, person: Person, command: (flags: Flags) => Promise<void>): Promise<void> {
  const { error } = await on.as(person, async () => command({ ...on.flags(await on.node()), approve: true }));
  expect((error as Error | undefined)?.message).toContain(words);
}

async function pass(seconds: number): Promise<void> {
  await on.provider.request({ method: "evm_increaseTime", params: [numberToHex(seconds)] });
  await on.provider.request({ method: "evm_mine", params: [] });
}

const creditOf = (person: Person): Promise<bigint> =>
  on.session.client.readContract({
    address: on.session.deployment.exchange!,
    abi: ABIS.exchange,
    functionName: "creditOf",
    args: [addressOf(person)],
  });

/** A pledge of 3 for one seat, with a bond of 5. */
async function pledged(seat: number): Promise<`0x${string}`> {
  const made = await run("client", (flags) => pledge(task, { ...flags, price: "3", bond: "5", seat: `${seat}` }));
  return (made.sales as { sale: `0x${string}` }[])[0].sale;
}

const file = (): string => on.at(`file-${++files}`);

/** The sale of seat 0 is offered. @returns the sealed file */
async function offered(sale: string): Promise<string> {
  const out = file();
  await run("ada", (flags) => sell(sale, on.at("honest.trace"), { ...flags, out }));
  return out;
}

/** Every leaf of a sealed file, as the file says it. */
async function leavesOf(path: string): Promise<Uint8Array[]> {
  const source = await openFile(path);
  const sealed = await openSealed(source, path);
  const found: Uint8Array[] = [];
  for (const place of placesOf(sealed.entries)) {
    const { leaves, ciphertext } = await sealed.read(place);
    for (let i = 0; i < place.chunks; i++)
      found.push(
        sealedLeaf(place.first + i, leaves.slice(32 * i, 32 * i + 32), ciphertext.slice(256 * i, 256 * i + 256)),
      );
  }
  await source.close();
  return found;
}

beforeAll(async () => {
  ({ task } = await on.post("ada", "ben"));
  for (const person of ["ada", "ben"] as const)
    await run(person, (flags) => commit(task, on.at("honest.trace"), flags));
  const early = await pledged(0);
  await fails("none yet", "ada", (flags) => sell(early, on.at("honest.trace"), { ...flags, out: file() }));
  for (const person of ["ada", "ben"] as const)
    await run(person, (flags) => reveal(task, on.at("honest.trace"), flags));
  await run("client", (flags) => compare(task, flags));
  await pass(DAY + 1);
  await run("client", (flags) => finalize(task, flags));
});

describe("an honest sale", () => {
  test("hands over the weights and pays the seller", async () => {
    const sale = await pledged(0);
    await fails("does not have seat 0", "ben", (flags) => sell(sale, on.at("honest.trace"), { ...flags, out: file() }));
    const out = await offered(sale);
    // The same command writes the same file again, and offers nothing.
    const again = file();
    await run("ada", (flags) => sell(sale, on.at("honest.trace"), { ...flags, out: again }));
    expect(readFileSync(again)).toEqual(readFileSync(out));
    await fails("only", "ben", (flags) => buy(sale, out, flags));
    await fails("the sale is Offered", "client", (flags) => open(sale, out, { ...flags, out: file() }));
    expect(await run("client", (flags) => buy(sale, out, flags))).toMatchObject({ state: "Taken" });
    await fails("did not seal", "ben", (flags) => release(sale, flags));
    expect(await run("ada", (flags) => release(sale, flags))).toMatchObject({ state: "Released" });
    await fails("the sale is Released", "ada", (flags) => settle(sale, flags));
    const weights = file();
    // Only the buyer can end it, and another learns that before anything is written.
    await fails("only", "ben", (flags) => open(sale, out, { ...flags, out: weights, finish: true }));
    expect(existsSync(weights)).toBe(false);
    const opened = await run("client", (flags) => open(sale, out, { ...flags, out: weights, finish: true }));
    expect(opened).toMatchObject({ state: "Paid", wrong: null });
    const step = `step-${String(on.terms.steps).padStart(8, "0")}.safetensors`;
    expect(readFileSync(weights)).toEqual(readFileSync(on.at(`honest.data/${step}`)));
    expect(await creditOf("ada")).toBe(on.units("8"));
    expect(await run("ada", (flags) => show(undefined, flags))).toMatchObject({ sales: `${on.units("8")}` });
    expect(await run("ada", (flags) => claim(flags))).toMatchObject({ amount: `${on.units("9")}` });
    expect(await creditOf("ada")).toBe(0n);
    const listed = await run("client", (flags) => sales(task, flags));
    expect((listed.sales as { id: string; state: string }[]).find(({ id }) => id === sale)?.state).toBe("Paid");
  });

  test("is paid without the buyer, once nobody has shown a wrong chunk", async () => {
    const sale = await pledged(0);
    const out = await offered(sale);
    await run("client", (flags) => buy(sale, out, flags));
    await run("ada", (flags) => release(sale, flags));
    await pass(DAY + 1);
    expect(await run("ben", (flags) => settle(sale, flags))).toMatchObject({ state: "Paid" });
    await run("ada", (flags) => claim(flags));
  });
});

test("a pledge for a seat of a task that was refunded is given back, and says so", async () => {
  const { task: other, terms } = await on.post("ada", "ben");
  const made = await run("client", (flags) => pledge(other, { ...flags, price: "3", bond: "5", seat: "0" }));
  const [{ sale }] = made.sales as { sale: `0x${string}` }[];
  await pass(terms.periods.toCommit + 1);
  await on.call("client", "manager", "expire", terms);
  const due = "the task has ended without the seat's result: `verde task settle` gives the price back";
  const { printed } = await on.as("client", async () => sales(other, { ...on.flags(await on.node()), json: false }));
  expect(printed).toContain(due);
  await fails(due, "client", (flags) => buy(sale, "none", flags));
  expect(await run("ben", (flags) => settle(sale, flags))).toMatchObject({ state: "Returned" });
});

describe("a seller that cheats", () => {
  test("in any byte of the ciphertext loses its bond", async () => {
    const trace = await openTrace(on.at("honest.trace"));
    await on.call("ada", "token", "approve", on.session.deployment.exchange!, on.units("100"));
    for (const where of process.env.VERDE_SWEEP ? [0, 255, 256, 700, -1] : [257]) {
      const sale = await pledged(0);
      const out = file();
      const key = await saleKeyFor(localAccount(PEOPLE.ada), on.session.deployment, sale);
      const { chunks } = await sealCheckpoint(trace, sale, fromHex(key), out);
      // One byte is changed, and then it is committed to.
      const bytes = readFileSync(out);
      const places = await placesIn(out);
      const length = places.reduce((sum, place) => sum + place.length, 0);
      const at = where < 0 ? length + where : where;
      const place = places.find((one) => at >= one.from && at < one.from + one.length)!;
      const chunk = place.first + Math.floor((at - place.from) / 256);
      bytes[bytes.length - length + at] ^= 0x40;
      writeFileSync(out, bytes);
      const root = toHex(merkleRoot(await leavesOf(out)));
      await on.call("ada", "exchange", "offer", sale, root, chunks, toHex(keyHashOf(fromHex(sale), fromHex(key))));
      await run("client", (flags) => buy(sale, out, flags));
      await run("ada", (flags) => release(sale, flags));
      const weights = file();
      const credit = await creditOf("client");
      const opened = await run("client", (flags) => open(sale, out, { ...flags, out: weights }));
      expect(opened).toMatchObject({ state: "Returned", wrong: chunk });
      expect(existsSync(weights)).toBe(false);
      expect((await creditOf("client")) - credit).toBe(on.units("5.5"));
    }
    process.exitCode = undefined;
  });

  test("by not releasing the key loses its bond", async () => {
    const sale = await pledged(0);
    const out = await offered(sale);
    await run("client", (flags) => buy(sale, out, flags));
    await pass(DAY + 1);
    const credit = await creditOf("client");
    expect(await run("client", (flags) => settle(sale, flags))).toMatchObject({ state: "Returned" });
    expect((await creditOf("client")) - credit).toBe(on.units("5.5"));
    await fails("the sale is Returned", "ada", (flags) => release(sale, flags));
  });

  test("with another file is not paid", async () => {
    const sale = await pledged(0);
    const out = await offered(sale);
    const bytes = readFileSync(out);
    bytes[bytes.length - 1] ^= 1;
    const changed = file();
    writeFileSync(changed, bytes);
    await fails("is not the file that was offered", "client", (flags) => buy(sale, changed, flags));
    const other = await offered(await pledged(0));
    await fails("belongs to the sale", "client", (flags) => buy(sale, other, flags));
  });
});

describe("a buyer that cheats", () => {
  test("by not taking the offer has nothing of it", async () => {
    const sale = await pledged(0);
    await offered(sale);
    await fails("the sale is Offered", "client", (flags) => settle(sale, flags));
    await pass(DAY + 1);
    const credit = [await creditOf("client"), await creditOf("ada")];
    expect(await run("client", (flags) => settle(sale, flags))).toMatchObject({ state: "Burned" });
    expect(await creditOf("client")).toBe(credit[0]);
    expect((await creditOf("ada")) - credit[1]).toBe(on.units("5"));
  });

  test("by a false complaint is refused, and a changed file of its own is no complaint", async () => {
    const sale = await pledged(0);
    const out = await offered(sale);
    await run("client", (flags) => buy(sale, out, flags));
    await run("ada", (flags) => release(sale, flags));
    const bytes = readFileSync(out);
    bytes[bytes.length - 1] ^= 1;
    const changed = file();
    writeFileSync(changed, bytes);
    await fails("proves nothing", "client", (flags) => open(sale, changed, { ...flags, out: file() }));
    const key = await saleKeyFor(localAccount(PEOPLE.ada), on.session.deployment, sale);
    const source = await openFile(out);
    const sealed = await openSealed(source, out);
    const [first] = placesOf(sealed.entries);
    const { leaves, ciphertext } = await sealed.read(first);
    await source.close();
    const path = proveLeaf(buildLevels(await leavesOf(out)), 0).map(toHex);
    const chunk = { index: 0, leaf: toHex(leaves.slice(0, 32)), ciphertext: toHex(ciphertext.slice(0, 256)), path };
    await expect(on.call("client", "exchange", "complain", sale, key, chunk)).rejects.toThrow("nothing wrong");
    await run("client", (flags) => open(sale, out, { ...flags, out: file(), finish: true }));
  });
});

test("a seat that does not offer gives the price back", async () => {
  const sale = await pledged(1);
  await fails("the sale is Pledged", "client", (flags) => settle(sale, flags));
  await pass(DAY + 1);
  expect(await run("ben", (flags) => settle(sale, flags))).toMatchObject({ state: "Returned" });
});

async function placesIn(path: string): Promise<Place[]> {
  const source = await openFile(path);
  const sealed = await openSealed(source, path);
  await source.close();
  return [...placesOf(sealed.entries)];
}
