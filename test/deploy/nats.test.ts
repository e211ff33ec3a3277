/** deploy/nats.conf on a real server: each role can do its work, and nobody can speak as another. */
import { readFileSync, writeFileSync } from "node:fs";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { NetworkKey } from "../../src/services/network/key.ts";
import type { Body, Board } from "../../src/services/network/messages.ts";
import { Notes } from "../../src/services/network/notes.ts";
import { answerSigned, askSigned, subjectOf } from "../../src/services/network/signed.ts";
import { Nats } from "../../src/services/transport/nats.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { hasNats, type NatsServer, startNats } from "../fixtures/nats.ts";

const path = temporaryFolder();
const ROLES = ["ada", "ben", "client", "referee"] as const;
type Role = (typeof ROLES)[number];
const keys = Object.fromEntries(ROLES.map((role) => [role, NetworkKey.make()])) as Record<Role, NetworkKey>;
const ends = new Map<Role, Nats>();
const raw: NatsConnection[] = [];
let server: NatsServer;

beforeAll(async () => {
  if (!hasNats) return;
  let config = readFileSync("deploy/nats.conf", "utf8").replace(/^(listen|jetstream).*$/gm, "");
  const examples = [...config.matchAll(/nkey: (U[A-Z2-7]{55})/g)].map(([, key]) => key);
  expect(examples).toHaveLength(ROLES.length);
  for (const [i, role] of ROLES.entries()) config = config.replaceAll(examples[i], keys[role].publicKey);
  writeFileSync(path("nats.conf"), config);
  server = await startNats(["--config", path("nats.conf")]);
  for (const role of ROLES) ends.set(role, await Nats.open(server.url, { seed: keys[role].seed }));
});
afterAll(async () => {
  for (const end of ends.values()) await end.close();
  for (const one of raw) await one.close();
  await server?.close();
});

/** A connection with a role's key that sends whatever it likes. @returns it, with what the server has forbidden */
async function rogue(role: Role): Promise<{ connection: NatsConnection; forbidden: string[] }> {
  const connection = await connect({ servers: server.url, authenticator: nkeyAuthenticator(new Uint8Array(keys[role].seed)) }); // prettier-ignore
  raw.push(connection);
  const forbidden: string[] = [];
  void (async () => {
    for await (const status of connection.status()) if (status.type === "error") forbidden.push(`${status.error}`);
  })();
  return { connection, forbidden };
}

/** Waits until the server has forbidden something about a subject. */
async function denied(forbidden: readonly string[], subject: string): Promise<void> {
  await vi.waitFor(() => expect(forbidden.join("\n")).toContain(subject), { timeout: 60_000, interval: 50 });
}

const statement = { nkey: keys.ada.publicKey, owner: `0x${"1".repeat(40)}`, operator: `0x${"1".repeat(40)}`, nonce: 1, expiry: 2 ** 40, signature: "0x00" } as const; // prettier-ignore
const word = `0x${"ab".repeat(32)}` as const;
const post = <B extends Board>(role: Role, board: B, topic: string | undefined, body: Body<B>): Promise<void> =>
  new Notes(ends.get(role)!, keys[role]).post(board, topic, body, 600);

describe.runIf(hasNats)("with the permissions of deploy/nats.conf", () => {
  test("each role posts on its boards, and reads all", async () => {
    await post("ada", "providers", undefined, { statement, tasks: 0, most: 1 });
    await post("ada", "offers", word, { statement, task: word });
    await post("ben", "provers", word, { statement, task: word, root: word });
    await post("client", "wanted", word, { statement, task: word, terms: {}, closes: 9 });
    await post("referee", "verdicts", word, { task: word, dispute: 1, files: ["x".repeat(300_000)] });
    for (const role of ROLES) {
      const notes = new Notes(ends.get(role)!, keys[role]);
      for (const board of ["providers", "offers", "provers", "wanted", "verdicts"] as const)
        expect(await notes.read(board), `${role} reads ${board}`).toHaveLength(1);
    }
  });

  test("a party is asked, and answers in pieces", async () => {
    const answer = new Uint8Array(3 * 2 ** 20).fill(7);
    const end = await answerSigned(ends.get("ada")!, keys.ada, "run", async () => answer);
    for (const role of ["referee", "client"] as const) {
      const asked = { message: Uint8Array.of(1), most: 2 ** 23, timeout: 60_000 };
      expect(await askSigned(ends.get(role)!, { publicKey: keys.ada.publicKey, topic: "run" }, asked)).toHaveLength(answer.length); // prettier-ignore
    }
    await end();
  });

  test("nobody posts as another, or on a board of another role", async () => {
    const { connection, forbidden } = await rogue("ben");
    const before = await new Notes(ends.get("client")!, keys.client).read("offers");
    for (const name of [
      `offers.${keys.ada.publicKey}.${word}`,
      `providers.${keys.ada.publicKey}`,
      `draws.${keys.ben.publicKey}.${word}`,
      `rulings.${keys.ben.publicKey}.x`,
    ]) {
      // prettier-ignore
      connection.publish(`$KV.verde-v1.${name}`, new Uint8Array(3));
      await denied(forbidden, `$KV.verde-v1.${name}`);
    }
    expect(await new Notes(ends.get("client")!, keys.client).read("offers")).toEqual(before);
  });

  test("nobody answers as another", async () => {
    const { connection, forbidden } = await rogue("ben");
    const subject = `verde.v1.${subjectOf(keys.ada.publicKey, "run")}`;
    let heard = 0;
    for (const wanted of [subject, "verde.v1.party.>", "verde.>", ">"]) {
      connection.subscribe(wanted, { callback: (error) => void (error ?? heard++) });
      await denied(forbidden, `"${wanted}"`);
    }
    const asked = { message: Uint8Array.of(1), most: 99, timeout: 2_000 };
    await expect(askSigned(ends.get("referee")!, { publicKey: keys.ada.publicKey, topic: "run" }, asked)).rejects.toMatchObject({ code: expect.stringMatching(/NOBODY|LATE/) as string }); // prettier-ignore
    expect(heard).toBe(0);
  });

  test("nobody empties, removes or changes the boards, or says something unasked into an inbox", async () => {
    const { connection, forbidden } = await rogue("ben");
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 });
    const bucket = "KV_verde-v1";
    await expect(manager.streams.purge(bucket)).rejects.toThrow();
    await expect(manager.streams.delete(bucket)).rejects.toThrow();
    await expect(manager.streams.deleteMessage(bucket, 1)).rejects.toThrow();
    await expect(manager.streams.update(bucket, { max_msgs: 1 })).rejects.toThrow();
    connection.publish("_INBOX.of.another", new Uint8Array(3));
    await denied(forbidden, "_INBOX.of.another");
    expect(await new Notes(ends.get("client")!, keys.client).read("wanted")).toHaveLength(1);
  });

  test("a key that is not named, or none, gets no connection", async () => {
    await expect(Nats.open(server.url, { seed: NetworkKey.make().seed })).rejects.toMatchObject({ code: "VERDE_TRANSPORT_UNREACHABLE" }); // prettier-ignore
    await expect(Nats.open(server.url)).rejects.toMatchObject({ code: "VERDE_TRANSPORT_UNREACHABLE" });
  });
});
