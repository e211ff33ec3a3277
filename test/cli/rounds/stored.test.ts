/** A plan with stores on a chain, through the commands: demands to a store and to the recorder, and a recorder that censors. */
import { expect, it } from "vitest";
import { addressOf, Settlement } from "../../fixtures/settlement.ts";
import { RoundsFiles, STORED } from "./parties.ts";

const on = new Settlement("--rounds");
const files = new RoundsFiles(on, STORED);
const last = (text: string): unknown => JSON.parse(text.trim().split("\n").at(-1)!);

/** A performance that everybody has joined, with its record on the chain. */
async function recorded(name: string, ...drills: string[]): Promise<{ terms: string; out: string; warned: string }> {
  const [terms, out] = [`${name}.json`, name];
  await files.post(terms);
  await on.ok("ada", "rounds", "stake", ...STORED.plan, "--terms", terms);
  await files.join(
    terms,
    files.everybody.filter((person) => person !== "ada"),
  );
  await files.perform(terms, out, ...drills);
  const { code, stderr: warned } = await on.as("owner", "rounds", "record", out, "--terms", terms);
  expect(code, warned).toBe(0);
  return { terms, out, warned };
}

it("a store and the recorder show what is demanded, and everybody is paid", async () => {
  const { terms, out, warned } = await recorded("honest", "--away", "client-1=2");
  expect(warned).not.toContain("can lose its stake");
  const demand = ["rounds", "demand", out, "--terms", terms, "--round", "1", "--leaf", "local-0"];
  for (const [code, words, more] of [
    [2, "--leaf local-9 is none of the plan; choose from local-0, local-1, local-2, merge-0", ["--leaf", "local-9"]],
    [2, "--round 3 is after the last one", ["--round", "3"]],
    [2, "--store store-7 is none of the plan; choose from store-0, store-1, store-2", ["--store", "store-7"]],
    [2, "--entry and --chunk are asked of a store", ["--chunk", "0"]],
    [2, "--chunk 4294967296 is more than a state can have", ["--store", "store-0", "--chunk", "4294967296"]],
    [
      2,
      "local-1 was absent in round 2, so no store holds a leaf of it",
      ["--leaf", "local-1", "--round", "2", "--store", "store-0"],
    ],
  ] as const)
    await on.fails(code, words, "client", ...demand, ...more);
  expect(await on.json("client", ...demand)).toMatchObject({ round: 1, seat: 0, price: `${10n ** 17n}`, deadline: expect.any(Number) }); // prettier-ignore
  await on.fails(3, "this was asked before of seat 0 in round 1", "client", ...demand);
  const copy = await on.json("client", ...demand, "--store", "store-0", "--entry", "1");
  expect(copy).toMatchObject({ round: 1, seat: 0, store: 0, entry: 1, chunk: 0, deadline: expect.any(Number) });
  expect(await files.show(terms)).toMatchObject({ open: 1, questions: [{ kind: "demand" }], copies: [{ store: 0, entry: 1 }] }); // prettier-ignore
  const watch = ["rounds", "watch", out, "--terms", terms, "--every", "1s", "--json", "--no-accuse"];
  const [store, recorder] = [files.begin("referee1", ...watch), files.begin("owner", ...watch)];
  await files.until("both have answered", async () => {
    const { open, copies } = (await files.show(terms)) as { open: number; copies: unknown[] };
    return open === 0 && copies.length === 0;
  });
  await on.skip("4d");
  for (const { ended } of [store, recorder]) expect(last((await ended).stdout)).toMatchObject({ what: "ended", state: "Closed", lost: false }); // prettier-ignore
  await on.fails(3, "this is not the time to demand anything", "client", ...demand, "--leaf", "merge-0");
  // The reward, and the price of the demand.
  for (const who of ["referee1", "owner"] as const)
    expect(await on.json(undefined, "stake", "show", addressOf(who), "--rounds")).toMatchObject({ exposed: "0", credit: `${11n * 10n ** 17n}` }); // prettier-ignore
});

it("a recorder that calls a member absent whose leaf the stores hold loses its stake to whoever watches", async () => {
  const { terms, out, warned } = await recorded("censored", "--censor", "client-1=2");
  expect(warned).toContain("can lose its stake: it lacks what has to be signed of local-1 in round 2, and anybody can show that by `demand`"); // prettier-ignore
  const watch = ["rounds", "watch", out, "--terms", terms, "--every", "1s", "--json"];
  const member = files.begin("ben", ...watch);
  await member.line(/"what":"(accuseCensor|demand|storeTwice)"/);
  await on.skip("2d");
  await files.until("somebody has lost", async () => ((await files.show(terms)).convicted as unknown[]).length > 0);
  expect(((await files.show(terms)).convicted as unknown[])[0]).toMatchObject({ participant: 7 });
  await on.skip("4d");
  expect(last((await member.ended).stdout)).toMatchObject({ what: "ended", lost: false });
});
