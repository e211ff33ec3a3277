/** Offers on a network count if their owners have the stake for a seat, and all of a draw fit into a note. */
import { afterAll, expect, test } from "vitest";
import { type Hex, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { drawProviders } from "../../../src/services/client/draw-providers.ts";
import { byTicket, drawn, type Offer } from "../../../src/services/network/draw.ts";
import { NetworkKey } from "../../../src/services/network/key.ts";
import { Notes } from "../../../src/services/network/notes.ts";
import { statementBy } from "../../../src/services/network/statement.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { taskIdOf } from "../../../src/settlement/commitment.ts";
import { localAccount } from "../../../src/settlement/local/settlement.ts";
import { drawSaltOf } from "../../../src/settlement/secrets.ts";
import { addressOf, PEOPLE, Scene } from "../../fixtures/scene.ts";

const SECRET = toHex(7, { size: 32 });
const STRANGERS = 12;
const scene = new Scene();
const network = new InProcess();
afterAll(() => network.close());

test("wallets without a stake have no ticket", async () => {
  const { session } = scene;
  const terms = { ...scene.terms, salt: drawSaltOf(SECRET), seatPolicy: session.deployment.seatList! };
  const task = taskIdOf(session.deployment, terms);
  const strangers = Array.from({ length: STRANGERS }, (_, i) => privateKeyToAccount(toHex(i + 1, { size: 32 })));
  for (const account of [localAccount(PEOPLE.ada), localAccount(PEOPLE.ben), ...strangers]) {
    const key = NetworkKey.make();
    const statement = await statementBy(account, session, key);
    await new Notes(network, key).post("offers", task, { statement, task }, 600);
  }
  const key = NetworkKey.make();
  const { drawn: chosen, offers } = await drawProviders({
    session,
    notes: new Notes(network, key),
    statement: await statementBy(localAccount(PEOPLE.client), session, key),
    task,
    terms,
    secret: SECRET,
    seconds: 1,
    together: false,
    nudge: async () => {
      await scene.provider.request({ method: "evm_increaseTime", params: [toHex(2)] });
      await scene.provider.request({ method: "evm_mine", params: [] });
    },
  });
  expect(offers).toBe(2);
  expect(chosen.map(({ owner }) => owner).sort()).toEqual([addressOf("ada"), addressOf("ben")].sort());
});

test("a draw among the lowest tickets draws the same", () => {
  const offers = Array.from({ length: 40 }, (_, i): Offer => {
    const owner: Hex = toHex(i + 1, { size: 20 });
    return { owner, operator: owner };
  });
  const facts = { task: toHex(1, { size: 32 }), secret: SECRET, blockHash: toHex(2, { size: 32 }) };
  const lowest = byTicket(offers, facts).slice(0, 5);
  expect(drawn(lowest, 3, facts, false)).toEqual(drawn(offers, 3, facts, false));
  expect(drawn(lowest.toReversed(), 3, facts, false)).toEqual(lowest.slice(0, 3));
});
