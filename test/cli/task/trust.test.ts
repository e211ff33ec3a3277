/** Whom a provider trusts with its stake. */
import { expect, test } from "vitest";
import { type Address, zeroAddress } from "viem";
import { expectTrusted } from "../../../src/cli/task/trust.ts";
import type { Deployment } from "../../../src/settlement/deployment.ts";
import type { Terms } from "../../../src/settlement/task.ts";

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const deployment = { committee: at("1"), game: at("2") } as Deployment;
const check = (committee: Address, game: Address, flags = {}, own = deployment): void =>
  expectTrusted({ committee, game } as Terms, own, flags);

test("those of the deployment are trusted, and none", () => {
  check(at("1"), at("2"));
  check(at("1"), zeroAddress);
  check(zeroAddress, at("2"));
});

test("others only by name, the game too: it has the last word", () => {
  expect(() => check(at("3"), at("2"))).toThrow("--committee");
  expect(() => check(at("1"), at("3"))).toThrow("--game");
  expect(() => check(zeroAddress, at("3"))).toThrow("can take your stake");
  expect(() => check(at("1"), at("3"), {}, { ...deployment, game: undefined })).toThrow(
    "not by a game of the deployment",
  );
  check(at("3"), at("4"), { committee: at("3"), game: at("4") });
  expect(() => check(at("1"), at("2"), { committee: at("3") })).toThrow("--committee");
});
