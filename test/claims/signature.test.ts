import { hashTypedData } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex, type Bytes } from "../../src/encoding/bytes.ts";
import { OPENED_TREES, openingDigest, openingSigner, signOpening, type OpenedTree } from "../../src/claims/opening.ts";
import { addressOf, newSecretKey, signerOf } from "../../src/claims/signature.ts";

const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const TYPES = {
  Opening: [
    { name: "run", type: "bytes32" },
    { name: "tree", type: "uint8" },
    { name: "segment", type: "uint32" },
    { name: "step", type: "uint32" },
    { name: "kernel", type: "uint32" },
    { name: "element", type: "uint32" },
    { name: "root", type: "bytes32" },
  ],
} as const;

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }) as fc.Arbitrary<Bytes>;
const openings = fc.record({
  run: hash,
  tree: fc.constantFrom(...(Object.keys(OPENED_TREES) as OpenedTree[])),
  segment: u32,
  step: u32,
  kernel: u32,
  element: u32,
  root: hash,
});
const KEY = fromHex("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d", 32);

test("digests, addresses and signatures are those of viem", async () => {
  const account = privateKeyToAccount(toHex(KEY) as `0x${string}`);
  expect(toHex(addressOf(KEY))).toBe(account.address.toLowerCase());
  await fc.assert(
    fc.asyncProperty(openings, async (opening) => {
      const typed = {
        domain: { name: "Verde opening", version: "1" },
        types: TYPES,
        primaryType: "Opening",
        message: {
          ...opening,
          run: toHex(opening.run) as `0x${string}`,
          root: toHex(opening.root) as `0x${string}`,
          tree: OPENED_TREES[opening.tree],
        },
      } as const;
      expect(toHex(openingDigest(opening))).toBe(hashTypedData(typed));
      const signature = signOpening(opening, KEY);
      expect(toHex(signature)).toBe(await account.signTypedData(typed));
      expect(toHex(openingSigner(opening, signature)!)).toBe(account.address.toLowerCase());
    }),
    { seed: 7, numRuns: 40 },
  );
});

test("only one form of a signature counts", () => {
  const opening = { run: new Uint8Array(32), tree: "step", segment: 1, step: 0, kernel: 0, element: 0 } as const;
  const signed = { ...opening, root: new Uint8Array(32).fill(1) };
  const key = newSecretKey();
  const good = signOpening(signed, key);
  const digest = openingDigest(signed);
  const s = BigInt(toHex(good.slice(32, 64)));
  const high = Uint8Array.of(
    ...good.slice(0, 32),
    ...fromHex(`0x${(N - s).toString(16).padStart(64, "0")}`),
    good[64] ^ 7,
  );
  const wrong: Bytes[] = [
    high,
    good.slice(0, 64),
    Uint8Array.of(...good, 0),
    ...[0, 1, 26, 29, 255].map((v) => Uint8Array.of(...good.slice(0, 64), v)),
    Uint8Array.of(...new Uint8Array(64), 27),
    new Uint8Array(0),
  ];
  expect(toHex(signerOf(digest, good)!)).toBe(toHex(addressOf(key)));
  for (const signature of wrong) expect(signerOf(digest, signature), toHex(signature)).toBeUndefined();
  for (const change of [{ segment: 2 }, { step: 1 }, { kernel: 1 }, { element: 1 }, { tree: "fold" as const }]) {
    const other = openingSigner({ ...signed, ...change }, good);
    expect(other && toHex(other)).not.toBe(toHex(addressOf(key)));
  }
});
