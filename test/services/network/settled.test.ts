/** A job on a network: providers offer, some are drawn, one cheats, referees ask and sign, and the chain pays. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { Daemons, PATIENCE } from "../../fixtures/daemons.ts";
import { hasNats, startNats } from "../../fixtures/nats.ts";
import { addressOf, type Person, Settlement } from "../../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../../fixtures/line.ts", import.meta.url));
vi.setConfig({ testTimeout: 2 * PATIENCE, hookTimeout: PATIENCE });
const on = new Settlement();
let network = "";
const daemons = new Daemons(on, () => network);
let close: () => Promise<void>;
const PROVIDERS = ["ada", "ben", "cleo"] as const;

beforeAll(async () => {
  if (hasNats) {
    const server = await startNats();
    [network, close] = [server.url, () => server.close()];
  } else {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    [network, close] = [hub.url, () => hub.close()];
  }
  for (const person of ["client", ...PROVIDERS] as const) await on.ok(person, "chain", "mint", "1000");
  for (const person of PROVIDERS) await on.ok(person, "stake", "deposit", "500");
  mkdirSync(on.at("jobs"));
  await on.ok(undefined, "job", "export", JOB, "--out", "jobs/line.verde");
});
afterAll(() => close());

/** Submits the job, and waits longer for offers where a busy machine has had too few. */
async function submit(...options: string[]): Promise<{ task: string; drawn: string[] }> {
  const places = ["--network", network, "--nkey", on.at("client.nkey")];
  for (let seconds = 6; ; seconds *= 3) {
    const { code, stdout, stderr } = await on.as("client", "client", "submit", "jobs/line.verde", "--reward", "10", ...places, "--offers-for", `${seconds}s`, "--json", ...options); // prettier-ignore
    if (code === 3 && stderr.includes("VERDE_TRANSPORT_OFFERS") && seconds < 300) continue;
    expect(code, stderr + daemons.said).toBe(0);
    const [drawn, posted] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { task: posted.task as string, drawn: drawn.drawn as string[] };
  }
}

/** The seed of the processes that are killed. */
const SEED = 20261129;
const KILLS = 4;
const FAULT = ["--fault", "flip:step=7,operator=20,element=0,bit=12"];
const STARTS: readonly (readonly [Person, () => void])[] = [
  ["ada", () => daemons.provider("ada")],
  ["ben", () => daemons.provider("ben", ...FAULT)],
  ["cleo", () => daemons.provider("cleo", "--operator", addressOf("ada"))],
  ["referee1", () => daemons.referee("referee1")],
  ["referee2", () => daemons.referee("referee2")],
];

it("three offer, one of them cheats, and loses its stake by the referees' ruling, whoever is killed meanwhile", async () => {
  for (const [, start] of STARTS) start();
  await daemons.heard(/is on nats|is on http/, 5);
  const listed = await on.json(undefined, "client", "providers", "--network", network, "--nkey", on.at("client.nkey"));
  expect((listed.providers as { owner: string }[]).map(({ owner }) => owner).sort()).toEqual(PROVIDERS.map(addressOf).sort()); // prettier-ignore
  const { task, drawn } = await submit("--providers", "3", "--together");
  expect(drawn).toHaveLength(3);
  let random = SEED;
  let kills = 0;
  await daemons.until(task, "Challengeable", async () => {
    if (kills++ >= KILLS) return;
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const [person, again] = STARTS[random % STARTS.length];
    await daemons.kill(person);
    again();
  });
  expect(daemons.said, `seed ${SEED}`).toMatch(/referee[12]: .*signed that 0x/);
  await on.skip("1d1m");
  await daemons.until(task, "Final");
  expect((await on.account("ben")).active, daemons.said).toBe(400);
  for (const person of ["ada", "cleo"] as const) await daemons.hasMoreThan(person, 510);
});

it("who was not drawn does not take the seat of one who was", async () => {
  const { task, drawn } = await submit("--providers", "2");
  // Of ada and cleo, who have one operator, exactly one is drawn; so ben is.
  expect(drawn).toContain(addressOf("ben"));
  // The third provider says why it takes no seat only if it looks before the others have taken theirs.
  await daemons.until(task, "Challengeable");
  const { seats } = await on.json(undefined, "task", "show", task);
  expect((seats as { owner: string }[]).map(({ owner }) => owner).sort()).toEqual([...drawn].sort());
});
