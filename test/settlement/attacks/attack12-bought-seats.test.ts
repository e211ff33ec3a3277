/**
 * One party takes all seats of a task with accounts of its own, and is paid for what nobody has computed. Terms may name
 * who takes seats. A list and a draw keep the party out, or give it its share; and nobody has to trust a node for it.
 */
import { expect, test } from "vitest";
import { concat, type Hex, keccak256, pad, stringToHex, toHex, zeroHash } from "viem";
import { accept } from "../../../src/cli/task/accept.ts";
import { draw } from "../../../src/cli/task/seats.ts";
import { taskIdOf } from "../../../src/settlement/commitment.ts";
import { ABIS, type Contract } from "../../../src/settlement/contracts.ts";
import { localAccount, mintTokens } from "../../../src/settlement/local/settlement.ts";
import { readDraw, seatChance, seatKind } from "../../../src/settlement/seats.ts";
import { canarySaltOf, drawSaltOf, drawSecretFor, findDrawSecrets } from "../../../src/settlement/secrets.ts";
import { readTask, type Terms } from "../../../src/settlement/task.ts";
import { Caller } from "../../../src/settlement/transactions/caller.ts";
import { addressOf, type Person, PEOPLE, Scene } from "../../fixtures/scene.ts";

const scene = new Scene();
let posts = 0;

/** Sends a call as a person, whatever contract it is for. */
async function call(person: Person, contract: Contract, functionName: string, ...args: unknown[]): Promise<void> {
  await Caller.shortLived(scene.session, localAccount(PEOPLE[person])).call({ contract, functionName, args });
}

async function post(change: Partial<Terms>): Promise<{ task: Hex; terms: Terms }> {
  const salt: Hex = `0x${(++posts).toString(16).padStart(64, "c")}`;
  const terms = { ...scene.terms, salt, ...change };
  await call("client", "manager", "post", terms);
  return { task: taskIdOf(scene.session.deployment, terms), terms };
}

async function chance(task: Hex, person: Person) {
  const { timestamp } = await scene.session.client.getBlock();
  const view = await readTask(scene.session.source, task);
  return (await seatChance(scene.session, view, addressOf(person), Number(timestamp))).can;
}

async function skip(seconds: number): Promise<void> {
  for (const [method, params] of [["evm_increaseTime", [seconds]], ["evm_mine", []]]) await scene.session.client.request({ method, params } as never); // prettier-ignore
}

/** Terms whose seats the client draws. */
async function drawnTerms(number: number): Promise<Partial<Terms>> {
  const { deployment } = scene.session;
  const terms = { ...scene.terms, seatPolicy: deployment.seatDraw! };
  const secret = await drawSecretFor(localAccount(PEOPLE.client), deployment, terms, number);
  return { seatPolicy: terms.seatPolicy, salt: drawSaltOf(secret) };
}

/** The order of offers, by clause 6.11. */
function orderOf(offers: readonly Hex[], facts: readonly Hex[]): Hex[] {
  const words = (...all: Hex[]): Hex => keccak256(concat(all));
  const seed = words(keccak256(stringToHex("Verde draw seed 2")), ...facts);
  const order = [...offers];
  for (let place = 0; place < order.length; place++) {
    const random = BigInt(words(seed, pad(toHex(place))));
    const index = place + Number(random % BigInt(order.length - place));
    [order[place], order[index]] = [order[index], order[place]];
  }
  return order;
}

test("a list keeps out accounts that the client has not named, whoever takes the first seat", async () => {
  const { task, terms } = await post({ seatPolicy: scene.session.deployment.seatList! });
  expect(await chance(task, "ada")).toBe("none");
  await expect(call("ben", "manager", "accept", task)).rejects.toThrow("does not let");
  const flags = scene.flags(await scene.node());
  const { error } = await scene.as("ben", () => accept(task, [], flags, undefined as never));
  expect(error).toMatchObject({ code: "VERDE_CHAIN_SEAT_REFUSED" });
  await call("client", "seatList", "allow", terms, [addressOf("ada")]);
  expect(await chance(task, "ada")).toBe("take");
  await call("ada", "manager", "accept", task);
  await expect(call("ben", "manager", "accept", task)).rejects.toThrow("does not let");
});

test("a policy that is no contract of the deployment lets in whom it says, and a broken one nobody", async () => {
  const { deployment } = scene.session;
  const { task, terms } = await post({ seatPolicy: deployment.vault });
  expect(seatKind(deployment, terms)).toBe("other");
  expect(await chance(task, "ada")).toBe("none");
  await expect(call("ada", "manager", "accept", task)).rejects.toThrow();
});

