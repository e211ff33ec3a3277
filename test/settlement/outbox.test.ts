/** The journal of signed transactions: what is in it comes back, whatever a crash has left of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FormatError } from "../../src/errors.ts";
import { Outbox, type Signed } from "../../src/settlement/outbox.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const at = temporaryFolder();
const ADA = "0x00000000000000000000000000000000000000a1";
const signed = (nonce: number, from: Signed["from"] = ADA, chainId = 1): Signed => ({
  chainId,
  from,
  functionName: "post",
  nonce,
  hash: `0x${`${chainId}${nonce}`.padStart(64, from.slice(-1))}`,
  raw: "0x02",
});

test("what is not settled comes back, by account and chain, in the order of nonces", async () => {
  const file = at("deep/journal.jsonl");
  const outbox = await Outbox.load(file);
  for (const entry of [signed(2), signed(1), signed(3), signed(1, `0x${ADA.slice(2, -1)}2`), signed(7, ADA, 5)])
    await outbox.add(entry);
  await outbox.settle(signed(2).hash);
  for (const box of [outbox, await Outbox.load(file)]) {
    expect(box.unsettled(1, ADA)).toEqual([signed(1), signed(3)]);
    expect(box.unsettled(5, ADA)).toEqual([signed(7, ADA, 5)]);
    expect(box.unsettled(2, ADA)).toEqual([]);
  }
});

test("a line that was cut at any byte costs that line alone, and what follows stands", async () => {
  const file = at("cut.jsonl");
  const outbox = await Outbox.load(file);
  await outbox.add(signed(1));
  const whole = readFileSync(file, "utf8");
  await outbox.add(signed(2));
  const both = readFileSync(file, "utf8");
  for (let length = whole.length; length < both.length; length++) {
    writeFileSync(file, both.slice(0, length));
    await (await Outbox.load(file)).add(signed(3));
    const kept = length === both.length - 1 ? [signed(1), signed(2), signed(3)] : [signed(1), signed(3)];
    expect((await Outbox.load(file)).unsettled(1, ADA)).toEqual(kept);
  }
});

test("a file of another kind is refused by its line", async () => {
  writeFileSync(at("other.jsonl"), '{"a":{}}\n');
  await expect(Outbox.load(at("other.jsonl"))).rejects.toThrow(FormatError);
  await expect(Outbox.load(at("other.jsonl"))).rejects.toThrow(/other\.jsonl, line 1: this is no journal/);
  await expect(Outbox.load(at("."))).rejects.toThrow(FormatError);
});
