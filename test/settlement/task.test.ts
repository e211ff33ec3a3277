/** What a task is, read from a chain, against what happened on it. */
import { beforeAll, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { encodeType } from "../../src/encoding/tensor.ts";
import { layoutRoot, proveType } from "../../src/settlement/delivery.ts";
import { readTask, taskEvents, type TaskSource } from "../../src/settlement/task.ts";
import { type Chain, openChain } from "../contracts/chain.ts";
import { submit, verdictOf } from "../contracts/referees.ts";
import { LIE, Play, type Terms, TRUTH } from "../contracts/task.ts";

let chain: Chain;
let source: TaskSource;
beforeAll(async () => {
  chain = await openChain();
  source = {
    client: chain.client as unknown as TaskSource["client"],
    chainId: 31_337,
    manager: chain.manager,
    fromBlock: 0n,
  };
});

test("a task tells its terms, seats, claims, rulings and open demands", async () => {
  const types = [{ dtype: "f32", shape: [100] } as const];
  const layout = toHex(layoutRoot(types)) as Terms["job"];
  const play = await Play.of(chain, { providers: 3, tensors: 1, stateLayout: layout, game: chain.accounts[6] });
  await play.post();
  await play.accept(0);
  expect(await readTask(source, play.id)).toMatchObject({
    terms: play.terms,
    state: "Open",
    phase: "None",
    seats: [{ seat: 0, owner: play.owner(0), role: "provider", out: false }],
    claims: [],
    waiting: [],
  });
  await play.accept(1);
  await play.accept(2);
  for (const [seat, root] of [TRUTH, LIE, TRUTH].entries()) await play.commit(seat, root);
  const [{ commitment, root }] = (await readTask(source, play.id)).seats;
  expect([commitment, root]).toEqual([await play.commitment(0, TRUTH), undefined]);
  for (const [seat, claim] of [TRUTH, LIE, TRUTH].entries()) await play.reveal(seat, claim);
  await play.compare();
  expect(await readTask(source, play.id)).toMatchObject({ state: "Disputed", phase: "Judging", claims: [TRUTH, LIE] });

  await submit(play, verdictOf([TRUTH, LIE], 2n));
  const { ruling } = await readTask(source, play.id);
  expect(ruling).toMatchObject({ claims: [TRUTH, LIE], losers: 2n });
  await play.wait();
  await play.enforce(ruling!);
  expect(await readTask(source, play.id)).toMatchObject({
    state: "Challengeable",
    seats: [{ root: TRUTH }, { root: LIE, out: true }, { root: TRUTH }],
    claims: [TRUTH],
  });

  const type = toHex(encodeType(types[0])) as Terms["job"];
  for (const chunk of [0, 1]) await play.demand(0, chunk, type, proveType(types, 0).map(toHex) as Terms["job"][]);
  const { waiting } = await readTask(source, play.id);
  expect(waiting.map(({ index, demand }) => [index, demand.chunk, demand.root])).toEqual([
    [0, 0, TRUTH],
    [1, 1, TRUTH],
  ]);
  await play.wait();
  await play.expireDemand(0, waiting[0].demand);
  expect(await readTask(source, play.id)).toMatchObject({ state: "Refunded", waiting: [], claims: [] });
  expect((await taskEvents(source, play.id)).at(0)?.eventName).toBe("TaskPosted");
});

test("a task that nobody posted is told by a sentence", async () => {
  await expect(readTask(source, TRUTH)).rejects.toThrow(`there is no task ${TRUTH} at ${chain.manager}`);
});
