/**
 * A party whose files are damaged, missing, swapped or of another job says nothing false: it gives no answer, or the right
 * one. So an honest party never loses by what happened to its disk.
 */
import { cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ClaimStore } from "../../../src/claims/store.ts";
import { openingKey, openingSigner } from "../../../src/claims/opening.ts";
import { toHex } from "../../../src/encoding/bytes.ts";
import { VerdeError } from "../../../src/errors/index.ts";
import { checkVerdict } from "../../../src/referee/check-verdict.ts";
import { dispute, type DisputeResult } from "../../../src/referee/dispute.ts";
import { parseFault } from "../../../src/trace/fault.ts";
import { run, type RunOptions } from "../../../src/trace/run.ts";
import { startFrom } from "../../../src/trace/start.ts";
import { claimsOf, claimTrace } from "../../fixtures/claims.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { generator } from "../../graph/numeric.ts";
import { smallJob } from "../small-job.ts";

const SEED = 20261128;
/** The whole sweep is 1,000 disputes. The gate runs a seeded sample. */
const DISPUTES = process.env.VERDE_SWEEP === undefined ? 60 : 1000;
const at = temporaryFolder();
const random = generator(SEED);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

const SETTINGS: RunOptions[] = [
  { commitEvery: 1 },
  { commitEvery: 3, checkpointEvery: 3 },
  { commitEvery: 2, detail: "operators" },
];
const FAULTS = ["skip:step=4", "flip:step=3,operator=8,element=1,bit=30", "lr:from=2,factor=1.5"];

describe("a party with damaged files", () => {
  let store: ClaimStore;
  /** Openings that were signed while everything was sound. */
  const sound = new Map<string, string>();
  let honestAddress = "";

  beforeAll(async () => {
    store = new ClaimStore(at("state"));
    const job = await smallJob();
    const other = await smallJob({ seed: 3 });
    const { job: start } = await startFrom(job, [], { partial: true });
    for (const [i, setting] of SETTINGS.entries()) {
      const of = i === 2 ? start : job;
      await run(of, { ...setting, out: at(`honest${i}.trace`) });
      for (const [f, fault] of FAULTS.entries())
        await run(of, { ...setting, out: at(`liar${i}${f}.trace`), fault: parseFault(fault) });
      for (const name of [`honest${i}`, ...FAULTS.map((_, f) => `liar${i}${f}`)])
        await claimTrace(store, at(`${name}.trace`));
    }
    await run(other, { out: at("foreign.trace") });
    honestAddress = toHex(await store.addressFor("own"));
  });

  /** A copy of a run that may be damaged. */
  async function copyOf(name: string, to: string): Promise<string> {
    await rm(at(`${to}.data`), { recursive: true, force: true });
    await cp(at(`${name}.trace`), at(`${to}.trace`));
    await cp(at(`${name}.data`), at(`${to}.data`), { recursive: true });
    return at(`${to}.trace`);
  }

  type Damage = (trace: string, data: string) => Promise<string>;
  const filesOf = async (data: string): Promise<string[]> => (await readdir(data)).map((name) => join(data, name));
  const DAMAGES: Damage[] = [
    async (_, data) => {
      await rm(data, { recursive: true });
      return "no data folder";
    },
    async (_, data) => {
      const file = pick(await filesOf(data));
      await rm(file);
      return `${basename(file)} missing`;
    },
    async (trace, data) => {
      const file = pick([trace, ...(await filesOf(data)), ...(await filesOf(data))]);
      const bytes = await readFile(file);
      const place = below(bytes.length);
      bytes[place] ^= 1 << below(8);
      await writeFile(file, bytes);
      return `byte ${place} of ${basename(file)} altered`;
    },
    async (_, data) => {
      const file = pick(await filesOf(data));
      await writeFile(file, (await readFile(file)).subarray(0, below(400)));
      return `${basename(file)} cut`;
    },
    async (_, data) => {
      const [a, b] = [pick(await filesOf(data)), pick(await filesOf(data))];
      await rename(a, `${a}.kept`);
      if (a !== b) await rename(b, a);
      await rename(`${a}.kept`, b);
      return `${basename(a)} and ${basename(b)} swapped`;
    },
    async (_, data) => {
      const file = pick(await filesOf(data));
      const theirs = join(at("foreign.data"), basename(file));
      await cp(theirs, file).catch(() => rm(file));
      return `${basename(file)} of another job`;
    },
    async (_, data) => {
      await writeFile(join(data, `step-0000000${below(9)}.safetensors`), "stray");
      return "a stray file";
    },
  ];

  test(`never loses for it: ${DISPUTES} disputes`, { timeout: 3_600_000 }, async () => {
    const outcomes = new Map<string, number>();
    for (let i = 0; i < DISPUTES; i++) {
      const setting = below(SETTINGS.length);
      const honest = await copyOf(`honest${setting}`, "a");
      const liar = await copyOf(`liar${setting}${below(FAULTS.length)}`, "b");
      const hurt = pick(["honest", "liar", "both"]);
      const said: string[] = [];
      for (const [who, trace] of [
        ["honest", honest],
        ["liar", liar],
      ] as const)
        if (hurt === who || hurt === "both")
          said.push(`${who}: ${await pick(DAMAGES)(trace, trace.replace(".trace", ".data"))}`);
      const recompute = pick(["scalar", "operator", undefined] as const);
      const what = `seed ${SEED}, dispute ${i}, ${recompute ?? "default"}, ${said.join(", ")}`;
      const order = below(2) === 0 ? ([honest, liar] as const) : ([liar, honest] as const);
      const result = await outcomeOf(() => dispute(...order, { claims: store, ...(recompute && { recompute }) }));
      outcomes.set(result.outcome, (outcomes.get(result.outcome) ?? 0) + 1);
      if (result.outcome === "refused" || result.outcome === "agree") continue;
      const names = result.parties.map(({ name }) => name);
      if (result.outcome === "undecided") {
        // Only a party whose files were touched can be without an answer.
        for (const { name } of result.silent)
          expect(hurt === "both" || (hurt === "honest") === (name === honest), what).toBe(true);
        continue;
      }
      const losers = result.losers.map((id) => names[result.parties.findIndex((party) => party.id === id)]);
      expect(losers, what).toEqual([liar]);
      expect(checkVerdict(result.verdict, claimsOf(result.parties)).losers, what).toEqual([names.indexOf(liar)]);
      for (const opening of result.openings) {
        if (toHex(opening.address) !== honestAddress) continue;
        const key = `${setting} ${openingKey(opening)}`;
        expect(toHex(openingSigner(opening, opening.signature)!)).toBe(honestAddress);
        // Whatever was damaged, a tree has one root.
        expect(sound.get(key) ?? toHex(opening.root), what).toBe(toHex(opening.root));
        sound.set(key, toHex(opening.root));
      }
    }
    const divergences = outcomes.get("divergence") ?? 0;
    expect(divergences, JSON.stringify([...outcomes])).toBeGreaterThan(DISPUTES / 8);
    expect(outcomes.get("undecided") ?? 0, JSON.stringify([...outcomes])).toBeGreaterThan(DISPUTES / 8);
  });

  /** A trace that can't be read at all makes no claim, and there is no dispute about it. */
  async function outcomeOf(make: () => Promise<DisputeResult>): Promise<DisputeResult | { outcome: "refused" }> {
    try {
      return await make();
    } catch (error) {
      if (error instanceof VerdeError && /^VERDE_(FORMAT|DISPUTE)/.test(error.code)) return { outcome: "refused" };
      throw error;
    }
  }
});
