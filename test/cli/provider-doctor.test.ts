/** `verde provider doctor`: a machine, a chain and an account that are ready, and what is missing in others. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { privateKeyToAddress } from "viem/accounts";
import { addressOf, Settlement } from "../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const STRANGER = `0x${"7".repeat(64)}` as const;
const on = new Settlement();

beforeAll(async () => {
  await on.ok("ada", "chain", "mint", "1000");
  await on.ok("ada", "stake", "deposit", "500");
  mkdirSync(on.at("jobs"));
  mkdirSync(on.at("empty"));
  await on.ok(undefined, "job", "export", JOB, "--out", "jobs/line.verde");
});

interface Check {
  name: string;
  result: string;
  found: string;
  remedy: string | null;
}

async function doctor(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number; ready: boolean; of: (name: string) => Check | undefined }> {
  // prettier-ignore
  const { code, stdout, stderr } = await on.verde(["provider", "doctor", "--json", "--folder", "p", ...args], { ...on.environment(), ...env }); // prettier-ignore
  expect(stdout, stderr).not.toBe("");
  const { ready, checks } = JSON.parse(stdout) as { ready: boolean; checks: Check[] };
  for (const { name, result, remedy } of checks) expect(remedy === null, name).toBe(result === "ok");
  return { code, ready, of: (name) => checks.find((check) => check.name === name) };
}

it("finds a provider ready that has all it needs", async () => {
  const { code, ready, of } = await doctor(on.environment("ada"), "--jobs", "jobs", "--backend", "wasm");
  for (const name of ["node", "bits of wasm", "jobs", "disk", "deployment", "forks", "key", "gas", "stake"]) expect(of(name)?.result, name).toBe("ok"); // prettier-ignore
  expect([code, ready]).toEqual([0, true]);
  expect(of("key")?.found).toContain(addressOf("ada"));
  expect(of("stake")?.found).toBe("500 VTT of 500 VTT are free");
  expect(of("jobs")?.found).toBe("1 in jobs can be run here");
  // A chain whose clock was moved is ahead of this machine's.
  await on.skip("1h");
  expect((await doctor(on.environment("ada"), "--jobs", "jobs")).of("clock")).toMatchObject({ result: "warn", found: expect.stringMatching(/\d+ s ahead/) }); // prettier-ignore
});

it("says of each thing that is missing what to do", async () => {
  writeFileSync(on.at("empty/broken.verde"), "no job");
  const poor = await doctor({ VERDE_PRIVATE_KEY: STRANGER }, "--jobs", "empty", "--backend", "nothing");
  expect([poor.code, poor.ready]).toEqual([3, false]);
  expect(poor.of("bits of nothing")).toMatchObject({ result: "fail" });
  expect(poor.of("jobs")).toMatchObject({ result: "fail", found: "0 in empty can be run here" });
  expect(poor.of("gas")).toMatchObject({ result: "fail", remedy: expect.stringContaining(privateKeyToAddress(STRANGER)) }); // prettier-ignore
  expect(poor.of("stake")).toMatchObject({ result: "fail", remedy: expect.stringContaining("verde stake deposit") });
  // Less than a bond is lost in a game without a move.
  await on.ask("hardhat_setBalance", [privateKeyToAddress(STRANGER), "0x16345785d8a0000"]);
  expect((await doctor({ VERDE_PRIVATE_KEY: STRANGER })).of("gas")).toMatchObject({ result: "fail", found: expect.stringContaining("a bond of 0.132 ETH") }); // prettier-ignore
  const away = await doctor({ VERDE_RPC: "http://127.0.0.1:9" }, "--jobs", "none");
  expect(away.code).toBe(3);
  expect(away.of("deployment")).toMatchObject({ result: "fail", found: expect.stringContaining("no chain answers") });
  expect(away.of("key")).toMatchObject({ result: "fail", remedy: expect.stringContaining("--keystore") });
  expect(away.of("jobs")).toMatchObject({ result: "fail", remedy: expect.stringContaining("--jobs") });
});
