import { readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BoardEvent, crc32c, encodeEvent, EventFile } from "../../src/formats/tensorboard.ts";
import { readEvents } from "../fixtures/event-file.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { SEED } from "../property/seed.ts";

const path = temporaryFolder();

describe("an event", () => {
  test("has checksums as RFC 3720 gives them (appendix B.4)", () => {
    const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
    const command = Buffer.from(
      "01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000",
      "hex",
    );
    for (const [bytes, sum] of [
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(0xff), 0x62a8ab43],
      [counting, 0x46dd794e],
      [counting.toReversed(), 0x113fdb5c],
      [command, 0xd9963a56],
      [new TextEncoder().encode("123456789"), 0xe3069283],
      [new Uint8Array(), 0],
    ] as const)
      expect(crc32c(bytes)).toBe(sum);
  });

  test("has the bytes that TensorBoard 2.21 writes", () => {
    for (const [event, time, hex] of [
      [
        { kind: "version" },
        1700000000.25,
        "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9",
      ],
      [
        { kind: "scalars", step: 300, values: { loss: 2.5, "gradient-norm": 0 } },
        1700000001.5,
        "31000000000000009d8383e90900006040fc54d94110ac022a230a0b0a046c6f737315000020400a140a0d6772616469656e742d6e6f726d1500000000a0492534",
      ],
      [
        { kind: "start", step: 2 ** 31 - 1 },
        1700000002,
        "13000000000000000c91321b0900008040fc54d94110ffffffff073a020801c76251f2",
      ],
    ] as const satisfies readonly (readonly [BoardEvent, number, string])[])
      expect(Buffer.from(encodeEvent(event, time)).toString("hex")).toBe(hex);
  });

  test("reads back, whatever its step, names and values are", () => {
    const number = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.nat(2 ** 31 - 1),
        fc.dictionary(fc.string({ maxLength: 200 }), number, { maxKeys: 5 }),
        fc.double({ min: 0, max: 1e10, noNaN: true }),
        (step, values, time) => {
          writeFileSync(path("one"), encodeEvent({ kind: "scalars", step, values }, time));
          const [read] = readEvents(path("one"));
          expect([read.step, Object.entries(read.values!), read.wallTime]).toEqual([
            step,
            Object.entries(values),
            time,
          ]);
        },
      ),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe("an event file", () => {
  test("is a new one for each run, with a name that TensorBoard looks for", async () => {
    const folder = path("runs/one");
    for (const loss of [1, 2]) {
      const events = await EventFile.open(folder, 1700000000.75);
      events.add({ kind: "scalars", step: 1, values: { loss } }, 1700000001);
      await events.close();
    }
    const names = readdirSync(folder).sort();
    expect(names).toEqual([0, 1].map((n) => `events.out.tfevents.1700000000.${hostname()}.${process.pid}.${n}`));
    expect(names.map((name) => readEvents(`${folder}/${name}`))).toEqual(
      [1, 2].map((loss) => [
        { wallTime: 1700000000.75, step: 0, version: "brain.Event:2" },
        { wallTime: 1700000001, step: 1, values: { loss } },
      ]),
    );
  });

  test("can be read while it is written, and is not left behind empty", async () => {
    const events = await EventFile.open(path("live"));
    for (let step = 1; step <= 3000; step++) events.add({ kind: "scalars", step, values: { loss: step / 8 } });
    // Of 100 kB, the first 64 kB are written by now.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const early = readEvents(events.path);
    expect(early.length).toBeGreaterThan(1000);
    await events.close();
    const all = readEvents(events.path);
    expect(all.slice(1).map(({ step, values }) => [step, values!.loss])).toEqual(
      Array.from({ length: 3000 }, (_, i) => [i + 1, (i + 1) / 8]),
    );
    await (await EventFile.open(path("empty"))).close();
    expect(readdirSync(path("empty"))).toEqual([]);
  });

  test("that can't be written is named, and stops nothing before it is closed", async () => {
    writeFileSync(path("file"), "");
    await expect(EventFile.open(path("file"))).rejects.toThrow(`${path("file")} can't be written: `);
    await expect(EventFile.open(path("file/below"))).rejects.toThrow("can't be written");
    const events = await EventFile.open(path("closed"));
    await (events as unknown as { file: { close(): Promise<void> } }).file.close();
    events.add({ kind: "scalars", step: 1, values: { loss: 1 } });
    await events.flush();
    events.add({ kind: "scalars", step: 2, values: { loss: 1 } });
    await expect(events.close()).rejects.toThrow(`${events.path} can't be written: `);
  });
});
