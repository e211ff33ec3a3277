/** Stakes: in, on their way out, and out; what is planned is not sent. */
import { describe, expect, it } from "vitest";
import { addressOf, Settlement } from "../fixtures/settlement.ts";

const on = new Settlement();

describe("verde stake", () => {
  it("shows what would be sent, and sends nothing of it", async () => {
    await on.ok("ada", "chain", "mint", "100");
    const sent = await on.sentBy("ada");
    const plan = await on.json("ada", "stake", "deposit", "60.5", "--dry-run");
    expect(plan).toMatchObject({ dryRun: true, from: addressOf("ada") });
    const [approve, deposit] = plan.transactions as Record<string, unknown>[];
    expect(approve).toMatchObject({
      functionName: "approve",
      gas: expect.any(Number),
      fee: expect.stringMatching(/^\d+$/),
    });
    expect(deposit).toMatchObject({ functionName: "deposit", args: ["60500000000000000000"], gas: null, fee: null });
    expect(await on.ok("ada", "stake", "deposit", "1", "--dry-run")).toContain("Nothing was signed or sent.");
    expect(await on.sentBy("ada")).toBe(sent);
    expect(await on.account("ada")).toMatchObject({ balance: 100, active: 0 });
  });

  it("takes a deposit with an allowance, which it may have to ask for", async () => {
    await on.fails(3, "approve more, or omit --no-approve", "ada", "stake", "deposit", "60.5", "--no-approve");
    await on.fails(3, "has 100 VTT, but 100.5 VTT are needed", "ada", "stake", "deposit", "100.5");
    await on.fails(2, "is not an amount", "ada", "stake", "deposit", "much");
    await on.fails(2, "decimals", "ada", "stake", "deposit", `0.${"1".repeat(19)}`);
    await on.fails(3, "the amount is zero", "ada", "stake", "deposit", "0");
    expect(await on.ok("ada", "stake", "deposit", "60.5")).toContain("has a stake of 60.5 VTT");
    expect(await on.account("ada")).toMatchObject({ balance: 39.5, active: 60.5, free: 60.5 });
  });

  it("gives back what is unbonded, after the time that this takes", async () => {
    await on.fails(3, "has 60.5 VTT of free stake, but 61 VTT are needed", "ada", "stake", "unbond", "61");
    await on.ok("ada", "stake", "unbond", "20.5");
    await on.fails(3, "the stake can be withdrawn from", "ada", "stake", "withdraw");
    expect(await on.ok(undefined, "stake", "show", addressOf("ada"))).toMatch(
      /unbonding +20\.5 VTT, ready in (45 d|44 d 23 h)/,
    );
    await on.skip("45d");
    expect(await on.ok(undefined, "stake", "show", addressOf("ada"))).toMatch(/20\.5 VTT, ready to be withdrawn/);
    expect(await on.ok("ada", "stake", "withdraw")).toContain("has 20.5 VTT back");
    expect(await on.account("ada")).toMatchObject({ balance: 60, active: 40, unbonding: 0 });
    await on.fails(3, "there is nothing to pay", "ada", "stake", "withdraw");
  });

  it("shows the account of the key, without its password", async () => {
    expect(await on.ok("ada", "stake", "show")).toContain(addressOf("ada"));
    await on.fails(2, "is not an address", undefined, "stake", "show", "ada");
  });
});
