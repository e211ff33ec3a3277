import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytesEqual } from "../../../src/encoding/bytes.ts";
import { positionOf } from "../../../src/game/level.ts";
import { type ApartOptions, type ApartParty, openPartyApart, type Refusal } from "../../../src/referee/apart/open.ts";
import { PartyProcess } from "../../../src/referee/apart/process.ts";
import { openingSigner } from "../../../src/claims/opening.ts";
import { addressOf } from "../../../src/claims/signature.ts";
import { ClaimStore } from "../../../src/claims/store.ts";
import { jobFacts } from "../../../src/referee/facts.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { arbitrate } from "../../../src/referee/referee.ts";
import { traceMemory, type TraceMemory } from "../../../src/referee/trace-memory.ts";
import { expectComplete, type Fault, openTrace, run, type RunOptions, type RunRoot } from "../../../src/trace/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { smallJob } from "../small-job.ts";
import { rewrite } from "./rewritten.ts";

const at = temporaryFolder();
const job = await smallJob();
const FAULT: Fault = { kind: "flip", step: 5, operator: 9, element: 1, bit: 30 };
const RUN: RunOptions = { checkpointEvery: 2, commitEvery: 2 };
const [HONEST, LIAR, FOREIGN] = [at("honest.trace"), at("liar.trace"), at("foreign.trace")];
const REFEREE = fileURLToPath(new URL("../../fixtures/node/apart-referee.ts", import.meta.url));

let honest: { memory: TraceMemory; runRoot: RunRoot };
beforeAll(async () => {
  await run(job, { out: HONEST, ...RUN });
  await run(job, { out: LIAR, ...RUN, fault: FAULT });
  await run(await smallJob({ rate: 0.1 }), { out: FOREIGN, ...RUN });
  const trace = expectComplete(await openTrace(HONEST));
  honest = { memory: await traceMemory(trace), runRoot: trace.runRoot };
});
afterAll(() => honest?.memory.close());

let copies = 0;
/** The liar's files, to be damaged. */
async function copy(): Promise<{ trace: string; data: string }> {
  const name = at(`copy-${copies++}`);
  await cp(LIAR, `${name}.trace`);
  await cp(at("liar.data"), `${name}.data`, { recursive: true });
  return { trace: `${name}.trace`, data: `${name}.data` };
}

async function opened(trace: string, options?: ApartOptions): Promise<ApartParty> {
  const party = await openPartyApart(trace, options);
  if (!party.ok) throw new Error(party.message);
  return party;
}

