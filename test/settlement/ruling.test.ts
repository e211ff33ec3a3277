/** From verdict files to what members sign: only what holds, about this task's claims, with one claim left at most. */
import { type Address, type Hex, verifyTypedData } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { beforeAll, describe, expect, test } from "vitest";
import { ClaimStore } from "../../src/claims/store.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { DisputeError, FormatError, messageOf, UsageError } from "../../src/errors/index.ts";
import { jobId } from "../../src/job/closed.ts";
import { dispute } from "../../src/referee/index.ts";
import type { StepRefuted } from "../../src/referee/verdict.ts";
import { type Bench, type GivenVerdict, rulingFrom, signRuling } from "../../src/settlement/ruling.ts";
import { gatherSignatures, parseSignature } from "../../src/settlement/signatures.ts";
import type { Seat, TaskView } from "../../src/settlement/task.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { run } from "../../src/trace/run.ts";
import { claimTrace } from "../fixtures/claims.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";

const at = temporaryFolder();
const [ada, ben] = ["11", "22"].map((byte) => privateKeyToAccount(`0x${byte.repeat(32)}`));
const bench: Bench = { chainId: 31_337, committee: ada.address, task: `0x${"ab".repeat(32)}` };
const files: Record<string, Uint8Array<ArrayBuffer>> = {};
let claims: Hex[];
let job: Hex;
let store: ClaimStore;
let owners: { own: Address; drill: Address };
/** Verdicts as `rulingFrom` takes them. */
const given = (...names: string[]): GivenVerdict[] => names.map((name) => ({ bytes: files[name] }));

const bytesOf = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));
/** What of a task a ruling looks at. */
const task = (changes: Partial<TaskView> = {}): TaskView => {
  const standing = changes.claims ?? claims;
  const seats = standing.map((root, seat) => seatOf(seat, root, ownerOf(root)));
  return { claims, seats, dispute: 3, deadline: 1000, terms: { job }, ...changes } as TaskView;
};
const seatOf = (seat: number, root: Hex, owner: Address): Seat => ({ seat, owner, role: "provider", root, out: false });
/** The runs are claimed by the keys of the store: the honest one by its own, and the drills by another. */
const ownerOf = (root: Hex): Address => (root === claims[0] ? owners.own : owners.drill);

beforeAll(async () => {
  const faults = { honest: undefined, flip: "flip:step=5,operator=20,element=0,bit=7", skip: "skip:step=2" };
  store = new ClaimStore(at("state"));
  for (const [name, fault] of Object.entries(faults))
    await run(line, { out: at(`${name}.trace`), ...(fault && { fault: parseFault(fault) }) });
  const claimed = await Promise.all(Object.keys(faults).map((name) => claimTrace(store, at(`${name}.trace`))));
  claims = claimed.map(({ run: root }) => toHex(root) as Hex);
  owners = { own: toHex(claimed[0].address!) as Address, drill: toHex(claimed[1].address!) as Address };
  job = toHex(jobId(await line.close())) as Hex;
  for (const [a, b] of [
    ["honest", "flip"],
    ["skip", "honest"],
    ["flip", "skip"],
  ]) {
    const result = await dispute(at(`${a}.trace`), at(`${b}.trace`), { claims: store });
    if (result.outcome === "divergence") files[`${a} ${b}`] = bytesOf(result.verdict);
  }
});

describe("a ruling", () => {
  test("names the losers among the claims in the order of their seats, whichever way the files are", () => {
    const pair = [claims[0], claims[1]];
    expect(rulingFrom(task({ claims: pair }), given("honest flip")).ruling).toMatchObject({
      dispute: 3n,
      claims: pair,
      losers: 0b10n,
      validUntil: 1000n,
    });
    expect(rulingFrom(task(), given("honest flip", "skip honest")).ruling.losers).toBe(0b110n);
    const turned = [...claims].reverse();
    expect(rulingFrom(task({ claims: turned }), given("skip honest", "honest flip")).ruling.losers).toBe(0b011n);
  });

  test.each<[string, () => [TaskView, GivenVerdict[]], RegExp]>([
    ["leaves two claims", () => [task(), given("honest flip")], /2 claims are left/],
    [
      "is about a root that nobody claims",
      () => [task({ claims: [claims[0]] }), given("honest flip")],
      /which was not named/,
    ],
    [
      "is about another job",
      () => [task({ terms: { job: `0x${"00".repeat(32)}` } as TaskView["terms"] }), given("honest flip")],
      /another job than the task's/,
    ],
    ["does not hold", () => [task(), [{ bytes: altered("recomputed") }]], /is not what follows from the evidence/],
    ["is no verdict", () => [task(), [{ bytes: bytesOf({ hello: 1 }) }]], /a verdict of schema version undefined/],
  ])("is not made from a file that %s", (_, arrange, words) => {
    const [view, verdicts] = arrange();
    expect(() => rulingFrom(view, verdicts)).toThrow(DisputeError);
    expect(() => rulingFrom(view, verdicts)).toThrow(words);
  });

  test("is not made from a file that is no JSON", () => {
    const ruling = () => rulingFrom(task(), [{ bytes: new Uint8Array([255, 0]) }]);
    expect(ruling).toThrow(expect.objectContaining({ code: "VERDE_FORMAT_MALFORMED" }));
    const cut = () => rulingFrom(task(), [{ bytes: files["honest flip"].subarray(0, 500) }]);
    expect(cut).toThrow(expect.objectContaining({ code: "VERDE_FORMAT_TRUNCATED" }));
  });
});

