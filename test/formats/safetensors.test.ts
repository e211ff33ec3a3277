import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const path = temporaryFolder();

/** A file by the format's description, not by our writer. */
function file(header: object | string, content: Uint8Array = new Uint8Array()): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path("made.safetensors"), Buffer.concat([size, text, content]));
  return path("made.safetensors");
}

const one = (dtype: string, content: ArrayBufferView, shape = [content.byteLength]): string =>
  file(
    { x: { dtype, shape, data_offsets: [0, content.byteLength] } },
    new Uint8Array(content.buffer, content.byteOffset, content.byteLength),
  );

describe("safetensors", () => {
  const tensors = [
    { name: "a.weight", dtype: "f32" as const, shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 5, 2 ** 127) },
    { name: "empty", dtype: "f32" as const, shape: [0, 4], data: new Float32Array() },
    { name: "step", dtype: "i32" as const, shape: [], data: Int32Array.of(-7) },
  ];

  test("come back as they were written", async () => {
    await writeSafetensors(path("round.safetensors"), tensors);
    expect(await readSafetensors(path("round.safetensors"))).toEqual(tensors);
  });

  test("are used where they lie in a mapped file, after the check that a read file gets", async () => {
    const count = 2 ** 17;
    const floats = Float32Array.from({ length: count }, (_, i) => i - 2 ** 16);
    const large = [
      { name: "f", dtype: "f32" as const, shape: [count], data: floats },
      { name: "i", dtype: "i32" as const, shape: [count], data: Int32Array.from(floats) },
      { name: "tiny", dtype: "f32" as const, shape: [2], data: Float32Array.of(1, 2 ** -130) },
    ];
    await writeSafetensors(path("mapped.safetensors"), large);
    const before = readFileSync(path("mapped.safetensors"));
    const [f, i, tiny] = await readSafetensors(path("mapped.safetensors"), { map: true });
    expect([f, i, tiny]).toEqual(await readSafetensors(path("mapped.safetensors")));
    expect(tiny.data).toEqual(Float32Array.of(1, 0));
    // One buffer, which is the file's; what had to be changed has another.
    expect([f.data.buffer.byteLength, tiny.data.byteLength]).toEqual([before.length, 8]);
    expect(i.data.buffer).toBe(f.data.buffer);
    expect(tiny.data.buffer).not.toBe(f.data.buffer);
    f.data[0] = 7;
    expect(readFileSync(path("mapped.safetensors"))).toEqual(before);
    large[0].data[5] = Number.NaN;
    await writeSafetensors(path("mapped.safetensors"), large);
    await expect(readSafetensors(path("mapped.safetensors"), { map: true })).rejects.toThrow("element 5 is NaN");
    expect((await readSafetensors(path("mapped.safetensors"), { map: true, raw: true }))[0].data[5]).toBeNaN();
    expect(i.data[0]).toBe(-(2 ** 16));
  });

  test("are read from a mapped file where they do not lie at a multiple of 4 bytes", async () => {
    const floats = Float32Array.from({ length: 2 ** 18 }, (_, i) => i);
    const header = { x: { dtype: "F32", shape: [2 ** 18], data_offsets: [0, 2 ** 20] } };
    const odd = JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 4) * 4 + 1);
    const [x] = await readSafetensors(file(odd, new Uint8Array(floats.buffer)), { map: true });
    expect(x.data).toEqual(floats);
  });

  test("are never written through a link", async () => {
    writeFileSync(path("victim"), "precious");
    symlinkSync(path("victim"), path("linked.safetensors.new"));
    await writeSafetensors(path("linked.safetensors"), tensors);
    expect(await readSafetensors(path("linked.safetensors"))).toEqual(tensors);
    expect(readFileSync(path("victim"), "utf8")).toBe("precious");
  });

  test("are shown to a check by name, type and shape before their content is read", async () => {
    await writeSafetensors(path("checked.safetensors"), tensors);
    const seen: unknown[] = [];
    const check = (types: readonly unknown[]): void => void seen.push(...types);
    expect(await readSafetensors(path("checked.safetensors"), { check })).toEqual(tensors);
    expect(seen).toEqual(tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })));
    const refuse = (): never => {
      throw new Error("not these");
    };
    await expect(readSafetensors(path("checked.safetensors"), { check: refuse })).rejects.toThrow("not these");
    await expect(readSafetensors(path("checked.safetensors"), { maxHeader: 20 })).rejects.toThrow(
      "at most 20 are read",
    );
  });

  test("are read by a program of another language", async () => {
    await writeSafetensors(path("python.safetensors"), tensors);
    const script = `
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
assert size % 8 == 0
header = json.loads(data[8:8 + size])
codes = {"F32": "f", "I32": "i"}
out = {}
for name, entry in header.items():
    start, end = entry["data_offsets"]
    out[name] = [entry["shape"], list(struct.unpack("<%d%s" % ((end - start) // 4, codes[entry["dtype"]]), data[8 + size + start:8 + size + end]))]
print(json.dumps(out))`;
    const read = JSON.parse(execFileSync("python3", ["-c", script, path("python.safetensors")], { encoding: "utf8" }));
    expect(read).toEqual(Object.fromEntries(tensors.map(({ name, shape, data }) => [name, [shape, [...data]]])));
  });

  test("of other types are rounded to vf32", async () => {
    const read = async (name: string): Promise<number[]> => [...(await readSafetensors(name))[0].data];
    expect(await read(one("F64", Float64Array.of(0.1, 1e-40), [2]))).toEqual([Math.fround(0.1), 0]);
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x3555);
    expect(await read(one("F16", halves, [6]))).toEqual([1, -2, 2 ** -24, 65504, 0, Math.fround(0.333251953125)]);
    expect(await read(one("BF16", Uint16Array.of(0x3f80, 0xc049), [2]))).toEqual([1, -3.140625]);
    expect(await read(one("I64", BigInt64Array.of(5n, -6n), [2]))).toEqual([5, -6]);
  });

  test("with values that vf32 does not hold are refused by name and index", async () => {
    const nan = one("F32", Float32Array.of(1, 2, Number.NaN), [3]);
    await expect(readSafetensors(nan)).rejects.toThrow(/made.safetensors, tensor x: element 2 is NaN/);
    const infinite = one("F16", Uint16Array.of(0x7c00), [1]);
    await expect(readSafetensors(infinite)).rejects.toThrow("element 0 is Infinity");
    expect([...(await readSafetensors(infinite, { saturate: true }))[0].data]).toEqual([2 ** 127]);
    await expect(readSafetensors(one("I64", BigInt64Array.of(2n ** 40n), [1]))).rejects.toThrow("32 bits do not hold");
  });

  test("that are malformed are refused before anything is allocated", async () => {
    const refused = (name: string): Promise<unknown> => readSafetensors(name).catch((error: Error) => error.message);
    const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
    const four = new Uint8Array(4);
    expect(await refused(file("{"))).toContain("its header is not JSON");
    expect(await refused(file("[]"))).toContain("its header is not an object");
    expect(await refused(file({ __metadata__: "a" }))).toContain("its __metadata__ is not an object");
    expect(await refused(file({ __metadata__: [] }))).toContain("its __metadata__ is not an object");
    const complex = { dtype: "C64", shape: [1], data_offsets: [0, 8] };
    expect(await refused(file({ x: complex }, new Uint8Array(8)))).toContain("tensor x is of type C64");
    expect(await refused(file({ x: { ...entry, dtype: "C64" } }, four))).toContain("has 4 bytes for C64 [1]");
    expect(await refused(file({ x: { ...entry, dtype: 7 } }, four))).toContain("has the type 7");
    expect(await refused(file({ x: { ...entry, shape: [2 ** 40] } }, four))).toContain("has 4 bytes for F32");
    const wide = { dtype: "F32", shape: [2 ** 40, 0], data_offsets: [0, 0] };
    expect(await refused(file({ x: wide }))).toContain("has the shape [1099511627776,0]");
    expect(await refused(file({ x: { ...wide, shape: Array(9).fill(0) } }))).toContain("has the shape [0,0,");
    expect(await refused(file({ x: { ...entry, shape: [2 ** 50, 2 ** 50] } }, four))).toContain("has the shape");
    expect(await refused(file({ x: { ...entry, shape: [-1] } }, four))).toContain("has the shape");
    expect(await refused(file({ x: { ...entry, shape: [2] } }, four))).toContain("has 4 bytes for F32 [2]");
    expect(await refused(file({ x: { ...entry, data_offsets: [0, 8] } }, four))).toContain("end at byte 8 of 4");
    expect(await refused(file({ x: { ...entry, data_offsets: [4, 8] } }, new Uint8Array(8)))).toContain(
      "begins at byte 4",
    );
    expect(await refused(file({ x: entry, y: entry }, four))).toContain(
      "tensor y begins at byte 0, and tensor x ends at 4: the two overlap",
    );
    expect(await refused(file({ x: entry }, new Uint8Array(9)))).toContain("end at byte 4 of 9");
    const huge = Buffer.alloc(16);
    huge.writeBigUInt64LE(2n ** 60n);
    writeFileSync(path("huge.safetensors"), huge);
    expect(await refused(path("huge.safetensors"))).toContain("its header claims");
    expect(await refused(path("missing.safetensors"))).toContain("can't be read");
    expect(await refused(path("."))).toContain("it is not a file");
    expect(await refused(file({ x: { ...entry, shape: [2 ** 33, 0] } }, four))).toContain("has 4 bytes for F32");
    const marked = `\ufeff${JSON.stringify({ x: entry })}`;
    expect(await refused(file(marked, four))).toContain("its header begins with a byte order mark");
    const whole = readFileSync(file({ x: entry }, four));
    writeFileSync(path("marked.safetensors"), Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), whole]));
    expect(await refused(path("marked.safetensors"))).toContain("it begins with a byte order mark");
  });

  test("with a key twice are refused, wherever it stands", async () => {
    const entry = (dtype: string): string => `{"dtype":"${dtype}","shape":[1],"data_offsets":[0,4]}`;
    const four = new Uint8Array(4);
    for (const [header, key] of [
      [`{"x":${entry("F32")},"x":${entry("F32")}}`, "x"],
      [`{"x":${entry("F32")}, "\\u0078" :${entry("I32")}}`, "x"],
      [`{"a\\"b":${entry("F32")},"a\\"b":${entry("F32")}}`, 'a"b'],
      [`{"x":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}`, "dtype"],
      [`{"__metadata__":{"a":"{","a":"1"},"x":${entry("F32")}}`, "a"],
    ])
      await expect(readSafetensors(file(header, four))).rejects.toThrow(`the key ${JSON.stringify(key)} twice`);
    const fine = `{"__metadata__":{"x":"x","dtype":"{\\"x\\":1"},"x":${entry("F32")}}`;
    expect((await readSafetensors(file(fine, four))).map(({ name }) => name)).toEqual(["x"]);
  });

  test("keep the order in which tensors lie, whatever they are called", async () => {
    const named = ["b", "10", "2", "__proto__", 'a"b\\', "é", "constructor"].map((name, i) => ({
      name,
      dtype: "i32" as const,
      shape: [i % 3],
      data: new Int32Array(i % 3).fill(i),
    }));
    await writeSafetensors(path("named.safetensors"), named);
    expect(await readSafetensors(path("named.safetensors"))).toEqual(named);
    await expect(writeSafetensors(path("two.safetensors"), [named[0], named[0]])).rejects.toThrow(
      "another tensor called b",
    );
    const entries = {
      y: { dtype: "I32", shape: [1], data_offsets: [0, 4] },
      x: { dtype: "I32", shape: [0], data_offsets: [0, 0] },
    };
    expect((await readSafetensors(file(entries, new Uint8Array(4)))).map(({ name }) => name)).toEqual(["x", "y"]);
  });

  test("keep every pattern where a root vouches for them", async () => {
    const words = Uint32Array.of(0x80000000, 1, 0x7f800000, 0x7fc00001, 0xff7fffff, 0x3f800000);
    const data = new Float32Array(words.buffer);
    await writeSafetensors(path("raw.safetensors"), [{ name: "x", dtype: "f32", shape: [6], data }]);
    const [read] = await readSafetensors(path("raw.safetensors"), { raw: true });
    expect(new Uint32Array(read.data.buffer)).toEqual(words);
    await expect(readSafetensors(path("raw.safetensors"))).rejects.toMatchObject({ code: "VERDE_VALUE_RANGE" });
  });

  test("hold tensors of other types, which only stop the reading of a file that needs them", async () => {
    const entries = {
      mask: { dtype: "BOOL", shape: [3], data_offsets: [0, 3] },
      later: { dtype: "F9_LATER", shape: [7], data_offsets: [3, 4] },
      w: { dtype: "F32", shape: [1], data_offsets: [4, 8] },
    };
    const mixed = file({ __metadata__: { format: "pt", n: 1 }, ...entries }, new Uint8Array(8));
    await expect(readSafetensors(mixed)).rejects.toThrow("tensor mask is of type BOOL; F32, F64");
    const seen: unknown[] = [];
    const read = await readSafetensors(mixed, {
      choose: (tensors, metadata) => {
        seen.push(...tensors.map(({ name, type }) => `${name} ${type}`), metadata);
        return new Set(["w"]);
      },
    });
    expect(read).toEqual([{ name: "w", dtype: "f32", shape: [1], data: Float32Array.of(0) }]);
    expect(seen).toEqual(["mask BOOL", "later F9_LATER", "w F32", { format: "pt" }]);
    await expect(readSafetensors(mixed, { choose: () => new Set(["later"]) })).rejects.toThrow("is of type F9_LATER");
    const short = { ...entries, mask: { ...entries.mask, shape: [4] } };
    await expect(readSafetensors(file(short, new Uint8Array(8)))).rejects.toThrow("has 3 bytes for BOOL [4]");
  });

  test("are not taken for a file of another kind, which is named", async () => {
    const zip = (name: string): string =>
      `PK\x03\x04${"\0".repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}`;
    const kinds: readonly [string | Buffer, string][] = [
      ["version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "a Git LFS pointer"],
      [zip("archive/data.pkl"), "a PyTorch file"],
      [zip("arr_0.npy"), "a NumPy archive (.npz)"],
      [zip("word/document.xml"), "a zip archive"],
      [Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex"), "a PyTorch file"],
      ["GGUF\x03\0\0\0{\0\0\0\0\0\0\0", "a GGUF or GGML file"],
      [Buffer.from("934e554d5059010076007b27", "hex"), "a NumPy array (.npy)"],
      [Buffer.from("894844460d0a1a0a00000000", "hex"), "an HDF5 file"],
      [Buffer.from("1f8b08000000000000037b", "hex"), "compressed with gzip"],
      ["<!DOCTYPE html>\n<html>", "a web page"],
      ['{"metadata": {"total_size": 9}, "weight_map": {}}', "the index of a model that lies in several files"],
      ['\ufeff{\n  "a": 1\n}', "a JSON text"],
      ["[1, [2]]".replace("1", '"a"'), "a JSON text"],
      ["VERDETR1\0\0\0\0", "a Verde trace"],
      ["VERDEJB1\0\0\0\0", "a Verde job file"],
    ];
    for (const [content, what] of kinds) {
      writeFileSync(
        path("other"),
        typeof content === "string" && !content.includes("\ufeff") ? Buffer.from(content, "latin1") : content,
      );
      const error = await readSafetensors(path("other")).catch((cause: unknown) => cause);
      expect([what, error]).toEqual([what, expect.objectContaining({ code: "VERDE_FORMAT_KIND" })]);
      expect((error as Error).message).toContain(`${path("other")} is ${what}`);
    }
    writeFileSync(path("other"), "nothing of a kind that is known");
    await expect(readSafetensors(path("other"))).rejects.toMatchObject({ code: "VERDE_FORMAT_MALFORMED" });
  });
});
