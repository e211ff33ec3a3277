/** A plan of rounds on a chain, through the commands, from the posting to the rewards. */
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { addressOf, Settlement } from "../../fixtures/settlement.ts";
import { ACCOUNTS, PLAN, RoundsFiles } from "./parties.ts";

const on = new Settlement("--rounds");
const files = new RoundsFiles(on);

describe("posting and joining", () => {
  it("the deployment has the contracts of rounds", () => {
    const deployment = JSON.parse(readFileSync(on.at("deployment.json"), "utf8")) as Record<string, unknown>;
    expect(deployment).toMatchObject({ schemaVersion: 3, roundManager: expect.any(String), roundVault: expect.any(String), roundGame: expect.any(String) }); // prettier-ignore
    expect(Object.keys(deployment.codes as object)).toEqual(expect.arrayContaining(["roundManager", "roundVault", "roundGame"])); // prettier-ignore
  });

  it("a client posts terms in which everybody has an account", async () => {
    await on.fails(2, "client-2 has no account", "client", "rounds", "post", PLAN, ...ACCOUNTS.slice(0, 4), "--account", `server-0=${addressOf("passer")}`, "--recorder", addressOf("owner"), "--reward", "1", "--out", "no.json"); // prettier-ignore
    await on.fails(2, "names no participant of the plan", "client", "rounds", "post", PLAN, "--account", `nobody=${addressOf("ada")}`, "--recorder", addressOf("owner"), "--reward", "1"); // prettier-ignore
    const sent = await on.sentBy("client");
    expect(await files.post("dry.json", "--dry-run")).toMatchObject({ dryRun: true });
    expect(await on.sentBy("client")).toBe(sent);
    const posted = await files.post("terms.json");
    expect(posted).toMatchObject({ instance: expect.stringMatching(/^0x[0-9a-f]{64}$/), escrow: `${5n * 10n ** 18n}` });
    // Once more: the file says that it is the same.
    expect(await files.post("terms.json")).toMatchObject({ instance: posted.instance, transactions: [] });
    await on.fails(2, "has other terms", "client", ...files.postWords("terms.json"), "--stake", "3");
    expect(await files.show("terms.json")).toMatchObject({ state: "Joining", instance: posted.instance, open: 0 });
  });

  it("terms that were changed, or are of another plan, are refused before anybody joins", async () => {
    const text = readFileSync(on.at("terms.json"), "utf8");
    writeFileSync(on.at("changed.json"), text.replace('"stake": "10000000000000000000"', '"stake": "11000000000000000000"')); // prettier-ignore
    await on.fails(2, "they hash to the instance", "ada", "rounds", "stake", PLAN, "--terms", "changed.json");
    await on.fails(2, "the terms are not about the plan", "ada", "rounds", "stake", PLAN, "--terms", "terms.json", "--rate", "0.1"); // prettier-ignore
    await on.fails(2, "has not schema version 1", "ada", "rounds", "show", "deployment.json");
    await on.fails(3, "is neither a participant", "poor", "rounds", "stake", PLAN, "--terms", "terms.json"); // prettier-ignore
  });

  it("a policy refuses what risks more than it allows, until the risk is accepted", async () => {
    writeFileSync(on.at("policy.json"), JSON.stringify({ maxStake: "5" }));
    const words = ["rounds", "stake", PLAN, "--terms", "terms.json", "--policy", "policy.json"];
    await on.fails(3, "stake is 10 VTT, and has to be at most 5 VTT", "ada", ...words);
    await on.fails(2, "is no term with a rule", "ada", ...words, "--accept-risk", "luck");
    expect(await on.json("ada", ...words, "--accept-risk", "stake")).toMatchObject({ joined: 1 });
    // What is free already is not deposited again.
    expect(await on.json("ada", ...words, "--accept-risk", "stake")).toMatchObject({ joined: 0, transactions: [] });
    const joined = (await files.show("terms.json")).parties as { joined: boolean }[];
    expect(joined.map((party) => party.joined)).toEqual([true, false, false, false, false]);
    await on.ok("ben", "rounds", "stake", PLAN, "--terms", "terms.json");
    await files.join("terms.json", ["cleo", "passer", "owner"]);
    expect(await files.show("terms.json")).toMatchObject({ state: "Running" });
  });
});

