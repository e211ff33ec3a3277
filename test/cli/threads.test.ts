/** On how many threads a command computes: what is refused, and that the run is the same. */
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { setThreads, threads } from "../../src/repops/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { verdeIn } from "../fixtures/verde.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const at = temporaryFolder();
const verde = verdeIn(at("."));

test("the option and the variable give equal runs, and other values are refused", async () => {
  const roots = new Set<unknown>();
  for (const [more, env] of [
    [["--threads", "1"], {}],
    [["--threads", "3"], { VERDE_THREADS: "2" }],
    [[], { VERDE_THREADS: "2" }],
  ] as const) {
    const { code, stdout } = await verde(["run", JOB, "--json", ...more], env);
    expect(code).toBe(0);
    roots.add((JSON.parse(stdout.trim().split("\n").at(-1)!) as { claim: string }).claim);
  }
  expect(roots.size).toBe(1);
  for (const wrong of ["0", "257", "two", "1.5", "-1", ""])
    for (const refused of [
      verde(["run", JOB, "--threads", wrong]),
      ...(wrong === "" ? [] : [verde(["run", JOB], { VERDE_THREADS: wrong })]),
    ]) {
      const { code, stderr } = await refused;
      expect([wrong, code]).toEqual([wrong, 2]);
      expect(stderr).toMatch(/threads.*whole number from 1 to 256.*\(VERDE_USAGE_VALUE\)/is);
    }
});

afterEach(() => setThreads(undefined));

test("a program sets them for sessions that it opens", () => {
  expect(threads()).toBeGreaterThanOrEqual(1);
  setThreads(5);
  expect(threads()).toBe(5);
  for (const wrong of [0, 257, 1.5, Number.NaN, "2" as unknown as number])
    expect(() => setThreads(wrong)).toThrow(/threads are not possible; take a whole number from 1 to 256/);
  expect(threads()).toBe(5);
});
