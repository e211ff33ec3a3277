/**
 * Several cards of one machine: the command line on stand-ins for them. Each process has a card, and its
 * kernels run on the interpreter.
 */
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { cardsOf, takeCards } from "../../src/cli/devices.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { run } from "../../src/trace/run.ts";
import cut from "../fixtures/cut.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { verdeIn } from "../fixtures/verde.ts";
import { standIn } from "./stand-in.ts";

const MODULE = fileURLToPath(new URL("../fixtures/cut.ts", import.meta.url));
const PRELOAD = fileURLToPath(new URL("preload.ts", import.meta.url));
const at = temporaryFolder();
const device = standIn();

describe.skipIf(!device)("a machine with three cards", () => {
  const driver = device!;
  const log = at("cards.log");
  const verde = (...args: string[]) =>
    verdeIn(at("."))(args, {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      VERDE_LIBCUDA: driver.library,
      VERDE_CACHE: at("cache"),
      STANDIN_CARDS: "3",
      STANDIN_LOG: log,
    });
  const expected = cut.close().then(async (job) => toHex((await run(job, { backend: wasm })).runRoot));

  test.each([
    ["1", [], ["1"]],
    // The first one computes the rest of the step too.
    ["0,2", ["card 0", "card 2"], ["0", "0", "2"]],
    ["all", ["card 0", "card 1", "card 2"], ["0", "0", "1", "2"]],
  ])(
    "a run on the cards %s has the root of a run without them",
    async (devices, workers, cards) => {
      rmSync(log, { force: true });
      const { code, stdout, stderr } = await verde("run", MODULE, "--backend", "cuda", "--devices", devices, "--json");
      expect(code, stderr).toBe(0);
      const summary = JSON.parse(stdout.trim().split("\n").at(-1)!) as { runRoot: string; workers?: Crew };
      expect(summary.runRoot).toBe(await expected);
      expect((summary.workers?.workers ?? []).map(({ name }) => name)).toEqual(workers);
      // Each has done a part.
      expect((summary.workers?.workers ?? []).every(({ shards }) => shards > 0)).toBe(true);
      expect(summary.workers?.own ?? 0).toBe(0);
      expect(readFileSync(log, "utf8").trim().split("\n").sort()).toEqual(cards);
    },
    600_000,
  );

  test("a card that is not there is refused before anything runs, wherever it is named", async () => {
    const { code, stderr } = await verde("run", MODULE, "--backend", "cuda", "--devices", "0,3");
    expect([code, stderr]).toEqual([2, expect.stringContaining("--devices 0,3 names card 3, and the NVIDIA driver shows 3; write all, or numbers from 0 to 2")]); // prettier-ignore
    const { code: other, stderr: said } = await verdeIn(at("."))(["run", MODULE, "--backend", "cuda"], {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      VERDE_LIBCUDA: driver.library,
      VERDE_CUDA_DEVICE: "7",
    });
    expect([other, said]).toEqual([3, expect.stringContaining("there is no card 7, which VERDE_CUDA_DEVICE names: the NVIDIA driver shows 1; write a number from 0 to 0")]); // prettier-ignore
  });

  test("what names no cards is refused", async () => {
    expect(cardsOf("2, 0", 3)).toEqual([2, 0]);
    for (const [list, problem] of [
      ["", "is no list of cards"],
      ["0;1", "is no list of cards"],
      ["-1", "is no list of cards"],
      ["1,0,1", "names card 1 twice"],
    ])
      expect(() => cardsOf(list, 3)).toThrow(problem);
    await expect(takeCards({ devices: "0", backend: "wasm" })).rejects.toThrow("write --backend cuda with it");
    await expect(takeCards({ devices: "0" })).rejects.toThrow("write --backend cuda with it");
    await expect(takeCards({ devices: "0", backend: "cuda", workers: "2" })).rejects.toThrow(
      "give --workers or --devices",
    );
    expect(await takeCards({})).toEqual([]);
  });
});

interface Crew {
  own: number;
  workers: { name: string; shards: number }[];
}
