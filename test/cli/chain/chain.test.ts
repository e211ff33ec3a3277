/** A local chain, the deployment on it, and what is said when either is not what a command needs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { addressOf, keyOf, Settlement } from "../../fixtures/settlement.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const on = new Settlement();
const MEMBERS = `${addressOf("referee1")},${addressOf("referee2")}`;

/** A node that answers every request in the same way, and some methods with a result. */
async function answering(
  answer: object,
  results: Record<string, string> = {},
): Promise<{ port: number; close(): void }> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += String(part);
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const result = results[method];
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...(result === undefined ? answer : { result }) }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe("verde chain node", () => {
  it("serves a chain to this machine, with keystores of its funded accounts, until it is told to stop", async () => {
    const env = { ...process.env, VERDE_PASSWORD: "local", NO_COLOR: "1" };
    const args = [
      "--disable-warning=ExperimentalWarning",
      MAIN,
      "chain",
      "node",
      "--port",
      "0",
      "--keys",
      "keys",
      "--json",
    ];
    const node = spawn(process.execPath, args, { cwd: on.at("."), env });
    const told = await new Promise<string>((resolve) =>
      node.stdout.once("data", (data: Buffer) => resolve(data.toString())),
    );
    const { url, chainId, accounts, keystores } = JSON.parse(told) as Record<string, string[]> & { url: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(chainId).toBe(31_337);
    expect(accounts).toContain(addressOf("client"));
    const shown = await on.verde(["key", "show", keystores[1], "--check"], { VERDE_PASSWORD: "local" });
    expect(shown.stdout).toContain(addressOf("client"));
    const busy = await on.verde(["chain", "node", "--port", new URL(url).port], {});
    expect([busy.code, busy.stderr]).toEqual([3, expect.stringContaining("choose another one with --port")]);
    node.kill("SIGTERM");
    expect(await new Promise((resolve) => node.once("exit", resolve))).toBe(0);
  });
});

describe("verde chain deploy", () => {
  it("writes where the contracts are, and never over another deployment", async () => {
    const before = readFileSync(on.at("deployment.json"), "utf8");
    expect(JSON.parse(before)).toMatchObject({ schemaVersion: 2, chainId: 31_337, block: 1 });
    await on.fails(2, "deployment.json exists", "owner", "chain", "deploy", "--committee", MEMBERS);
    expect(readFileSync(on.at("deployment.json"), "utf8")).toBe(before);
  });

  it("deploys over a token that exists, and signs nothing in a dry run", async () => {
    const { token } = JSON.parse(readFileSync(on.at("deployment.json"), "utf8")) as { token: string };
    const sent = await on.sentBy("owner");
    const deploy = ["chain", "deploy", "--committee", MEMBERS, "--token", token, "--out", "other.json"];
    const planned = await on.json("owner", ...deploy, "--dry-run");
    expect(planned).toMatchObject({ dryRun: true, threshold: 2, build: "osaka", abilities: { codeBytes: 24_576 } });
    expect(await on.sentBy("owner")).toBe(sent);
    const bond = ["--gas-bond", "0.25"];
    const shown = await on.ok("owner", ...deploy, "--dry-run", ...bond);
    expect(shown).toContain("0.25 ETH from each player");
    expect(shown).toMatch(/transactions of up to 16,777,216 gas, 40 gas for a byte .*\n.* osaka: the chain has CLZ/);
    await on.fails(2, "is not an amount", "owner", ...deploy, "--gas-bond", "much");
    const gasBond = String(10n ** 18n / 4n);
    expect(await on.json("owner", ...deploy, ...bond)).toMatchObject({
      token,
      file: "other.json",
      gasBond,
      build: "osaka",
    });
    // The manager, the committee, the judge, the game, the exchange, two about seats, and the canaries.
    expect(await on.sentBy("owner")).toBe(sent + 8);
  });

  it("refuses committees that could not be", async () => {
    const deploy = (...args: string[]): string[] => ["chain", "deploy", "--out", "no.json", ...args];
    await on.fails(2, "is not an address", "owner", ...deploy("--committee", "ada,ben"));
    await on.fails(2, "names a member twice", "owner", ...deploy("--committee", `${MEMBERS},${addressOf("referee1")}`));
    await on.fails(
      2,
      "--threshold 3 is impossible for a committee of 2",
      "owner",
      ...deploy("--committee", MEMBERS, "--threshold", "3"),
    );
    const wrong = addressOf("owner").replace("f39F", "F39f");
    await on.fails(2, "with the right checksum", "owner", ...deploy("--committee", wrong));
  });
});

describe("a command says what is missing", () => {
  it("when nobody answers, or somebody else does", async () => {
    await on.fails(3, "no chain answers at", undefined, "task", "list", "--rpc", "http://127.0.0.1:9");
    await on.fails(3, "begins with http", undefined, "task", "list", "--rpc", "nowhere");
    const { port, close } = await answering({ result: "0x1" });
    await on.fails(3, "serves chain 1", undefined, "task", "list", "--rpc", `http://127.0.0.1:${port}`);
    close();
  });

  it("when the deployment is missing, malformed, or not on the chain", async () => {
    await on.fails(2, "`verde chain deploy`", undefined, "task", "list", "--deployment", "none.json");
    const sound = JSON.parse(readFileSync(on.at("deployment.json"), "utf8")) as object;
    const broken: [object | string, string][] = [
      ["hello", "is not JSON"],
      [{}, "it has no schema version"],
      [{ ...sound, chainId: "1" }, "its chainId is not a number"],
      [{ ...sound, manager: "0x12" }, "its manager is not an address"],
      [{ ...sound, gasBond: "0.1" }, "its gasBond is not a number of wei"],
      [{ ...sound, build: "paris" }, "its build is neither osaka nor portable"],
      [{ ...sound, decimals: 1.5 }, "its decimals are not a number from 0 to 255"],
      [{ ...sound, codes: { manager: "0x12" } }, "the code of its manager is not a hash"],
    ];
    for (const [content, words] of broken) {
      writeFileSync(on.at("broken.json"), typeof content === "string" ? content : JSON.stringify(content));
      await on.fails(2, words, undefined, "task", "list", "--deployment", "broken.json");
    }
    writeFileSync(on.at("gone.json"), JSON.stringify({ ...sound, manager: addressOf("poor") }));
    await on.fails(
      3,
      "If the chain was restarted, deploy again",
      undefined,
      "task",
      "list",
      "--deployment",
      "gone.json",
    );
  });

  it("when there is no key, a malformed one, a wrong password, or no gas", async () => {
    await on.fails(2, "there is no key to sign with", undefined, "chain", "mint", "1");
    await on.fails(2, "can't be read", undefined, "chain", "mint", "1", "--keystore", "none.json");
    const env = { VERDE_RPC: on.url, VERDE_PASSWORD: "wrong" };
    const wrong = await on.verde(["chain", "mint", "1", "--keystore", "keys/1.json"], env);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("the password does not open keys/1.json")]);
    const fresh = await on.verde(["chain", "mint", "1"], {
      VERDE_RPC: on.url,
      VERDE_PRIVATE_KEY: `0x${"77".repeat(32)}`,
    });
    expect([fresh.code, fresh.stderr]).toEqual([3, expect.stringContaining("has too little of the chain's currency")]);
    const cut = await on.verde(["chain", "mint", "1", "--json"], {
      VERDE_PRIVATE_KEY: keyOf("ada").slice(0, 60),
      VERDE_RPC: on.url,
    });
    expect(cut.code).toBe(2);
    expect(cut.stdout + cut.stderr).not.toContain(keyOf("ada").slice(2, 20));
  });

  it("when a chain's clock is not anybody's to move", async () => {
    const { port, close } = await answering(
      { error: { code: -32601, message: "no such method" } },
      { eth_chainId: "0x1" },
    );
    await on.fails(
      3,
      "only development chains allow it",
      undefined,
      "chain",
      "skip",
      "1d",
      "--rpc",
      `http://127.0.0.1:${port}`,
    );
    close();
    await on.fails(2, "is not a length of time", undefined, "chain", "skip", "soon");
  });
});
