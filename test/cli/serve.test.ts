/** `verde serve` as a process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

// A machine of continuous integration: no colours go into a pipe for that.
const env = { ...process.env, CI: "true", FORCE_COLOR: "" };
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const path = temporaryFolder();

beforeAll(async () => {
  await run(regression({ steps: 2 }), { out: path("a.trace") });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command until it ends; `whenReady` hears of its first line, and may end it. */
async function serve(args: string[], whenReady?: (line: string, end: () => void) => void): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, "serve", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  child.stdout.on("data", (part: Buffer) => {
    const first = stdout === "";
    stdout += part.toString();
    if (first) whenReady?.(stdout, () => child.kill("SIGTERM"));
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("verde serve", () => {
  test("serves the trace at the address that it prints, until it is ended", async () => {
    let listing: unknown;
    let inUse: Promise<Ended> | undefined;
    const { code, stderr } = await serve([path("a.trace"), "--port", "0", "--json"], (line, end) => {
      const { schemaVersion, url, trace } = JSON.parse(line);
      expect([schemaVersion, trace]).toEqual([1, path("a.trace")]);
      inUse = serve(["--port", new URL(url).port, "--json"]);
      const asked = Promise.all([fetch(`${url}trace`).then((response) => response.json()), inUse]);
      asked.then(([found]) => (listing = found)).finally(end);
    });
    expect(listing).toMatchObject({ path: "a.trace" });
    expect([code, stderr]).toEqual([0, ""]);
    const second = await inUse;
    expect(second?.code).toBe(3);
    expect(JSON.parse(second?.stdout ?? "")).toMatchObject({ error: { code: "VERDE_BACKEND_PORT" } });
    expect(second?.stderr).toContain("it is in use; choose another port, or 0 for any free one");
  });

  test("tells people where the page is", async () => {
    const { code, stdout } = await serve(["--port", "0"], (_, end) => end());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The page is at http:\/\/127\.0\.0\.1:\d+\/\nCtrl-C ends it\.\n$/);
  });

  test("refuses what it can't serve with code 2", async () => {
    for (const [args, sentence] of [
      [[path("nowhere.trace")], "can't be read"],
      [[path("a.data")], "is not a file"],
      [["--port", "many"], "--port many is not a port"],
      [["--port", "65536"], "--port 65536 is not a port"],
    ] as const) {
      const { code, stderr } = await serve([...args]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    }
  });
});