test("a draw lets in no more accounts of a party than are drawn, and none before", async () => {
  const { deployment, source } = scene.session;
  await mintTokens(scene.session, localAccount(PEOPLE.referee), "1000");
  await call("referee", "token", "approve", deployment.vault, 2n ** 255n);
  await call("referee", "vault", "deposit", scene.units("500"));
  const { task, terms } = await post(await drawnTerms(0));
  const crowd = ["ada", "ben", "referee"] as const;
  for (const person of crowd) {
    expect(await chance(task, person)).toBe("offer");
    await expect(call(person, "manager", "accept", task)).rejects.toThrow("does not let");
    await call(person, "seatDraw", "offer", terms);
    expect(await chance(task, person)).toBe("wait");
  }
  await expect(call("ada", "seatDraw", "offer", terms)).rejects.toThrow("has offered already");
  await expect(call("client", "seatDraw", "close", terms)).rejects.toThrow("are taken until");
  await skip(terms.periods.toAccept / 2 + 1);
  expect(await chance(task, "client")).toBe("none");
  await expect(call("client", "seatDraw", "offer", terms)).rejects.toThrow("were taken until");
  // Whoever closes the offers can't draw: it does not know the secret.
  await call("ben", "seatDraw", "close", terms);
  await expect(call("ben", "seatDraw", "draw", terms, zeroHash)).rejects.toThrow("the next one has to follow it");
  await skip(1);
  await expect(call("ben", "seatDraw", "draw", terms, zeroHash)).rejects.toThrow("commits to another secret");
  const drawing = await scene.as("client", async () => draw(task, scene.flags(await scene.node())));
  expect(drawing.error).toBeUndefined();
  // The order is that of the specification (6.11).
  const { client } = scene.session;
  const contract = { address: deployment.seatDraw!, abi: ABIS.seatDraw, fromBlock: 0n } as const;
  const [closed] = await client.getContractEvents({ ...contract, eventName: "OffersClosed", args: { task } });
  const drawnEvents = await client.getContractEvents({ ...contract, eventName: "SeatDrawn", args: { task } });
  const { hash } = await client.getBlock({ blockNumber: closed.args.number! });
  const [secret] = await findDrawSecrets(localAccount(PEOPLE.client), deployment, terms);
  expect(drawnEvents.map(({ args }) => args.owner)).toEqual(orderOf(crowd.map(addressOf), [task, secret, hash!]));
  const can = await Promise.all(crowd.map((person) => chance(task, person)));
  expect(can.toSorted()).toEqual(["take", "take", "wait"]);
  expect(await readDraw(scene.session, await readTask(source, task))).toMatchObject({ offers: 3, drawn: true });
  // Once all seats are taken, another error comes first.
  const reserve = crowd.find((_, i) => can[i] === "wait")!;
  await expect(call(reserve, "manager", "accept", task)).rejects.toThrow("does not let");
  for (const person of crowd) if (person !== reserve) await call(person, "manager", "accept", task);
  expect((await readTask(source, task)).state).toBe("Accepted");
});

test("the secret of a draw follows from the client's key and the terms, and no other key finds it", async () => {
  const { deployment } = scene.session;
  const change = await drawnTerms(3);
  const terms = { ...scene.terms, ...change } as Terms;
  const [found] = await findDrawSecrets(localAccount(PEOPLE.client), deployment, terms);
  expect(drawSaltOf(found)).toBe(terms.salt);
  const other = { ...terms, reward: terms.reward + 1n };
  await expect(findDrawSecrets(localAccount(PEOPLE.client), deployment, other)).rejects.toThrow("commits to no secret");
});

test("the salts are those of the contracts", async () => {
  const { client, deployment } = scene.session;
  const [root, secret]: Hex[] = [`0x${"a1".repeat(32)}`, `0x${"b2".repeat(32)}`];
  const ofDraw = { address: deployment.seatDraw!, abi: ABIS.seatDraw } as const;
  const ofCanaries = { address: deployment.canaries!, abi: ABIS.canaries } as const;
  expect(await client.readContract({ ...ofDraw, functionName: "saltOf", args: [secret] })).toBe(drawSaltOf(secret));
  const marked = await client.readContract({ ...ofCanaries, functionName: "saltOf", args: [root, secret] });
  expect(marked).toBe(canarySaltOf(root, secret));
});