/** The verdict of the first pair, with one byte of its decision changed. */
function altered(field: "recomputed"): Uint8Array<ArrayBuffer> {
  const verdict = JSON.parse(new TextDecoder().decode(files["honest flip"])) as Record<"refuted", StepRefuted[]>;
  const { decision } = verdict.refuted[0];
  const value = decision[field];
  decision[field] = value.slice(0, -1) + (value.endsWith("0") ? "1" : "0");
  return bytesOf(verdict);
}

describe("signatures", () => {
  const ruling = { dispute: 1n, claims: [bench.task], losers: 1n, file: bench.task, validUntil: 9n };
  const fileBy = async (
    account: typeof ada,
    own = ruling,
    where = bench,
    what = "file",
  ): Promise<ReturnType<typeof parseSignature>> => {
    const signature = await signRuling(account, where, own);
    const verdict = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name, typeof value === "bigint" ? `${value}` : value]),
    );
    return parseSignature(
      JSON.stringify({ schemaVersion: 1, ...where, verdict, signer: account.address, signature }),
      what,
    );
  };

  test("are gathered in the order of their addresses, each member once", async () => {
    const { signers, signatures } = await gatherSignatures(bench, [
      await fileBy(ben),
      await fileBy(ada),
      await fileBy(ben),
    ]);
    const sorted = [ada.address, ben.address].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    expect(signers).toEqual(sorted);
    const types = {
      Verdict: [
        "bytes32 task",
        "uint256 dispute",
        "bytes32[] claims",
        "uint256 losers",
        "bytes32 file",
        "uint64 validUntil",
      ].map((text) => ({ type: text.split(" ")[0], name: text.split(" ")[1] })),
    };
    const domain = { name: "Verde committee", version: "1", chainId: 31_337, verifyingContract: bench.committee };
    const message = { task: bench.task, ...ruling };
    for (const [i, address] of signers.entries())
      expect(
        await verifyTypedData({ address, domain, types, primaryType: "Verdict", message, signature: signatures[i] }),
      ).toBe(true);
  });

  test("of different rulings, of another task, and false ones are refused by their file", async () => {
    const told = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => "nothing",
        (error: unknown) => `${(error as Error).name}: ${messageOf(error)}`,
      );
    const mine = await fileBy(ada);
    const other = await fileBy(ben, { ...ruling, losers: 0n }, bench, "other.json");
    expect(await told(gatherSignatures(bench, [mine, other]))).toBe(
      `${UsageError.name}: other.json and file sign different verdicts; members have to sign the same file`,
    );
    const elsewhere = await fileBy(ben, ruling, { ...bench, chainId: 1 }, "far.json");
    expect(await told(gatherSignatures(bench, [mine, elsewhere]))).toBe(
      `${UsageError.name}: far.json is for another task, committee or chain; omit it`,
    );
    const forged = { ...mine, signer: ben.address, what: "forged.json" };
    expect(await told(gatherSignatures(bench, [forged]))).toBe(
      `${FormatError.name}: forged.json does not hold ${ben.address}'s signature; ask this member for it again`,
    );
    expect(() => parseSignature("", "x.json")).toThrow(expect.objectContaining({ code: "VERDE_FORMAT_TRUNCATED" }));
    const later = '{"schemaVersion":2,"signer":"0x"}';
    expect(() => parseSignature(later, "x.json")).toThrow(expect.objectContaining({ code: "VERDE_FORMAT_VERSION" }));
    for (const text of ["{}", '{"schemaVersion":1,"verdict":{}}', "null"])
      expect(() => parseSignature(text, "x.json")).toThrow(/x\.json is not a signature of a verdict/);
  });
});
