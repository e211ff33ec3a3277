import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import type { RunClaim } from "../../src/claims/claim.ts";
import { concludeFrom } from "../../src/referee/conclude.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import type { Pair } from "../../src/game/level.ts";
import type { Verdict } from "../../src/referee/verdict.ts";
import { disputeRemembered, type Setting } from "./remembered-dispute.ts";
import type { Fault } from "./remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "./tiny-job.ts";

const job = tinyJob(5);
const wrong = (step: number, at: Fault["at"], element = 0): Fault => ({ step, at, element, flip: 0x3f000008 });
const honestAgainst = (...faults: Fault[]): Pair<readonly Fault[]> => [[], faults];

/** A dispute of every kind: what is read from where, how deep, which segment. */
const SETTINGS: Record<string, Setting> = {
  "an element of the init graph": { job, faults: honestAgainst(wrong(0, { kernel: 0 }, 70)) },
  "a map that reads state, dataset and coordinates": { job, faults: honestAgainst(wrong(1, { kernel: 0 }, 5)) },
  "a gathered element": { job, commitEvery: 2, faults: honestAgainst(wrong(2, { kernel: 1 }, 20)) },
  "a gathered row outside the source": { job, faults: honestAgainst(wrong(1, { kernel: 1 }, 30)) },
  "a dot product over state and a kernel's output": {
    job,
    commitEvery: 3,
    faults: honestAgainst(wrong(4, { kernel: 2 }, 71)),
  },
  "a map with a fill value": { job, faults: honestAgainst(wrong(3, { kernel: 3 }, 12)) },
  "a fold with index and coordinate": { job, commitEvery: 2, faults: honestAgainst(wrong(5, { kernel: 4 }, 11)) },
  "an empty fold": { job, faults: honestAgainst(wrong(2, { kernel: 8 }, 3)) },
  "an integer fold": { job, commitEvery: 5, faults: honestAgainst(wrong(5, { kernel: 10 }, 7)) },
  "an entry that a kernel computed": { job, faults: honestAgainst(wrong(2, { entry: 0 }, 9)) },
  "an entry of the state before": { job, commitEvery: 2, faults: honestAgainst(wrong(4, { entry: 2 }, 1)) },
  "an entry of the dataset": { job, faults: honestAgainst(wrong(1, { entry: 3 }, 69)) },
  "two wrong claims": { job, faults: [[wrong(2, { kernel: 2 }, 5)], [{ ...wrong(2, { kernel: 2 }, 5), flip: 1 }]] },
  "a run from a checkpoint": { job: tinyCheckpointJob(3), faults: honestAgainst(wrong(1, { kernel: 6 }, 64)) },
  "a wrong checkpoint": { job: tinyCheckpointJob(3), faults: [[wrong(0, { entry: 1 }, 3)], []] },
};

