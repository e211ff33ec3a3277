/** What a network of NATS servers survives: a lost server of three, one that is started again, and a partition. */
import { afterAll, describe, expect, test, vi } from "vitest";
import { Nats } from "../../../src/services/transport/nats.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";
import { openLink } from "../../fixtures/link.ts";
import { hasNats, startCluster, startNats } from "../../fixtures/nats.ts";

vi.setConfig({ testTimeout: 1_200_000 });
/** The seed of the servers that are lost. */
const SEED = 20261129;
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const open = async (address: string): Promise<Transport> => {
  const transport = await Nats.open(address);
  closing.push(() => transport.close());
  return transport;
};
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
const question = { message: bytes(100), most: 2 ** 24, timeout: 120_000 };

/** Tries until it works: servers choose a new leader first, which takes a busy machine long. */
async function eventually<T>(action: () => Promise<T>): Promise<T> {
  const end = performance.now() + 180_000;
  for (;;)
    try {
      return await action();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
}

describe.runIf(hasNats)("a network of NATS servers", () => {
  test("of three loses one, whichever it is, and carries answers and notes as before", async () => {
    const servers = await startCluster();
    for (const server of servers) closing.push(() => server.close());
    const all = servers.map(({ url }) => url).join(",");
    const one = await eventually(() => open(all));
    const other = await open(all);
    const long = bytes(2 ** 20 + 5);
    await one.answer("here", async (message) => (message.length === 1 ? long : message));
    await eventually(() => one.post("board", "a", bytes(9)));
    let state = SEED;
    for (let lost = 0; lost < 2; lost++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const server = servers[(state >>> 8) % 3];
      await server.kill();
      expect(await eventually(() => other.ask("here", question)), `seed ${SEED}`).toHaveLength(100);
      expect(await eventually(() => other.ask("here", { ...question, message: bytes(1) }))).toHaveLength(long.length);
      await eventually(() => other.post("board", `b${lost}`, bytes(3)));
      expect([...(await eventually(() => one.notes("board"))).keys()]).toContain("a");
      await server.start();
      expect([...(await eventually(() => one.notes("board"))).keys()]).toContain(`b${lost}`);
    }
  });

  test("of one that is killed and started again answers again, with its notes", async () => {
    const server = await startNats();
    closing.push(() => server.close());
    const [one, other] = [await open(server.url), await open(server.url)];
    await one.answer("here", async (message) => message);
    await one.post("board", "a", bytes(9));
    await server.kill();
    const asked = eventually(() => other.ask("here", question));
    await server.start();
    expect(await asked).toHaveLength(100);
    expect([...(await eventually(() => other.notes("board"))).keys()]).toEqual(["a"]);
  });

  test("from which an answerer is cut off gives no answer in time, and one when the cut has healed", async () => {
    const server = await startNats();
    closing.push(() => server.close());
    const link = await openLink(server.url);
    closing.push(() => link.close());
    const [one, other] = [await open(link.url), await open(server.url)];
    await one.answer("here", async (message) => message);
    link.cut(true);
    await expect(other.ask("here", { ...question, timeout: 2_000 })).rejects.toMatchObject({ code: "VERDE_TRANSPORT_LATE" }); // prettier-ignore
    link.cut(false);
    expect(await eventually(() => other.ask("here", question))).toHaveLength(100);
  });
});
