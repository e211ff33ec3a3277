/** The keys of a user: where they are, what they sign, and that none is beside a trace. */
import { readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formatAddress, formatClaim, parseClaim } from "../../src/claims/claim.ts";
import { openingSigner } from "../../src/claims/opening.ts";
import { ClaimStore } from "../../src/claims/store.ts";
import { addressOf } from "../../src/claims/signature.ts";
import { bytesEqual, toHex } from "../../src/encoding/bytes.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { dispute } from "../../src/referee/dispute.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { run } from "../../src/trace/run.ts";
import { claimTrace } from "../fixtures/claims.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";

const at = temporaryFolder();
const RUN = new Uint8Array(32).fill(5);
const PLACE = { tree: "operator", segment: 1, step: 0, kernel: 0, element: 0 } as const;
const opening = (root: number, place = {}) => ({ ...PLACE, ...place, run: RUN, root: new Uint8Array(32).fill(root) });

describe("a store", () => {
  test("makes each key once, for the user alone, whoever asks at the same time", async () => {
    const folder = at("keys");
    const addresses = await Promise.all(Array.from({ length: 8 }, () => new ClaimStore(folder).addressFor("own")));
    expect(new Set(addresses.map(toHex)).size).toBe(1);
    const drill = await new ClaimStore(folder).addressFor("drill");
    expect(toHex(drill)).not.toBe(toHex(addresses[0]));
    for (const name of ["own.key", "drill.key"])
      expect((await stat(join(folder, "keys", name))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "keys"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, "keys"))).toEqual(["drill.key", "own.key"]);
  });

  test("signs only for runs that are recorded, with the key that claimed them", async () => {
    const store = new ClaimStore(at("signing"));
    const own = await store.addressFor("own");
    expect(await store.speakerFor(RUN, "own")).toBeUndefined();
    expect(formatClaim(await store.claimOf(RUN, "own"))).toBe(toHex(RUN));
    await store.record(RUN, "own", own);
    const speaker = (await store.speakerFor(RUN, "own"))!;
    const signature = (await speaker.sign(opening(1)))!;
    expect(toHex(openingSigner(opening(1), signature)!)).toBe(toHex(own));
    expect(await speaker.sign({ ...opening(1), run: new Uint8Array(32) })).toBeUndefined();
    expect(await store.speakerFor(RUN, "drill")).toBeUndefined();
    // Another key has claimed the run since, and it is not at hand.
    const secret = new Uint8Array(32).fill(9);
    await store.record(RUN, "own", addressOf(secret));
    expect(await store.speakerFor(RUN, "own")).toBeUndefined();
    const both = new ClaimStore(at("signing"), [{ address: addressOf(secret), secret }]);
    expect((await both.speakerFor(RUN, "own"))?.address).toEqual(addressOf(secret));
    // A key that is given speaks for what it claimed, although that is not the latest.
    await store.record(RUN, "own", new Uint8Array(20).fill(8));
    expect((await both.speakerFor(RUN, "own"))?.address).toEqual(addressOf(secret));
    await store.record(RUN, "own", addressOf(secret));
    expect((await store.claimOf(RUN, "own")).address).toEqual(addressOf(secret));
    for (const text of ["null", "[]", '{"own":"0x12"}', "{"]) {
      await writeFile(join(at("signing"), "claims", `${toHex(RUN)}.json`), text);
      if (text !== "[]") await expect(store.claimOf(RUN, "own")).rejects.toBeInstanceOf(VerdeError);
    }
  });

  test("never signs a second root for a tree, in this process or another", async () => {
    const store = new ClaimStore(at("twice"));
    await store.record(RUN, "own", await store.addressFor("own"));
    const speaker = (await store.speakerFor(RUN, "own"))!;
    expect(await speaker.sign(opening(1))).toBeDefined();
    expect(await speaker.sign(opening(2))).toBeUndefined();
    const later = (await new ClaimStore(at("twice")).speakerFor(RUN, "own"))!;
    expect(await later.sign(opening(2))).toBeUndefined();
    expect(await later.sign(opening(1))).toEqual(await speaker.sign(opening(1)));
    for (const other of [
      { segment: 2 },
      { step: 1 },
      { tree: "fold", kernel: 1 },
      { tree: "fold", kernel: 1, element: 3 },
    ])
      expect(await later.sign(opening(2, other))).toBeDefined();
    // At once, for the same tree: at most one root gets signatures.
    const race = await Promise.all([3, 4, 5, 6].map((root) => speaker.sign(opening(root, { segment: 7 }))));
    expect(race.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  test("refuses a key file that is no key", async () => {
    const store = new ClaimStore(at("broken"));
    await store.addressFor("own");
    for (const text of ["", "0x12\n", "hello\n"]) {
      await writeFile(join(at("broken"), "keys", "own.key"), text);
      await expect(store.addressFor("own")).rejects.toMatchObject({ code: "VERDE_KEY_MALFORMED" });
    }
  });
});

describe("claims about traces", () => {
  let mine: ClaimStore;
  beforeAll(async () => {
    mine = new ClaimStore(at("mine"));
    await run(line, { out: at("honest.trace") });
    await run(line, { out: at("liar.trace"), fault: parseFault("skip:step=2") });
    for (const name of ["honest", "liar"]) await claimTrace(mine, at(`${name}.trace`));
  });

  test("leave no key beside a trace", async () => {
    await dispute(at("honest.trace"), at("liar.trace"), { claims: mine });
    const secrets = await Promise.all(
      ["own", "drill"].map(async (name) => (await readFile(join(at("mine"), "keys", `${name}.key`), "utf8")).trim()),
    );
    for (const folder of ["honest.data", "liar.data", "."])
      for (const entry of await readdir(at(folder), { withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const bytes = await readFile(join(entry.parentPath, entry.name));
        for (const secret of secrets) {
          expect(bytes.includes(secret.slice(2)), entry.name).toBe(false);
          expect(bytes.includes(Buffer.from(secret.slice(2), "hex")), entry.name).toBe(false);
        }
      }
  });

  test("are not signed from what a file states about its operators", async () => {
    await run(line, { out: at("stated.trace"), detail: "operators" });
    await claimTrace(mine, at("stated.trace"));
    await rm(at("stated.data"), { recursive: true });
    const result = await dispute(at("stated.trace"), at("liar.trace"), { claims: mine });
    if (result.outcome !== "divergence") throw new Error("undecided");
    const [{ address }] = result.parties;
    expect(result.losers).toEqual(["b"]);
    expect(result.openings.filter((opening) => bytesEqual(opening.address, address!))).toEqual([]);
  });

  test("are signed by nobody who has not made them", async () => {
    const stranger = new ClaimStore(at("stranger"));
    await stranger.addressFor("own");
    const foreign = await dispute(at("honest.trace"), at("liar.trace"), { claims: stranger });
    if (foreign.outcome !== "divergence") throw new Error("undecided");
    expect(foreign.openings).toEqual([]);
    expect(foreign.verdict.kind).toBe("ruling");
    expect(foreign.losers).toEqual(["b"]);
    expect(foreign.proven).toEqual([]);
    expect(await readdir(at("stranger"))).toEqual(["keys"]);
    const own = await dispute(at("honest.trace"), at("liar.trace"), { claims: mine });
    if (own.outcome !== "divergence") throw new Error("undecided");
    expect(own.verdict.kind).toBe("proof");
    expect(own.openings.length).toBeGreaterThan(0);
  });
});

test("a claim is read back as it is written, and nothing else is read", () => {
  const address = new Uint8Array(20).map((_, i) => 37 * i);
  const claim = formatClaim({ run: RUN, address });
  expect(formatClaim(parseClaim(claim, "it"))).toBe(claim);
  expect(formatClaim(parseClaim(claim.toLowerCase(), "it"))).toBe(claim);
  expect(parseClaim(toHex(RUN), "it")).toEqual({ run: RUN });
  // EIP-55 gives these four.
  for (const known of [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
  ]) {
    const { address: bytes } = parseClaim(`${toHex(RUN)}@${known}`, "it");
    expect(formatAddress(bytes!)).toBe(known);
    const wrong = known.replace(/[a-f](?=[^a-f]*$)/, (digit) => digit.toUpperCase());
    if (wrong !== known) expect(() => parseClaim(`${toHex(RUN)}@${wrong}`, "it")).toThrow("checksum");
  }
  for (const text of [
    "",
    "0x",
    claim.slice(0, -1),
    `${claim}0`,
    `${toHex(RUN)}@`,
    `${toHex(RUN)} `,
    "0x".padEnd(66, "g"),
  ])
    expect(() => parseClaim(text, "it")).toThrow(expect.objectContaining({ family: "VERDE_USAGE" }));
});
