/** `verde doctor`: what it says of this machine, and of one that lacks something. */
import { mkdirSync } from "node:fs";
import { Command } from "commander";
import { afterEach, expect, it, vi } from "vitest";
import { placeChecks } from "../../src/cli/doctor/places.ts";
import { clockCheck, compilerCheck, machineChecks } from "../../src/cli/doctor/machine.ts";
import { register } from "../../src/cli/doctor/doctor.ts";
import { BACKENDS } from "../../src/repops/backends/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const at = temporaryFolder();
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function doctor(...args: string[]): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((piece) => ((text += String(piece)), true));
  const program = new Command().exitOverride();
  register(program);
  await program.parseAsync(["doctor", "--progress", "off", ...args], { from: "user" });
  return text;
}

it("lists every check with what to do, for programs", async () => {
  const { schemaVersion, possible, checks } = JSON.parse(await doctor("--json")) as {
    schemaVersion: number;
    possible: boolean;
    checks: { name: string; result: string; found: string; remedy: string | null }[];
  };
  expect({ schemaVersion, possible }).toEqual({ schemaVersion: 1, possible: true });
  const names = [
    "node",
    "packages",
    "byte order",
    "cores",
    "memory",
    "state",
    "cache",
    "working directory",
    "C compiler",
  ];
  expect(checks.map(({ name }) => name)).toEqual([
    ...names,
    "clock",
    ...Object.keys(BACKENDS).map((name) => `backend ${name}`),
    "GPU",
  ]);
  for (const { name, result, found, remedy } of checks) {
    expect(found, name).toMatch(/\S/);
    expect(remedy === null, name).toBe(result === "ok");
  }
  expect(checks.find(({ name }) => name === "backend wasm")).toMatchObject({ result: "ok" });
  expect(checks.find(({ name }) => name === "backend gpujs:webgl2")).toMatchObject({ result: "warn" });
  // The processor that native code runs on is none.
  expect(checks.find(({ name }) => name === "GPU")!.found).not.toContain(" by ");
});

it("finds nothing to fail here", () => expect(machineChecks().filter(({ result }) => result === "fail")).toEqual([]));

it("says which folder can't be written to", async () => {
  vi.stubEnv("VERDE_STATE", "/dev/null/state");
  vi.stubEnv("VERDE_CACHE", at("to/be/made"));
  mkdirSync(at("to"));
  const [state, cache] = await placeChecks();
  expect(state).toMatchObject({ name: "state", result: "warn", remedy: expect.stringContaining("VERDE_STATE") });
  expect(state.found).toContain("/dev/null/state: ");
  expect(cache).toMatchObject({ name: "cache", result: "ok" });
});

it("says that a user has no home", async () => {
  for (const name of ["VERDE_STATE", "VERDE_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"]) vi.stubEnv(name, "");
  const [state, cache] = await placeChecks();
  expect(state).toMatchObject({ result: "warn", found: expect.stringContaining("no home folder") });
  expect(cache).toMatchObject({ result: "warn", found: "none: this user has no home folder" });
});

it("names the compiler, or that there is none", async () => {
  vi.stubEnv("VERDE_CC", "no-such-compiler");
  expect(await compilerCheck()).toMatchObject({ result: "warn", found: "none: there is no no-such-compiler" });
});

it("sees a clock that can't be right, and a node that does not answer", async () => {
  expect(await clockCheck("http://127.0.0.1:9")).toMatchObject({ result: "warn" });
  vi.spyOn(Date, "now").mockReturnValue(0);
  expect(await clockCheck(undefined)).toMatchObject({ result: "warn", found: expect.stringContaining("1970") });
});
