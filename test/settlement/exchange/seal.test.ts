/** Sealing, against the specification written out with Node's own hash, and files that were changed. */
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../../src/encoding/bytes.ts";
import { buildLevels, hashLeaf, proveLeaf, type TreeRoot } from "../../../src/encoding/merkle.ts";
import { Tag } from "../../../src/encoding/tags.ts";
import { FormatError } from "../../../src/errors/index.ts";
import { openFile } from "../../../src/formats/file.ts";
import { jobId } from "../../../src/job/closed.ts";
import { expectOffered, isCommittedTo, type Offered, openInto } from "../../../src/settlement/exchange/open-sealed.ts";
import { GrowingPath } from "../../../src/settlement/exchange/path.ts";
import type { RunPlace } from "../../../src/settlement/exchange/run-tree.ts";
import { type Seal, sealCheckpoint } from "../../../src/settlement/exchange/seal-checkpoint.ts";
import { keyHashOf, sealedLeaf, withKeystream } from "../../../src/settlement/exchange/seal.ts";
import { openSealed, placesOf } from "../../../src/settlement/exchange/sealed-file.ts";
import { openTrace } from "../../../src/trace/folder.ts";
import { run } from "../../../src/trace/run.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import line from "../../fixtures/line.ts";
import { generator } from "../../graph/numeric.ts";

