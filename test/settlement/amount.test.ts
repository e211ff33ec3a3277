import { describe, expect, it, test } from "vitest";
import { formatAmount, formatChange, formatFee, formatTime, parseAmount } from "../../src/settlement/amount.ts";
import { formatDuration, parseDuration } from "../../src/settlement/duration.ts";
import { UsageError } from "../../src/errors/index.ts";

const TOKEN = { symbol: "VTT", decimals: 18 };
const USD = { symbol: "USD", decimals: 6 };

describe("amounts", () => {
  it("are whole tokens with decimals", () => {
    expect(parseAmount("10.5", TOKEN)).toBe(10_500_000_000_000_000_000n);
    expect(parseAmount("0.000001", USD)).toBe(1n);
    expect(parseAmount("1.5000000000", USD)).toBe(1_500_000n);
    expect(formatAmount(1_250_500_000n, USD)).toBe("1,250.5 USD");
    expect(formatChange(-60n * 10n ** 18n, TOKEN)).toBe("-60 VTT");
    expect(formatChange(1n, USD)).toBe("+0.000001 USD");
    expect(formatAmount(7n, { symbol: "ONE", decimals: 0 })).toBe("7 ONE");
  });

  it.each(["", "-1", "1e3", "0x10", "1,5", ".5", "5.", "1 VTT", "1.0000001"])("are not %j", (text) => {
    expect(() => parseAmount(text, USD)).toThrow(UsageError);
  });
});

describe("lengths of time", () => {
  it.each([
    ["90", 90],
    ["90s", 90],
    ["2h", 7_200],
    ["1d12h", 129_600],
    ["1w", 604_800],
    ["1h1m1s", 3_661],
  ])("%s is %i seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(["", "h", "1x", "1.5h", "-1h", "2m1h", "1d "])("%j: only numbers with a unit, in order", (text) => {
    expect(() => parseDuration(text)).toThrow(UsageError);
  });

  it.each([
    [0, "0 s"],
    [59, "59 s"],
    [3_600, "1 h"],
    [3_601, "1 h"],
    [93_600, "1 d 2 h"],
    [604_800, "7 d"],
  ])("%i seconds are shown as %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it("show a moment in one time zone", () => expect(formatTime(0)).toBe("1970-01-01 00:00:00 UTC"));
});

test("fees are shown with six digits that count", () => {
  expect(formatFee(139_633_152_164_123n)).toBe("0.000139633 ETH");
  expect(formatFee(0n)).toBe("0 ETH");
  expect(formatFee(3n * 10n ** 18n)).toBe("3 ETH");
  expect(formatFee(1n)).toBe("0.000000000000000001 ETH");
});
