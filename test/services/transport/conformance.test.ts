/** One suite for every transport: in one process, over HTTP, and over NATS. */
import { afterAll, describe, expect, test } from "vitest";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { Http } from "../../../src/services/transport/http.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { Nats } from "../../../src/services/transport/nats.ts";
import { MOST_ASKED, MOST_NOTE, type Transport } from "../../../src/services/transport/transport.ts";
import { hasNats, startNats } from "../../fixtures/nats.ts";

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Two ends of one network: as two processes would have them. */
const ENDS: Record<string, () => Promise<readonly [Transport, Transport]>> = {
  "in-process": async () => {
    const one = new InProcess();
    return [one, one];
  },
  http: async () => {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    closing.push(() => hub.close());
    return [new Http(hub.url), new Http(hub.url)];
  },
  ...(hasNats && {
    nats: async () => {
      const server = await startNats();
      closing.push(() => server.close());
      return [await Nats.open(server.url), await Nats.open(server.url)];
    },
  }),
};

const bytes = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);
const ask = { most: 2 ** 24, timeout: 20_000 };

describe.each(Object.entries(ENDS))("%s", (_, open) => {
  const ends = open().then((pair) => {
    for (const end of new Set(pair)) closing.push(() => end.close());
    return pair;
  });

  test("carries questions and answers, of any length within the bounds", async () => {
    const [one, other] = await ends;
    const end = await one.answer("echo.a", async (message) => message);
    for (const length of [0, 1, 1000, MOST_ASKED])
      expect(Buffer.compare(await other.ask("echo.a", { message: bytes(length), ...ask }), bytes(length))).toBe(0);
    await end();
  });

  test("carries an answer that is longer than a message of NATS, and none that is longer than asked for", async () => {
    const [one, other] = await ends;
    const long = bytes(2 ** 21 + 17);
    const end = await one.answer("long.a", async () => long);
    const message = bytes(3);
    expect(Buffer.compare(await other.ask("long.a", { message, ...ask }), long)).toBe(0);
    await expect(other.ask("long.a", { message, most: long.length - 1, timeout: 20_000 })).rejects.toMatchObject({
      code: expect.stringMatching(/TOO_LARGE|UNREACHABLE/) as string,
    });
    await end();
  });

  test("answers many at once, each with its own", async () => {
    const [one, other] = await ends;
    const end = await one.answer("many.a", async (message) => {
      await new Promise((resolve) => setTimeout(resolve, message[0] % 7));
      return message;
    });
    const asked = Array.from({ length: 40 }, (_, i) => bytes(50, i));
    const answers = await Promise.all(asked.map((message) => other.ask("many.a", { message, ...ask })));
    answers.forEach((answer, i) => expect(Buffer.compare(answer, asked[i])).toBe(0));
    await end();
  });

  test("tells a refusal, and that nobody answers, and is late in time", async () => {
    const [one, other] = await ends;
    const message = bytes(3);
    const end = await one.answer("sad.a", async (asked) => {
      if (asked[0] === 0) return new Promise<never>(() => undefined);
      throw new Error("a secret of this machine");
    });
    await expect(other.ask("sad.a", { message, ...ask })).rejects.toMatchObject({ code: "VERDE_TRANSPORT_REFUSED" });
    await expect(other.ask("sad.a", { message, ...ask })).rejects.not.toThrow(/secret/);
    await expect(other.ask("sad.a", { message: Uint8Array.of(0), most: 9, timeout: 700 })).rejects.toMatchObject({
      code: expect.stringMatching(/LATE|UNREACHABLE|REFUSED/) as string,
    });
    await end();
    await expect(other.ask("sad.b", { message, most: 9, timeout: 700 })).rejects.toMatchObject({
      code: "VERDE_TRANSPORT_NOBODY",
    });
  });

  test("one process answers once for a subject, and can end that", async () => {
    const [one, other] = await ends;
    const end = await one.answer("own.a", async () => bytes(1));
    await expect(one.answer("own.a", async () => bytes(2))).rejects.toMatchObject({ code: "VERDE_TRANSPORT_TAKEN" });
    await end();
    const again = await one.answer("own.a", async () => bytes(2));
    expect(await other.ask("own.a", { message: bytes(1), ...ask })).toHaveLength(2);
    await again();
  });

  test("keeps the last note of each key, for all", async () => {
    const [one, other] = await ends;
    expect((await other.notes("empty")).size).toBe(0);
    await one.post("board", "a.x", bytes(9));
    await one.post("board", "b", bytes(MOST_NOTE));
    await other.post("board", "a.x", bytes(7));
    await one.post("boards", "a.x", bytes(1));
    const notes = await one.notes("board");
    expect([...notes].map(([key, note]) => [key, note.length]).sort()).toEqual([["a.x", 7], ["b", MOST_NOTE]]); // prettier-ignore
  });

  test("takes names as long as a key and a task's id together, and longer", async () => {
    const [one, other] = await ends;
    const long = `party.${"U".repeat(56)}.0x${"a".repeat(64)}.${"b".repeat(100)}`;
    const end = await one.answer(long, async (message) => message);
    expect(await other.ask(long, { message: bytes(3), ...ask })).toHaveLength(3);
    await one.post("long", long, bytes(4));
    expect([...(await other.notes("long")).keys()]).toEqual([long]);
    await end();
  });

  test("refuses names that are none, and what is too long", async () => {
    const [one, other] = await ends;
    for (const subject of ["", "a..b", "a b", "*", "a.>", "../x", "a/b", "x".repeat(200), "$JS.API.INFO"]) {
      await expect(other.ask(subject, { message: bytes(1), ...ask }), subject).rejects.toMatchObject({ code: "VERDE_TRANSPORT_SUBJECT" }); // prettier-ignore
      await expect(one.answer(subject, async () => bytes(1))).rejects.toMatchObject({
        code: "VERDE_TRANSPORT_SUBJECT",
      });
      await expect(one.post("board", subject, bytes(1))).rejects.toMatchObject({ code: "VERDE_TRANSPORT_SUBJECT" });
    }
    await expect(other.ask("x", { message: bytes(MOST_ASKED + 1), ...ask })).rejects.toMatchObject({ code: "VERDE_TRANSPORT_TOO_LARGE" }); // prettier-ignore
    await expect(one.post("board", "x", bytes(MOST_NOTE + 1))).rejects.toMatchObject({ code: "VERDE_TRANSPORT_TOO_LARGE" }); // prettier-ignore
  });
});
