/** Why a chain refused a call: the contract's error by its name, however the node hands it over. */
import { BaseError, ContractFunctionRevertedError, encodeErrorResult, RpcRequestError } from "viem";
import { describe, expect, it } from "vitest";
import { ABIS } from "../../src/settlement/contracts.ts";
import { refusal, requestFailure } from "../../src/settlement/refusal.ts";

const TOKEN = { symbol: "VTT", decimals: 18 };
const FROM = "0x1111111111111111111111111111111111111111";
const data = encodeErrorResult({ abi: ABIS.game, errorName: "NoPair", args: [1n, 2n] });
const NO_PAIR = /the players 1 and 2 can't be paired/;

/** An error of a request whose sender knows no interface, as for an estimate of gas. */
function requestError(error: { code: number; message: string; data?: unknown }): BaseError {
  const cause = new RpcRequestError({ body: {}, error: error as never, url: "http://127.0.0.1:1" });
  return new BaseError("Execution reverted for an unknown reason.", { cause, details: error.message });
}

describe("a contract's error", () => {
  it.each([
    ["as data", requestError({ code: 3, message: "execution reverted", data })],
    ["within data", requestError({ code: 3, message: "execution reverted", data: { data } })],
    ["in the message alone", requestError({ code: 3, message: `execution reverted: custom error ${data.slice(0, 10)}: ${data.slice(10)}` })], // prettier-ignore
    ["decoded by another interface", new BaseError("no", { cause: new ContractFunctionRevertedError({ abi: [], data, functionName: "pair" }) })], // prettier-ignore
  ])("is told in a sentence if it comes %s", (_, error) => {
    for (const found of [refusal(error, "pair", FROM, TOKEN), requestFailure(error)]) {
      expect(found).toMatchObject({ code: "VERDE_CHAIN_REFUSED", evidence: { error: "NoPair", args: ["1", "2"] } });
      expect(found.message).toMatch(NO_PAIR);
      expect(found.message).not.toContain(data.slice(0, 10));
    }
  });

  it("of an unknown contract is said to be unknown, and a text is quoted", () => {
    const unknown = requestError({ code: 3, message: "execution reverted", data: "0xdeadbeef" });
    expect(refusal(unknown, "pair", FROM, TOKEN).message).toBe(
      "pair is refused: an error that this version does not know, 0xdeadbeef",
    );
    const abi = [{ type: "error", name: "Error", inputs: [{ name: "reason", type: "string" }] }] as const;
    const text = encodeErrorResult({ abi, errorName: "Error", args: ["paused"] });
    expect(refusal(requestError({ code: 3, message: "no", data: text }), "pair", FROM, TOKEN).message).toContain(
      "paused",
    );
  });

  it("is not seen in what is another failure", () => {
    const away = requestError({ code: -32000, message: "header not found" });
    expect(requestFailure(away)).toMatchObject({ code: "VERDE_CHAIN_FAILED" });
    expect(refusal(away, "pair", FROM, TOKEN)).toMatchObject({ code: "VERDE_CHAIN_FAILED" });
    const poor = requestError({ code: -32000, message: "insufficient funds for gas" });
    expect(refusal(poor, "pair", FROM, TOKEN)).toMatchObject({ code: "VERDE_CHAIN_FUNDS" });
  });
});