describe("verdict", () => {
  const made: Record<string, { verdict: Verdict; claims: Pair<RunClaim>; text: string }> = {};
  beforeAll(async () => {
    for (const [name, setting] of Object.entries(SETTINGS)) made[name] = await disputeRemembered(setting);
  });

  for (const [name, setting] of Object.entries(SETTINGS)) {
    it(`about ${name} is checked from its text alone`, () => {
      const { verdict, claims } = made[name];
      const checked = checkVerdict(JSON.parse(JSON.stringify(verdict)), claims);
      if (checked.kind !== "proof") throw new Error("no proof");
      const losers = ([0, 1] as const).filter((side) => setting.faults[side].length > 0);
      expect(checked.losers).toEqual(losers);
      for (const [i, { run, step, claimed, recomputed }] of checked.refuted.entries()) {
        expect(toHex(run)).toBe(toHex(claims[losers[i]].run));
        expect(step).toBe(setting.faults[losers[0]][0].step);
        expect(Buffer.compare(claimed!, recomputed!)).not.toBe(0);
      }
      // The winner's claim is not needed, and nothing is said about it.
      for (const side of losers)
        if (losers.length === 1) expect(checkVerdict(verdict, [claims[side]]).losers).toEqual([0]);
    });

    it(`about ${name} follows from the transcript alone`, async () => {
      const { verdict, text } = made[name];
      const again = await concludeFrom(text, "the transcript");
      expect(again?.verdict).toEqual(verdict);
      expect(again?.transcript).toBe(text);
    });

    it(`about ${name} is refused when any field is altered`, () => {
      const { verdict, claims } = made[name];
      expect(checkVerdict(verdict, claims).losers.length).toBeGreaterThan(0);
      for (const [path, change] of alterations(verdict)) {
        const altered = structuredClone(verdict);
        change(altered);
        // Each entry of a proof stands for itself.
        if (setting.faults.every(({ length }) => length > 0) && /^refuted\.\d removed$/.test(path)) continue;
        expect(() => checkVerdict(altered, claims), path).toThrow(expect.objectContaining({ family: "VERDE_DISPUTE" }));
      }
    });
  }

  it("is refused with any digit of it changed", () => {
    const names = Object.keys(SETTINGS);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.integer({ min: 1, max: 15 }), (name, place, change) => {
        const { verdict, claims } = made[name];
        const text = JSON.stringify(verdict);
        const digits = [...text.matchAll(/(?<=0x[0-9a-f]*)[0-9a-f]|(?<=[:,[])\d/g)].map(({ index }) => index);
        const at = digits[place % digits.length];
        const isHex = /0x[0-9a-f]*$/.test(text.slice(0, at));
        const base = isHex ? 16 : 10;
        const digit = ((Number.parseInt(text[at], base) + (isHex ? change : 1 + (change % 9))) % base).toString(base);
        const altered = JSON.parse(`${text.slice(0, at)}${digit}${text.slice(at + 1)}`);
        expect(() => checkVerdict(altered, claims)).toThrow();
      }),
      { seed: 20261120, numRuns: 800 },
    );
  });

  it("is about claims that were named, each with its key", () => {
    const { verdict, claims } = made["a gathered element"];
    const [winner, loser] = claims;
    expect(checkVerdict(verdict, [loser, winner]).losers).toEqual([0]);
    expect(() => checkVerdict(verdict, [winner])).toThrow("was not named");
    // Another key may have claimed the same root, and said the truth about its trees.
    expect(() => checkVerdict(verdict, [{ run: loser.run, address: winner.address }])).toThrow("was not named");
    expect(() => checkVerdict(verdict, [{ run: loser.run }, winner])).toThrow("name the claim with its key");
  });

  it("refutes a root for everybody where no signature is needed", () => {
    for (const name of ["a wrong checkpoint", "an entry of the dataset"]) {
      const { verdict, claims } = made[name];
      const losers = name === "a wrong checkpoint" ? 0 : 1;
      if (verdict.kind !== "proof") throw new Error("no proof");
      expect(verdict.refuted.map(({ ground, address }) => [ground, address])).toEqual([["root", null]]);
      expect(checkVerdict(verdict, [{ run: claims[losers].run }]).losers).toEqual([0]);
      expect(checkVerdict(verdict, [claims[losers]]).losers).toEqual([0]);
    }
  });

  it("stays small", () => {
    const sizes = Object.values(made).map(({ verdict }) => JSON.stringify(verdict).length);
    expect(Math.max(...sizes)).toBeLessThan(30_000);
  });

  it("is refused when it is nothing of the kind", () => {
    const { verdict, claims } = made["a gathered element"];
    const nothings = [null, 3, "verdict", [], {}, { ...verdict, schemaVersion: 2 }, { ...verdict, refuted: [] }];
    for (const nothing of [...nothings, { ...verdict, kind: "ruling" }, { ...verdict, kind: "verdict" }])
      expect(() => checkVerdict(nothing, claims)).toThrow(expect.objectContaining({ family: "VERDE_DISPUTE" }));
  });
});

type Change = (root: object) => void;

/** Every value of a JSON document changed once: altered, removed, and for lists and objects something added. */
function alterations(document: unknown): [string, Change][] {
  const found: [string, Change][] = [];
  const visit = (value: unknown, path: string[]): void => {
    const at = path.join(".");
    if (path.length > 0) {
      const key = path[path.length - 1];
      const parentOf = (root: object) => nodeAt(root, path.slice(0, -1));
      found.push([`${at} changed`, (root) => void (parentOf(root)[key] = changed(value))]);
      found.push([`${at} nothing`, (root) => void (parentOf(root)[key] = value === null ? 0 : null)]);
      found.push([`${at} removed`, (root) => remove(parentOf(root), key)]);
    }
    if (typeof value !== "object" || value === null) return;
    found.push([`${at} extended`, (root) => extend(nodeAt(root, path))]);
    for (const [name, part] of Object.entries(value)) visit(part, [...path, name]);
  };
  visit(document, []);
  return found;
}

type JsonNode = Record<string, unknown>;

function nodeAt(root: object, path: readonly string[]): JsonNode {
  return path.reduce((node, key) => node[key] as JsonNode, root as JsonNode);
}

function remove(node: JsonNode, key: string): void {
  if (Array.isArray(node)) node.splice(Number(key), 1);
  else delete node[key];
}

function extend(node: JsonNode): void {
  if (Array.isArray(node)) node.push(node[0] ?? 0);
  else node.surplus = 1;
}

function changed(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value !== "string") return "0x00";
  if (!value.startsWith("0x")) return `${value}x`;
  const last = value.length - 1;
  return value.length > 2 ? `${value.slice(0, last)}${value[last] === "0" ? "1" : "0"}` : "0x00";
}
