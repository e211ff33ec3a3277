/**
 * Makes `test/vectors/openings.json`: what parties sign about their trees, and signatures that do not count.
 * TypeScript (test/claims/vectors.test.ts) and the contracts (test/solidity/OpeningHash.t.sol) check them.
 */
import { encodeAbiParameters, hashTypedData, type Hex, parseAbiParameters } from "viem";
import { OPENED_TREES, type OpenedTree, type Opening, openingDigest, signOpening } from "../src/claims/opening.ts";
import { addressOf, signDigest } from "../src/claims/signature.ts";
import { type Bytes, fromHex, toHex } from "../src/encoding/bytes.ts";
import { hex } from "../src/settlement/game/facts.ts";

/** The number of points of the curve. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const MOST = 2 ** 32 - 1;

/** What the tests of both languages decode of each vector. */
export const OPENING_VECTOR = parseAbiParameters([
  "OpeningVector vector",
  "struct OpeningVector { Sentence sentence; bytes32 digest; address signer; bytes signature; bytes[] wrong; }",
  "struct Sentence { bytes32 run; uint8 tree; uint32 segment; uint32 step; uint32 kernel; uint32 element; bytes32 root; }",
]);

const word = (byte: number): Bytes => Uint8Array.from({ length: 32 }, (_, i) => (byte + 7 * i) & 0xff);

const OPENINGS: readonly Opening[] = [
  ["segment", 0, 0, 0, 0],
  ["step", 1, 0, 0, 0],
  ["step", MOST, 0, 0, 0],
  ["operator", 0, 0, 0, 0],
  ["operator", 3, 2, 0, 0],
  ["operator", MOST, MOST, 0, 0],
  ["fold", 200, 1, 80, 12_345],
  ["fold", 0, 0, 2, 0],
  ["fold", MOST, MOST, MOST, MOST],
].map(([tree, segment, step, kernel, element], i) => ({
  run: word(3 + i),
  tree: tree as OpenedTree,
  segment: Number(segment),
  step: Number(step),
  kernel: Number(kernel),
  element: Number(element),
  root: word(101 + i),
}));

/** Signatures that are not the key's over the opening, or not in the one form that counts. */
function wrongSignatures(opening: Opening, key: Bytes): Bytes[] {
  const good = signOpening(opening, key);
  const rs = good.slice(0, 64);
  const s = ORDER - BigInt(toHex(good.slice(32, 64)));
  const high = fromHex(`0x${s.toString(16).padStart(64, "0")}`, 32);
  const other = (change: Partial<Opening>): Bytes => signOpening({ ...opening, ...change }, key);
  return [
    Uint8Array.of(...good.slice(0, 32), ...high, good[64] ^ 7),
    ...[0, 1, good[64] ^ 7, 26, 29, 255].map((v) => Uint8Array.of(...rs, v)),
    rs,
    Uint8Array.of(...good, 0),
    new Uint8Array(0),
    Uint8Array.of(...new Uint8Array(64), 27),
    signOpening(opening, word(77)),
    other({ run: word(200) }),
    other({ root: word(201) }),
    other({ tree: opening.tree === "step" ? "operator" : "step" }),
    ...(["segment", "step", "kernel", "element"] as const).map((name) => other({ [name]: (opening[name] ^ 1) >>> 0 })),
    ...["Verde committee", "Verde commitment salt", "Verde opening"].map((name) =>
      signDigest(inDomain(opening, name), key),
    ),
  ];
}

/** The same words in a domain that names a chain and a contract, as the committee's and the salt's do. */
function inDomain({ run, tree, root, ...place }: Opening, name: string): Bytes {
  const digest = hashTypedData({
    domain: { name, version: "1", chainId: 1, verifyingContract: `0x${"11".repeat(20)}` },
    types: {
      Opening: [
        { name: "run", type: "bytes32" },
        { name: "tree", type: "uint8" },
        { name: "segment", type: "uint32" },
        { name: "step", type: "uint32" },
        { name: "kernel", type: "uint32" },
        { name: "element", type: "uint32" },
        { name: "root", type: "bytes32" },
      ],
    },
    primaryType: "Opening",
    message: { ...place, run: hex(run), tree: OPENED_TREES[tree], root: hex(root) },
  });
  return fromHex(digest, 32);
}

function vectorOf(opening: Opening, index: number): Hex {
  const key = word(11 + index);
  const tree = OPENED_TREES[opening.tree];
  const vector = {
    sentence: { ...opening, run: hex(opening.run), tree, root: hex(opening.root) },
    digest: hex(openingDigest(opening)),
    signer: hex(addressOf(key)),
    signature: hex(signOpening(opening, key)),
    wrong: wrongSignatures(opening, key).map(hex),
  };
  return encodeAbiParameters(OPENING_VECTOR, [vector]);
}

/** The text of `test/vectors/openings.json`. */
export function openingVectors(): string {
  return `${JSON.stringify({ encoded: OPENINGS.map(vectorOf) }, null, 1)}\n`;
}