/** The honest run, in this process, against a trace: the losers, and why the trace's party gave no answer. */
async function dispute(trace: string, options?: ApartOptions) {
  const party = await opened(trace, options);
  const { manifest, prover, runRoot } = party;
  try {
    const { finding: decision } = await arbitrate(
      jobFacts(manifest.outline, manifest.commitEvery),
      [trainingProver(honest.memory), prover],
      [{ run: honest.runRoot }, { run: runRoot }],
      { forfeitSilent: true },
    );
    return { decision, failure: party.failure() };
  } finally {
    await party.close();
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function untilGone(pid: number): Promise<void> {
  for (let i = 0; i < 200 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isAlive(pid)).toBe(false);
}

describe("two parties apart", () => {
  it("dispute as they do in one process", async () => {
    const parties = await Promise.all([opened(LIAR), opened(HONEST)]);
    const [{ manifest }] = parties;
    const { finding: decision, figures } = await arbitrate(
      jobFacts(manifest.outline, manifest.commitEvery),
      [parties[0].prover, parties[1].prover],
      [{ run: parties[0].runRoot }, { run: parties[1].runRoot }],
      { timeout: Infinity, together: true },
    );
    expect(decision).toMatchObject({ kind: "scalar", losers: [0] });
    expect(figures.millis).toBeGreaterThan(0);
    expect(parties.map((party) => party.failure())).toEqual([undefined, undefined]);
    await Promise.all(parties.map((party) => party.close()));
    const alone = await dispute(LIAR);
    expect(alone.decision).toMatchObject({ kind: "scalar", losers: [1] });
    expect(positionOf(alone.decision.path)).toEqual(positionOf(decision.path));
  });

  it("can name another backend, and claim what their traces say", async () => {
    const party = await opened(HONEST, { backend: "reference" });
    expect(await party.prepare()).toEqual({ ok: true, canReplay: true, reason: "" });
    expect(party.manifest.jobId).toHaveLength(32);
    const again = await opened(HONEST);
    expect(bytesEqual(party.runRoot, again.runRoot)).toBe(true);
    expect(await party.prover.signature([])).toBeUndefined();
    await Promise.all([party.close(), again.close(), party.close()]);
    expect(await party.prover.answer({ kind: "opening", at: [], height: 0, position: 0 })).toBeUndefined();
    expect(party.failure()).toBe("the dispute has ended");
  });
});

describe("a party apart that has a key", () => {
  it("signs for the run that the key has claimed, and for no other", async () => {
    const claims = new ClaimStore(at("state"));
    const own = new Uint8Array(32).fill(3);
    const extra = new ClaimStore(at("state"), [{ address: addressOf(own), secret: own }]);
    await claims.record(honest.runRoot, "own", await claims.addressFor("own"));
    const [party, foreign] = await Promise.all([opened(HONEST, { claims }), opened(LIAR, { claims })]);
    const [root] = (await party.prover.answer({ kind: "opening", at: [], height: 0, position: 0 }))!;
    const place = { tree: "segment", segment: 0, step: 0, kernel: 0, element: 0 } as const;
    const signed = (signature: Bytes) => openingSigner({ run: party.runRoot, ...place, root }, signature);
    expect(signed((await party.prover.signature([]))!)).toEqual(await claims.addressFor("own"));
    expect(await foreign.prover.signature([])).toBeUndefined();
    await Promise.all([party.close(), foreign.close()]);
    await claims.record(honest.runRoot, "own", addressOf(own));
    const other = await opened(HONEST, { claims: extra });
    expect(signed((await other.prover.signature([]))!)).toEqual(addressOf(own));
    await other.close();
  });
});

/** Damage to a party's files, with what becomes of it: when the trace is opened, or when it has to answer. */
const DAMAGED: Readonly<
  Record<
    string,
    { damage(files: { trace: string; data: string }): Promise<unknown>; refused?: string; reason?: RegExp }
  >
> = {
  "no trace": { damage: ({ trace }) => rm(trace), refused: "VERDE_FORMAT_MISSING" },
  "a folder instead of a trace": {
    damage: async ({ trace }) => [await rm(trace), await mkdir(trace)],
    refused: "VERDE_FORMAT_UNREADABLE",
  },
  "another file": { damage: ({ trace }) => writeFile(trace, "{}"), refused: "VERDE_FORMAT_KIND" },
  "a trace that is cut": { damage: ({ trace }) => truncate(trace, 9000), refused: "VERDE_FORMAT_TRUNCATED" },
  "an altered trace": {
    damage: async ({ trace }) => writeFile(trace, (await readFile(trace)).fill(7, 6000, 6001)),
    refused: "VERDE_FORMAT_ALTERED",
  },
  "a fault without a place": {
    damage: ({ trace }) => rewrite(trace, { fault: { ...FAULT, operator: 999 } as Fault }),
    reason: /999/,
  },
  "a backend that does not exist": {
    // The reader decides what it runs on.
    damage: ({ trace }) => rewrite(trace, { backend: "nothere\u001b[2J" }),
  },
  "another fault": {
    damage: ({ trace }) => rewrite(trace, { fault: { ...FAULT, operator: 3 } as Fault }),
    reason: /gives another state after step 6/,
  },
  "no fault": {
    damage: ({ trace }) => rewrite(trace, { fault: undefined }),
    reason: /gives another state after step 6/,
  },
  "another interval": {
    damage: ({ trace }) => rewrite(trace, { commitEvery: 3 }),
    refused: "VERDE_FORMAT_MALFORMED",
  },
  "records that are promised and missing": {
    damage: ({ trace }) => rewrite(trace, { detail: "operators" }),
    refused: "VERDE_FORMAT_MALFORMED",
  },
  "no dataset": { damage: ({ data }) => rm(`${data}/dataset.safetensors`), reason: /dataset\.safetensors/ },
  "no data at all": { damage: ({ data }) => rm(data, { recursive: true }), reason: /dataset\.safetensors/ },
  "a damaged checkpoint": {
    damage: async ({ data }) => writeFile(`${data}/step-00000004.safetensors`, "x".repeat(100)),
    reason: /step-00000004\.safetensors/,
  },
  "a foreign checkpoint": {
    damage: ({ data }) => cp(`${at("foreign.data")}/step-00000004.safetensors`, `${data}/step-00000004.safetensors`),
    reason: /step-00000004\.safetensors is not the state/,
  },
  "a folder as a checkpoint": {
    damage: async ({ data }) => [await rm(`${data}/step-00000004.safetensors`), await mkdir(`${data}/step-00000004.safetensors`)], // prettier-ignore
    reason: /step-00000004\.safetensors/,
  },
};

describe("a party whose files are damaged", () => {
  it.each(Object.entries(DAMAGED))(
    "has %s: it is named, and the referee decides",
    async (_, { damage, refused, reason }) => {
      const files = await copy();
      await damage(files);
      if (refused !== undefined) {
        const refusal = (await openPartyApart(files.trace)) as Refusal;
        expect(refusal).toMatchObject({ ok: false, code: refused, message: expect.stringContaining(files.trace) });
        return;
      }
      const { decision, failure } = await dispute(files.trace);
      expect(decision).toMatchObject({ losers: [1] });
      if (reason) expect(decision.kind).toBe("forfeit");
      expect(failure ?? "").toMatch(reason ?? /^$/);
      expect(failure ?? "").not.toMatch(/\p{Cc}/u);
    },
  );

  it("may have files that have nothing to do with the run", async () => {
    const { trace, data } = await copy();
    for (const name of ["step-00000099.safetensors", "step-99999999999999999999.safetensors", "notes.txt", "step-x"])
      await writeFile(`${data}/${name}`, "stray");
    expect((await dispute(trace)).decision).toMatchObject({ kind: "scalar", losers: [1] });
    expect(await readdir(data)).toContain("notes.txt");
  });

  it("tells before the dispute whether it can be replayed, and why not", async () => {
    const files = await copy();
    await rm(`${files.data}/dataset.safetensors`);
    const party = await opened(files.trace);
    expect(await party.prepare()).toMatchObject({ ok: false, code: "VERDE_FORMAT_MISSING" });
    expect(party.failure()).toContain("dataset.safetensors");
    await party.close();
    const recorded = at("recorded.trace");
    await run(job, { out: recorded, detail: "operators" });
    await rm(at("recorded.data"), { recursive: true });
    const mute = await opened(recorded);
    expect(await mute.prepare()).toMatchObject({
      ok: true,
      canReplay: false,
      reason: expect.stringContaining("dataset"),
    });
    await mute.close();
  });

  it("can't use a backend that the caller names and that does not exist", async () => {
    const party = await opened(HONEST, { backend: "nothere" });
    expect(await party.prepare()).toMatchObject({ ok: false, code: "VERDE_USAGE_UNKNOWN" });
    await party.close();
  });

  it.skipIf(process.platform === "win32")("is refused at once if its trace is a pipe that nobody writes", async () => {
    const pipe = at("pipe.trace");
    execFileSync("mkfifo", [pipe]);
    expect(await openPartyApart(pipe)).toMatchObject({ ok: false, code: "VERDE_FORMAT_UNREADABLE" });
  });

  it("is refused for a trace with a hole of gigabytes, which takes no memory", async () => {
    const { trace } = await copy();
    await truncate(trace, 1.9e9);
    expect(await openPartyApart(trace, { memory: 400 })).toMatchObject({ ok: false, code: "VERDE_FORMAT_TRAILING" });
  });

  it("does not take the referee's memory with it", async () => {
    let refusal = await openPartyApart(HONEST, { memory: 40 });
    const party = refusal.ok ? refusal : undefined;
    // The memory is measured now and then, so a small process may answer before.
    for (let i = 0; i < 100 && refusal.ok; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const prepared = await party!.prepare();
      if (!prepared.ok) refusal = prepared;
    }
    expect(refusal).toEqual({
      ok: false,
      code: "MEMORY",
      message: "its process needs more memory than it may use",
    });
    await party?.close();
  });
});

describe("a party's process", () => {
  /** A referee in a process of its own; gives the id of its party's process. */
  async function referee(way: string) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", REFEREE, HONEST, way], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [piece] = (await once(child.stdout, "data")) as [Buffer];
    return { child, party: Number(piece.toString()) };
  }

  it.each(["wait", "blocked"])("ends when the referee is killed, even if it has blocked itself: %s", async (next) => {
    const { child, party } = await referee(next);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isAlive(party)).toBe(true);
    child.kill("SIGKILL");
    await untilGone(party);
  });

  it("does not keep a referee running that forgot to end it, and ends with it", async () => {
    const { child, party } = await referee("end");
    const [code] = child.exitCode === null ? ((await once(child, "exit")) as [number]) : [child.exitCode];
    expect(code).toBe(0);
    await untilGone(party);
  });

  it("leaves nothing open", async () => {
    const count = (): number => process.getActiveResourcesInfo().filter((name) => /Pipe|Process/.test(name)).length;
    const before = count();
    for (let i = 0; i < 3; i++) {
      const party = await opened(HONEST);
      await party.close();
      expect(isAlive(party.pid)).toBe(false);
    }
    expect(count()).toBe(before);
  });

  it("that can't be started is the referee's failure, not the party's", async () => {
    const nowhere = { entry: new URL("nowhere.ts", import.meta.url) };
    await expect(PartyProcess.start({}, nowhere)).rejects.toThrow("can't be started");
    await expect(openPartyApart(HONEST, {}, nowhere)).rejects.toThrow("can't be started");
  });
});
