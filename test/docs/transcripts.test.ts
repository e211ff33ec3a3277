/**
 * The guides as a reader follows them: every command is run as it stands there, in its order, and prints what the
 * guide says. Times, gas that depends on the bytes of hashes, and what is random may differ; a hash or an address that
 * stands in two places has to be the same in both.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ran, readersFolder, replay } from "../../scripts/transcripts.ts";

const GUIDES = ["settle-a-task", "wrap-a-job", "port-a-backend"];
/** The port of the chain in the guides. */
const PORT = 8545;
const place = readersFolder();
const ran = new Map<string, readonly Ran[]>();

beforeAll(async () => {
  const port = await freePort();
  if (port !== PORT) place.env["VERDE_RPC"] = `http://127.0.0.1:${port}`;
  const adapt = (command: string): string =>
    command.includes("chain node") && port !== PORT ? `${command} --port ${port}` : command;
  for (const guide of GUIDES) {
    const text = readFileSync(new URL(`../../docs/guides/${guide}.md`, import.meta.url), "utf8");
    ran.set(guide, (await replay(text, place, adapt)).commands);
  }
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
    .replace(/[\d.,]+ \w+\/s\b/g, "PACE")
    .replace(/[\d.,]+ [kMG]?B\b/g, "SIZE")
    .replace(/ +/g, " ");
}

/** Exit code 1 says that runs differ, or that a backend has other bits, where the guide shows that. */
const mayDiffer = (command: string): boolean => /verde (dispute|certify)/.test(command);

describe.each(GUIDES)("the guide %s", (guide) => {
  test("is what its commands print, one after the other", () => {
    const [shown, seen] = [new Map<string, string>(), new Map<string, string>()];
    const commands = ran.get(guide)!;
    expect(commands.length).toBeGreaterThan(0);
    for (const { line, command, expected, printed, stderr, code } of commands) {
      expect(code, `line ${line}: ${command}\n${stderr}`).toBe(mayDiffer(command) ? 1 : 0);
      expect(comparable(printed, seen), `line ${line}: ${command}\n${stderr}`).toBe(comparable(expected, shown));
    }
    expect(seen.size).toBe(shown.size);
  });
});
