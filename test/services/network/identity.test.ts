/** Whose a key on a network is, who may say so, and what stands on boards. */
import { readFileSync } from "node:fs";
import { fromPublic } from "@nats-io/nkeys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPublicClient, custom, type Hex, type PublicClient } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { identityProblem, signIdentity } from "../../../src/settlement/identity.ts";
import { openLocalChain } from "../../../src/settlement/local/chain.ts";
import type { Session } from "../../../src/settlement/session.ts";
import { isSignedBy, NetworkKey } from "../../../src/services/network/key.ts";
import { Notes } from "../../../src/services/network/notes.ts";
import { Trusted } from "../../../src/services/network/trusted.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";

const path = temporaryFolder();
const place = { chainId: 31_337, manager: "0x5FbDB2315678afecb367f032d93F642f64180aa3" } as const;
const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
const NOW = 1_800_000_000;
const key = NetworkKey.make();
const said = { nkey: key.publicKey, operator: account.address, nonce: 5, expiry: NOW + 100 };
let client: PublicClient;
let close: () => Promise<void>;

beforeAll(async () => {
  const chain = await openLocalChain();
  close = chain.close;
  client = createPublicClient({ transport: custom(chain.provider) });
});
afterAll(() => close());

describe("a statement", () => {
  test("holds for its wallet, its chain, its registry and its time, and for nothing else", async () => {
    const statement = await signIdentity(account, place, said);
    expect(await identityProblem(client, place, statement, NOW)).toBeUndefined();
    const other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    const changes: [object, object][] = [
      [{ nkey: NetworkKey.make().publicKey }, {}],
      [{ owner: other }, {}],
      [{ operator: other }, {}],
      [{ nonce: 6 }, {}],
      [{ expiry: NOW + 101 }, {}],
      [{}, { chainId: 1 }],
      [{}, { manager: other }],
      [{ signature: `0x${"00".repeat(65)}` }, {}],
      [{ signature: "0x1234" }, {}],
    ];
    for (const [change, elsewhere] of changes)
      expect(await identityProblem(client, { ...place, ...elsewhere }, { ...statement, ...change }, NOW), JSON.stringify([change, elsewhere])).toMatch(/neither signed by/); // prettier-ignore
    expect(await identityProblem(client, place, statement, NOW + 100)).toMatch(/expired/);
  });

  test("of a wallet contract holds if the contract accepts it (ERC-1271)", async () => {
    // Returns a word: the four bytes that mean yes, or others.
    const code = (word: string): Hex => `0x63${word}60e01b60005260206000f3`;
    const wallets = { "0x00000000000000000000000000000000000000a1": "1626ba7e", "0x00000000000000000000000000000000000000a2": "ffffffff" }; // prettier-ignore
    for (const [address, word] of Object.entries(wallets))
      await client.request({ method: "hardhat_setCode", params: [address, code(word)] } as never);
    const [accepts, refuses] = Object.keys(wallets) as Hex[];
    const by = (owner: Hex) => ({ ...said, owner, signature: "0xabcd" as Hex });
    expect(await identityProblem(client, place, by(accepts), NOW)).toBeUndefined();
    expect(await identityProblem(client, place, by(refuses), NOW)).toMatch(/nor accepted by a wallet/);
  });

  test("counts for its own key alone, and until a later one replaces it", async () => {
    const trusted = new Trusted({ client, deployment: place } as unknown as Session, () => NOW);
    const first = await signIdentity(account, place, said);
    const next = NetworkKey.make();
    const second = await signIdentity(account, place, { ...said, nkey: next.publicKey, nonce: 6 });
    expect(await trusted.problem(key.publicKey, first)).toBeUndefined();
    expect(await trusted.problem(next.publicKey, first)).toMatch(/another key/);
    expect(await trusted.problem(next.publicKey, second)).toBeUndefined();
    expect(await trusted.problem(key.publicKey, first)).toMatch(/later statement/);
    expect(await trusted.problem(next.publicKey, second, place.manager)).toMatch(/not by/);
    // A clock that was set back gives a lower number to the same key, and to no other.
    const third = await signIdentity(account, place, { ...said, nkey: next.publicKey, nonce: 4 });
    expect(await trusted.problem(next.publicKey, third)).toBeUndefined();
    expect(await trusted.problem(key.publicKey, first)).toMatch(/later statement/);
    // A statement that does not hold replaces nothing.
    await trusted.problem(key.publicKey, { ...first, nonce: 99 });
    expect(await trusted.problem(next.publicKey, second)).toBeUndefined();
  });
});

