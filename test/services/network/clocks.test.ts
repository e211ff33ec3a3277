/** A network of machines whose clocks are wrong by ten minutes, each in another way. It takes libfaketime. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { Daemons, PATIENCE } from "../../fixtures/daemons.ts";
import { type Person, Settlement } from "../../fixtures/settlement.ts";

vi.setConfig({ testTimeout: 2 * PATIENCE, hookTimeout: PATIENCE });
const JOB = fileURLToPath(new URL("../../fixtures/line.ts", import.meta.url));
const LIBRARY = ["x86_64", "aarch64"]
  .map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketime.so.1`)
  .find(existsSync);
if (LIBRARY === undefined) console.warn("skipped: libfaketime is missing (Debian's package faketime)");

/** A process whose clock is so many seconds ahead. What it measures in between is right. */
const ahead = (seconds: number): Record<string, string> => ({
  LD_PRELOAD: LIBRARY!,
  FAKETIME: `${seconds < 0 ? "" : "+"}${seconds}s`,
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
});
const AHEAD: readonly (readonly [Person, number])[] = [
  ["ada", 600],
  ["ben", -600],
  ["cleo", -300],
  ["referee1", -600],
  ["referee2", 300],
];

describe.runIf(LIBRARY !== undefined)("with clocks that are ten minutes off", () => {
  const on = new Settlement();
  let network = "";
  const daemons = new Daemons(on, () => network);
  let close: () => Promise<void>;
  beforeAll(async () => {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    [network, close] = [hub.url, () => hub.close()];
    for (const person of ["client", "ada", "ben", "cleo"] as const) await on.ok(person, "chain", "mint", "1000");
    for (const person of ["ada", "ben", "cleo"] as const) await on.ok(person, "stake", "deposit", "500");
    mkdirSync(on.at("jobs"));
    await on.ok(undefined, "job", "export", JOB, "--out", "jobs/line.verde");
  });
  afterAll(() => close());

  it("the clock of a process is what the test says", () => {
    const env = { ...process.env, ...ahead(-600) };
    const { stdout } = spawnSync(process.execPath, ["-p", "Date.now()"], { env, encoding: "utf8" });
    expect(Math.abs(Number(stdout) / 1000 + 600 - Date.now() / 1000)).toBeLessThan(60);
  });

  it("providers are found and drawn, a cheat is ruled against, and the honest are paid", async () => {
    for (const [person, seconds] of AHEAD) daemons.setClock(person, ahead(seconds));
    daemons.provider("ada");
    daemons.provider("ben", "--fault", "flip:step=7,operator=20,element=0,bit=12");
    daemons.provider("cleo");
    for (const person of ["referee1", "referee2"] as const) daemons.referee(person);
    await daemons.heard(/is on http/, 5);
    const args = ["client", "submit", "jobs/line.verde", "--providers", "3", "--reward", "10", "--network", network, "--nkey", on.at("client.nkey"), "--offers-for", "20s", "--json"]; // prettier-ignore
    const { code, stdout, stderr } = await on.verde(args, { ...on.environment("client"), ...ahead(600) });
    expect(code, stderr + daemons.said).toBe(0);
    const { task } = JSON.parse(stdout.trim().split("\n")[1]) as { task: string };
    await daemons.until(task, "Challengeable");
    expect(daemons.said).toMatch(/referee[12]: .*signed that 0x/);
    await on.skip("1d1m");
    await daemons.until(task, "Final");
    expect((await on.account("ben")).active, daemons.said).toBe(400);
    for (const person of ["ada", "cleo"] as const) await daemons.hasMoreThan(person, 510);
  });
});