const SEED = 20261129;
const SALE = `0x${"5a".repeat(32)}`;
const KEY = fromHex(`0x${"c3".repeat(32)}`);
const at = temporaryFolder();
const sha = (...parts: (Uint8Array | number[])[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(Uint8Array.from(part));
  return hash.digest();
};
/** Whole numbers of 32 bits, from a seed. */
const seeded = (seed: number): (() => number) => {
  const random = generator(seed);
  return () => Math.floor(random() * 2 ** 32);
};
const randomBytes = (random: () => number, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random() & 255);
const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

let place: RunPlace;
let offered: Offered;
let seal: Seal;

beforeAll(async () => {
  const job = await line.close();
  const { runRoot } = await run(job, { commitEvery: 5, out: at("honest.trace") });
  place = { job: jobId(job), steps: job.steps, commitEvery: 5 };
  seal = await sealCheckpoint(await openTrace(at("honest.trace")), SALE, KEY, at("sealed"));
  offered = { root: seal.root, chunks: seal.chunks, runRoot };
});

async function withFile<T>(
  path: string,
  use: (file: Awaited<ReturnType<typeof openSealed>>) => Promise<T>,
): Promise<T> {
  const source = await openFile(path);
  try {
    return await use(await openSealed(source, path));
  } finally {
    await source.close();
  }
}

describe("the specification", () => {
  test("of the keystream, for every length of a chunk", () => {
    const random = seeded(SEED);
    for (let length = 0; length <= 256; length += 4) {
      const [chunk, key] = [randomBytes(random, length), randomBytes(random, 32)];
      const index = random() >>> 1;
      const expected = chunk.map((byte, i) => byte ^ sha([0x16], key, word(index), word(i >> 5))[i % 32]);
      expect(withKeystream(key, index, chunk)).toEqual(expected);
      expect(withKeystream(key, index, withKeystream(key, index, chunk))).toEqual(chunk);
    }
  });

  test("of the leaf and of the key's hash", () => {
    const random = seeded(SEED + 1);
    const [leaf, chunk, sale] = [randomBytes(random, 32), randomBytes(random, 256), randomBytes(random, 32)];
    expect(toHex(sealedLeaf(0x01020304, leaf, chunk))).toBe(toHex(sha([0x13, 1, 2, 3, 4], leaf, chunk)));
    expect(toHex(keyHashOf(sale, KEY))).toBe(toHex(sha([0x14], sale, KEY)));
  });

  test("of the path of a leaf, for every place in trees of up to 70 leaves", () => {
    for (let count = 1; count <= 70; count++) {
      const leaves = Array.from({ length: count }, (_, i) => hashLeaf(Tag.sealedChunk, Uint8Array.from(word(i))));
      const levels = buildLevels(leaves);
      for (let index = 0; index < count; index++) {
        const path = new GrowingPath(index);
        for (const leaf of leaves) path.add(leaf);
        expect(path.proof().map(toHex)).toEqual(proveLeaf(levels, index).map(toHex));
      }
    }
  });
});

describe("a sealed checkpoint", () => {
  test("is what was offered, and opens to the checkpoint's bytes", async () => {
    await withFile(at("sealed"), async (file) => {
      await expectOffered(file, place, offered);
      expect(await openInto(file, KEY, at("opened.safetensors"))).toBeUndefined();
    });
    const step = `step-${String(place.steps).padStart(8, "0")}.safetensors`;
    expect(readFileSync(at("opened.safetensors"))).toEqual(readFileSync(at(`honest.data/${step}`)));
    expect(toHex(seal.keyHash)).toBe(toHex(keyHashOf(fromHex(SALE), KEY)));
  });

  test("is the same file when it is sealed again, and hides the weights", async () => {
    const again = await sealCheckpoint(await openTrace(at("honest.trace")), SALE, KEY, at("again"));
    expect(again).toEqual(seal);
    expect(readFileSync(at("again"))).toEqual(readFileSync(at("sealed")));
    const other = await sealCheckpoint(
      await openTrace(at("honest.trace")),
      SALE,
      KEY.map((b) => b ^ 1),
      at("other"),
    );
    expect(toHex(other.root)).not.toBe(toHex(seal.root));
  });

  test("is refused before it is paid for, wherever a byte was changed", async () => {
    const random = seeded(SEED + 2);
    const whole = readFileSync(at("sealed"));
    const places = process.env.VERDE_SWEEP ? whole.keys() : Array.from({ length: 60 }, () => random() % whole.length);
    for (const where of places) {
      const changed = Buffer.from(whole);
      changed[where] ^= 1 + (random() % 255);
      writeFileSync(at("changed"), changed);
      const found = withFile(at("changed"), (file) => expectOffered(file, place, offered).then(() => file));
      // The names of tensors and of the sale stand in the header, which no root binds.
      const accepted = await found.catch((error: unknown) => {
        expect(error, `byte ${where}, seed ${SEED + 2}`).toHaveProperty(
          "code",
          expect.stringMatching(/^VERDE_(FORMAT|SHAPE)_/),
        );
        return undefined;
      });
      if (!accepted) continue;
      const original = await withFile(at("sealed"), async (file) => file);
      expect(accepted.entries.map(({ dtype, shape }) => [dtype, shape])).toEqual(
        original.entries.map(({ dtype, shape }) => [dtype, shape]),
      );
      expect(where).toBeLessThan(whole.length - 32 * seal.chunks);
    }
  });

  test("is refused when it is cut or longer", async () => {
    const { size } = statSync(at("sealed"));
    for (const length of [0, 7, 11, 12, 40, size - 1]) {
      writeFileSync(at("cut"), readFileSync(at("sealed")).subarray(0, length));
      await expect(
        withFile(at("cut"), async () => undefined),
        `${length} bytes`,
      ).rejects.toThrow(FormatError);
    }
    writeFileSync(at("longer"), Buffer.concat([readFileSync(at("sealed")), Buffer.of(0)]));
    await expect(withFile(at("longer"), async () => undefined)).rejects.toThrow("its header demands");
  });

  test("of another run is refused", async () => {
    const other = { ...offered, runRoot: fromHex(`0x${"11".repeat(32)}`) };
    await expect(withFile(at("sealed"), (file) => expectOffered(file, place, other))).rejects.toThrow("settled run");
    const steps = { ...place, steps: place.steps + 50 };
    await expect(withFile(at("sealed"), (file) => expectOffered(file, steps, offered))).rejects.toThrow("settled run");
  });

  test("shows its first wrong chunk, with a path to the root", async () => {
    const random = seeded(SEED + 3);
    const sizes = await withFile(at("sealed"), async (file) => [...placesOf(file.entries)]);
    const content = sizes.reduce((sum, { length }) => sum + length, 0);
    const { size } = statSync(at("sealed"));
    for (let i = 0; i < 12; i++) {
      const where = random() % content;
      copyFileSync(at("sealed"), at("wrong"));
      const bytes = readFileSync(at("wrong"));
      bytes[size - content + where] ^= 1 << random() % 8;
      writeFileSync(at("wrong"), bytes);
      await withFile(at("wrong"), async (file) => {
        const wrong = (await openInto(file, KEY, at("never.safetensors")))!;
        const entry = sizes.find(({ from, length }) => where >= from && where < from + length)!;
        expect(wrong.index).toBe(entry.first + ((where - entry.from) >> 8));
        const leaves: Uint8Array[] = [];
        for (const part of sizes) {
          const { leaves: own, ciphertext } = await file.read(part);
          for (let j = 0; j < part.chunks; j++)
            leaves.push(
              sealedLeaf(
                part.first + j,
                own.subarray(32 * j, 32 * j + 32),
                ciphertext.subarray(256 * j, 256 * (j + 1)),
              ),
            );
        }
        const root = buildLevels(leaves).at(-1)![0] as TreeRoot;
        expect(isCommittedTo(file.chunks, root, wrong)).toBe(true);
        expect(isCommittedTo(file.chunks, seal.root, wrong)).toBe(false);
      });
      expect(() => statSync(at("never.safetensors"))).toThrow();
    }
  });

  test("is not made of a checkpoint that was changed", async () => {
    const step = at(`honest.data/step-${String(place.steps).padStart(8, "0")}.safetensors`);
    const bytes = readFileSync(step);
    const changed = Buffer.from(bytes);
    changed[changed.length - 1] ^= 1;
    writeFileSync(step, changed);
    await expect(sealCheckpoint(await openTrace(at("honest.trace")), SALE, KEY, at("none"))).rejects.toThrow(
      "is not the state after step",
    );
    writeFileSync(step, bytes);
    expect(() => statSync(at("none"))).toThrow();
  });
});