describe("signatures", () => {
  test("count as the library of nkeys counts them, with any bit changed", () => {
    let state = 20261130;
    const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
    for (let i = 0; i < 40; i++) {
      const own = NetworkKey.make();
      const message = Uint8Array.from({ length: next() % 200 }, () => next() & 255);
      const signature = own.sign(message);
      expect(isSignedBy(own.publicKey, message, signature)).toBe(true);
      expect(isSignedBy(key.publicKey, message, signature)).toBe(false);
      const bit = next() % 512;
      const altered = signature.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(fromPublic(own.publicKey).verify(message, new Uint8Array(altered)), `bit ${bit}`).toBe(false);
      expect(isSignedBy(own.publicKey, message, altered), `bit ${bit}`).toBe(false);
    }
    const signature = key.sign(new Uint8Array(3));
    const letter = key.publicKey[20] === "A" ? "B" : "A";
    const misspelt = `${key.publicKey.slice(0, 20)}${letter}${key.publicKey.slice(21)}`;
    for (const none of ["", "U", key.publicKey.toLowerCase(), misspelt, `${key.publicKey}A`])
      expect(isSignedBy(none, new Uint8Array(3), signature), none).toBe(false);
    expect(isSignedBy(key.publicKey, new Uint8Array(3), signature.subarray(1))).toBe(false);
  });
});

describe("notes", () => {
  const task = `0x${"ab".repeat(32)}` as const;
  const root = `0x${"cd".repeat(32)}` as const;

  test("are read as they were posted, until they end", async () => {
    let now = NOW;
    const transport = new InProcess();
    const notes = new Notes(transport, key, () => now);
    await notes.post("verdicts", task, { task, dispute: 1, files: ["{}"] }, 60);
    expect(await notes.read("verdicts")).toMatchObject([{ author: key.publicKey, body: { task, files: ["{}"] } }]);
    now += 60 + 899;
    expect(await notes.read("verdicts")).toHaveLength(1);
    now += 2;
    expect(await notes.read("verdicts")).toEqual([]);
  });

  test("under another's key, on another board, or changed in one bit, are none", async () => {
    const transport = new InProcess();
    const notes = new Notes(transport, key, () => NOW);
    const statement = await signIdentity(account, place, said);
    await notes.post("provers", task, { statement, task, root }, 60);
    const [[at, note]] = await transport.notes("provers");
    const mallory = NetworkKey.make().publicKey;
    await transport.post("provers", `${mallory}.${task}`, note);
    await transport.post("provers", `${key.publicKey}.x`, note);
    await transport.post("offers", at, note);
    expect(await notes.read("provers")).toHaveLength(1);
    expect(await notes.read("offers")).toEqual([]);
    for (let bit = 0; bit < 8 * note.length; bit += 97) {
      const altered = note.slice();
      altered[bit >> 3] ^= 1 << (bit & 7);
      await transport.post("provers", at, altered);
      expect(await notes.read("provers"), `bit ${bit}`).toEqual([]);
    }
  });

  test("of any bytes, or of another form, are none", async () => {
    const transport = new InProcess();
    const notes = new Notes(transport, key, () => NOW);
    let state = 20261129;
    const next = (limit: number): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % limit;
    for (let i = 0; i < 200; i++)
      await transport.post(
        "draws",
        `${key.publicKey}.n${i}`,
        Uint8Array.from({ length: next(200) }, () => next(256)),
      );
    for (const body of [null, 7, {}, { task }, { task, dispute: -1, files: [] }, { task, dispute: 1, files: ["x"], more: 1 }])
      await notes.post("verdicts", "x", body as never, 60).then(async () => expect(await notes.read("verdicts"), JSON.stringify(body)).toEqual([])); // prettier-ignore
    expect(await notes.read("draws")).toEqual([]);
  });
});

describe("a network key", () => {
  test("is made once in a file of its own, and signs", async () => {
    const [one, two] = await Promise.all([NetworkKey.open(path("n.nkey")), NetworkKey.open(path("n.nkey"))]);
    expect(one.publicKey).toBe(two.publicKey);
    const message = new TextEncoder().encode("hello");
    const signature = one.sign(message);
    expect(isSignedBy(one.publicKey, message, signature)).toBe(true);
    expect(isSignedBy(one.publicKey, new TextEncoder().encode("hellp"), signature)).toBe(false);
    expect(isSignedBy(key.publicKey, message, signature)).toBe(false);
    expect(isSignedBy("U", message, signature)).toBe(false);
    expect(readFileSync(path("n.nkey"), "utf8")).toMatch(/^SU[A-Z2-7]{56}\n$/);
  });

  test("that is none is refused, and not repeated", () => {
    for (const text of ["", "SUxx", "0x11", NetworkKey.make().publicKey])
      expect(() => NetworkKey.fromSeed(text, "the file")).toThrow(/the file is not the seed of a user's nkey/);
    expect(() => NetworkKey.fromSeed("SUSECRET", "the file")).not.toThrow(/SECRET/);
  });
});
