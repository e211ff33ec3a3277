/** Every error of the contracts has a sentence, with its figures in it. */
import { type AbiParameter, BaseError } from "viem";
import { expect, test } from "vitest";
import { taskManagerAbi } from "../../src/settlement/abi/task-manager.ts";
import { refusal } from "../../src/settlement/refusal.ts";
import { sentenceFor } from "../../src/settlement/sentences.ts";

const TOKEN = { symbol: "VTT", decimals: 2 };
interface ContractError {
  name: string;
  inputs: readonly AbiParameter[];
}
const errors = taskManagerAbi.filter(({ type }) => type === "error") as unknown as ContractError[];

const sample = ({ type }: AbiParameter): unknown => {
  if (type === "address" || type === "bytes32" || type === "bytes" || type === "string") return `0x${"ab".repeat(20)}`;
  return type === "uint8" ? 1 : 12_345n;
};

test.each(errors.map((error) => [error.name, error] as const))("%s", (name, { inputs }) => {
  const sentence = sentenceFor(name, inputs.map(sample), TOKEN);
  expect(sentence).toMatch(/^\S.{20,}[^.\s]$/s);
  expect(sentence).not.toMatch(/undefined|NaN|\[object/);
});

test("an account that can't pay the bond of a call is told how much it is", () => {
  const poor = new BaseError("insufficient funds for gas * price + value");
  const reason = (value?: bigint): string => refusal(poor, "turn", `0x${"ab".repeat(20)}`, TOKEN, value).message;
  expect(reason(10n ** 17n)).toMatch(
    /too little of the chain's currency to pay the gas of turn and the bond of 0\.1 ETH that it posts; transfer more to it$/,
  );
  expect(reason()).toMatch(/the gas of turn; transfer more to it$/);
});

test("figures are in the token's units, and times in one zone", () => {
  expect(sentenceFor("TooLittleStake", ["0xme", 50n, 12_345n], TOKEN)).toBe(
    "0xme has 0.5 VTT of free stake, but 123.45 VTT are needed; add some with `verde stake deposit`",
  );
  expect(sentenceFor("TooLate", [0n], TOKEN)).toBe("the deadline has passed; it was 1970-01-01 00:00:00 UTC");
  expect(sentenceFor("WrongState", [6, 2], TOKEN)).toBe(
    "the task is Disputed, Judging, and in this state this can't be done",
  );
  expect(sentenceFor("toString", [], TOKEN)).toBeUndefined();
});
