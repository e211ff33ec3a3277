/**
 * The guides as a reader follows them: every command is run as it stands there, in its order, and prints what the
 * guide says. Times, gas that depends on the bytes of hashes, and what is random may differ; a hash or an address that
 * stands in two places has to be the same in both.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ran, readersFolder, replay } from "../../scripts/transcripts.ts";

const DOCUMENT = new URL("../../docs/guides/settle-a-task.md", import.meta.url);
const PORT = 8545;
const place = readersFolder();
let commands: readonly Ran[] = [];

beforeAll(async () => {
  const port = await freePort();
  if (port !== PORT) place.env["VERDE_RPC"] = `http://127.0.0.1:${port}`;
  const adapt = (command: string): string =>
    command.includes("chain node") && port !== PORT ? `${command} --port ${port}` : command;
  ({ commands } = await replay(readFileSync(DOCUMENT, "utf8"), place, adapt));
}, 900_000);
afterAll(() => place.remove());

/** The port of the guide if nobody uses it here, or another one. */
async function freePort(): Promise<number> {
  for (const port of [PORT, 0]) {
    const server = createServer();
    const found = await new Promise<number | undefined>((resolve) => {
      server.once("error", () => resolve(undefined));
      server.listen(port, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
    await new Promise((resolve) => server.close(resolve));
    if (found !== undefined) return found;
  }
  throw new Error("no port is free");
}

/** What a command prints, without what differs from run to run. Hashes and addresses are numbered as they appear. */
function comparable(text: string, numbers: Map<string, string>): string {
  return text
    .replace(/0x(?:[0-9a-f]{64}|[0-9a-fA-F]{40})\b/g, (hex) => {
      if (!numbers.has(hex)) numbers.set(hex, `#${numbers.size}`);
      return numbers.get(hex)!;
    })
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "TIME")
    .replace(/[\d.]+ (?:ms|s|min|h|d)\b/g, "DURATION")
    .replace(/127\.0\.0\.1:\d+/g, "NODE")
    .replace(/[\d,]+ gas/g, "GAS")
    .replace(/ +/g, " ");
}

describe("the guide to settling a task", () => {
  test("has its commands", () => expect(commands.length).toBeGreaterThan(25));

  test("is what its commands print, one after the other", () => {
    const [shown, seen] = [new Map<string, string>(), new Map<string, string>()];
    for (const { line, command, expected, printed, stderr, code } of commands) {
      // 1: the runs that are compared differ, as the guide says.
      expect(code, `line ${line}: ${command}\n${stderr}`).toBeLessThan(command.includes("dispute") ? 2 : 1);
      expect(comparable(printed, seen), `line ${line}: ${command}\n${stderr}`).toBe(comparable(expected, shown));
    }
    expect(seen.size).toBe(shown.size);
  });
});
