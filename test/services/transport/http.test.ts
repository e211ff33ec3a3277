/** What the transport over HTTP asks the hub for, and what it does when one who answers has moved. */
import { afterAll, expect, test } from "vitest";
import type { Bytes } from "../../../src/encoding/bytes.ts";
import { Http } from "../../../src/services/transport/http.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Counts how often a board is read. */
class Counting extends InProcess {
  reads = 0;

  override notes(board: string): Promise<ReadonlyMap<string, Bytes>> {
    this.reads++;
    return super.notes(board);
  }
}

const question = { message: new Uint8Array(9), most: 99, timeout: 60_000 };

test("the address of an answerer is read once for many questions, and again when the answerer has moved", async () => {
  const boards = new Counting();
  const hub = await serveHub(boards, { host: "127.0.0.1", port: 0 });
  closing.push(() => hub.close());
  for (let i = 0; i < 300; i++) await boards.post("addresses", `party.other${i}`, new Uint8Array(200));
  const asker = new Http(hub.url);
  closing.push(() => asker.close());
  const first = new Http(hub.url);
  await first.answer("party.x", async () => Uint8Array.of(1));
  for (let i = 0; i < 20; i++) expect(await asker.ask("party.x", question)).toEqual(Uint8Array.of(1));
  expect(boards.reads).toBe(1);
  await first.close();
  const second = new Http(hub.url);
  closing.push(() => second.close());
  await second.answer("party.x", async () => Uint8Array.of(2));
  expect(await asker.ask("party.x", question)).toEqual(Uint8Array.of(2));
  expect(boards.reads).toBe(2);
});

test("one note of a board is given alone, and a stranger's text is no address", async () => {
  const boards = new InProcess();
  const hub = await serveHub(boards, { host: "127.0.0.1", port: 0 });
  closing.push(() => hub.close());
  await boards.post("addresses", "party.a", new TextEncoder().encode("file:///etc/passwd"));
  for (const [i, text] of [
    "http://127.0.0.1:1/admin?x=",
    "http://127.0.0.1:1/#x",
    "http://me:secret@127.0.0.1:1",
  ].entries())
    await boards.post("addresses", `party.s${i}`, new TextEncoder().encode(text));
  await boards.post("addresses", "party.b", new TextEncoder().encode("http://127.0.0.1:1"));
  const one = await fetch(`${hub.url}/v1/boards/addresses?key=party.a`);
  const all = await fetch(`${hub.url}/v1/boards/addresses`);
  expect((await one.arrayBuffer()).byteLength).toBeLessThan((await all.arrayBuffer()).byteLength);
  const asker = new Http(hub.url);
  closing.push(() => asker.close());
  // It is asked for in the process of the hub, where nobody answers.
  for (const party of ["a", "s0", "s1", "s2"])
    await expect(asker.ask(`party.${party}`, question)).rejects.toMatchObject({ code: "VERDE_TRANSPORT_NOBODY" });
  await expect(asker.ask("party.b", question)).rejects.toMatchObject({ code: "VERDE_TRANSPORT_UNREACHABLE" });
  const beside = "http://127.0.0.1:1/verde";
  expect(() => new Http(hub.url, { reachedAt: beside })).toThrow("write scheme://host:port, without a path");
});