describe("the record", () => {
  const LIE = "participant=client-1,round=2,flip:step=1,operator=2,bit=22";
  beforeAll(() => files.perform("terms.json", "out", "--fault", LIE));

  it("is of the performance on the chain, and no key signs a place twice", async () => {
    const { instance } = await files.show("terms.json");
    expect(await on.json(undefined, "rounds", "inspect", "out")).toMatchObject({ instance, recorder: addressOf("owner") }); // prettier-ignore
    const keys = files.keystores(["ada", "ben", "cleo", "passer", "owner"]);
    const other = ["rounds", "run", PLAN, "--terms", "terms.json", ...keys, "--out", "other", "--fault", "participant=client-1,round=1,message:entry=0"]; // prettier-ignore
    await on.fails(3, "and signs no second one", undefined, ...other);
    await on.fails(2, "signs with the key of", undefined, "rounds", "run", PLAN, "--terms", "terms.json", ...files.keystores(["ada"]), "--out", "other2"); // prettier-ignore
    await on.fails(2, "choose one of them", undefined, "rounds", "run", PLAN, "--terms", "terms.json", "--participants", "processes", "--out", "other3"); // prettier-ignore
    await on.fails(2, "name its terms with --terms", undefined, "rounds", "run", PLAN, ...keys, "--out", "other4");
  });

  it("is posted by the recorder alone, once", async () => {
    await on.fails(3, "only", "ada", "rounds", "record", "out", "--terms", "terms.json");
    const { record } = await on.json("owner", "rounds", "record", "out", "--terms", "terms.json");
    expect(await files.show("terms.json")).toMatchObject({ state: "Challengeable", record });
    expect(await on.json("owner", "rounds", "record", "out", "--terms", "terms.json")).toMatchObject({ record, transactions: [] }); // prettier-ignore
    await on.fails(3, "this is not the time to end it", "poor", "rounds", "close", "terms.json");
  });

  it("is watched: a service that is killed and started again finds the lie, plays, and closes", async () => {
    const words = ["rounds", "watch", "out", "--terms", "terms.json", "--every", "1s", "--json"];
    // The first one is killed after its challenge, wherever it is then.
    const killed = files.begin("ada", ...words);
    await killed.line(/"what":"challenge"/);
    await killed.kill();
    const [ada, ben] = [files.begin("ada", ...words), files.begin("ben", ...words)];
    await ada.line(/"what":"move"/);
    await files.until("client-1 has lost", async () => (await files.show("terms.json")).open === 0);
    expect(await files.show("terms.json")).toMatchObject({ convicted: [{ participant: 1, fault: "game" }] });
    await on.skip("2d");
    const [won, lost] = [await ada.ended, await ben.ended];
    expect(won.code, won.stderr).toBe(0);
    expect(lost.code, lost.stderr).toBe(1);
    expect(won.stdout).not.toContain('"what":"challenge"');
    const last = (text: string): unknown => JSON.parse(text.trim().split("\n").at(-1)!);
    expect(last(won.stdout)).toMatchObject({ what: "ended", state: "Closed", lost: false });
    expect(last(lost.stdout)).toMatchObject({ what: "ended", lost: true });
  });

  it("has paid stakes and rewards", async () => {
    await on.fails(
      3,
      "this is not the time to end it; the performance is Closed",
      "poor",
      "rounds",
      "close",
      "terms.json",
    );
    expect(await on.json(undefined, "stake", "show", addressOf("ada"), "--rounds")).toMatchObject({ exposed: "0", credit: `${6n * 10n ** 18n}` }); // prettier-ignore
    // Its reward, half of the stake of the one that lied, its bond for gas and half of the other one.
    expect(await on.json("ada", "rounds", "claim")).toMatchObject({ amount: `${6n * 10n ** 18n}`, bonds: String(198n * 10n ** 15n) }); // prettier-ignore
    await on.fails(3, "there is nothing to claim", "ada", "rounds", "claim");
    expect(await on.json("ada", "stake", "unbond", "10", "--rounds")).toMatchObject({ amount: `${10n ** 19n}` });
    await on.skip("46d");
    expect(await on.json("ada", "stake", "withdraw", "--rounds")).toMatchObject({ amount: `${10n ** 19n}` });
  });
});

it("a performance that not everybody joins is cancelled, and returns the stakes", async () => {
  await files.post("lonely.json");
  await files.join("lonely.json", ["ben"]);
  await on.fails(2, "run the plan with --terms, or name its record", "owner", "rounds", "record", "out", "--terms", "lonely.json"); // prettier-ignore
  await on.skip("2d");
  await on.fails(3, "this is not the time to join", "cleo", "rounds", "stake", PLAN, "--terms", "lonely.json");
  expect(await on.json("poor", "rounds", "close", "lonely.json")).toMatchObject({ state: "Cancelled" });
  expect(await on.json(undefined, "stake", "show", addressOf("ben"), "--rounds")).toMatchObject({ exposed: "0" });
});
