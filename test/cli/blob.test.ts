/** `verde blob`, and the blobs that `verde prove` and `verde serve` offer of a trace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { serveProver } from "../../src/services/prover.ts";
import { openTrace, run } from "../../src/trace/index.ts";
import { bytesOf } from "../blobs/bytes.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { Commands } from "../fixtures/commands.ts";
import { cliEnvironment, type Ended, MAIN } from "../fixtures/verde.ts";

const path = temporaryFolder();
const commands = new Commands(path("."));
const verde = (args: readonly string[]): Promise<Ended> => commands.run(args, cliEnvironment(path(".")));
const closing: (() => unknown)[] = [() => commands.close()];
afterAll(() => Promise.all(closing.map((close) => close())));

async function json(...args: string[]): Promise<Record<string, any>> {
  const { code, stdout, stderr } = await verde([...args, "--json"]);
  expect(code, `${args.join(" ")}\n${stderr}`).toBe(0);
  return JSON.parse(stdout);
}

/** Starts a server, and returns what it says first. */
async function start(...args: string[]): Promise<Record<string, any>> {
  const command = ["--disable-warning=ExperimentalWarning", MAIN, ...args, "--json"];
  const child = spawn(process.execPath, command, { cwd: path("."), env: cliEnvironment(path(".")), stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
  closing.push(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return JSON.parse(line);
}

const CHECKPOINT = "a.data/step-00000004.safetensors";
let root = "";
beforeAll(async () => {
  await run(regression({ steps: 4 }), { out: path("a.trace") });
  root = toHex((await (await openTrace(path("a.trace"))).rootOf(4))!);
});

describe("verde blob", () => {
  let id = "";
  test("stores files, and says the root of their tensors, which is that of the trace", async () => {
    const { store, blobs } = await json("blob", "put", CHECKPOINT, "a.trace");
    expect(store).toBe(path("state-of-verde/blobs"));
    expect(blobs).toMatchObject([
      { file: CHECKPOINT, tensors: root },
      { file: "a.trace", tensors: null },
    ]);
    id = blobs[0].id;
    expect((await json("blob", "ls")).blobs.map((one: { id: string }) => one.id).sort()).toEqual(blobs.map((one: { id: string }) => one.id).sort()); // prettier-ignore
    await json("blob", "get", id, "--out", "copy", "--tensors", root);
    expect(readFileSync(path("copy"))).toEqual(readFileSync(path(CHECKPOINT)));
  });

  test("fetches what a trace's server offers, chunk by chunk against the trace's root", async () => {
    const prover = await serveProver({ trace: path("a.trace"), host: "127.0.0.1", port: 0 });
    closing.push(() => prover.close());
    const page = await start("serve", "a.trace", "--port", "0");
    for (const [name, url] of [
      ["prove", prover.url],
      ["serve", page.url as string],
    ] as const) {
      await json("blob", "get", id, "--from", url, "--tensors", root, "--out", `from-${name}`);
      expect(readFileSync(path(`from-${name}`))).toEqual(readFileSync(path(CHECKPOINT)));
      expect((await json("blob", "ls", "--store", url)).blobs.length).toBeGreaterThanOrEqual(3);
    }
    const other = await verde(["blob", "get", id, "--from", prover.url, "--tensors", `0x${"12".repeat(32)}`, "--out", "none"]); // prettier-ignore
    expect([other.code, existsSync(path("none"))]).toEqual([2, false]);
    expect(other.stderr).toContain("do not lead to the root");
  });

  test("serves a folder, takes blobs over HTTP, and tries places in turn", async () => {
    const server = await start("blob", "serve", "--store", "shelf", "--listen", "127.0.0.1:0");
    expect(server).toMatchObject({ store: "shelf", writable: true });
    writeFileSync(path("big"), bytesOf(1, 9_000_000));
    const { blobs } = await json("blob", "put", "big", "--store", server.url);
    const big = blobs[0].id as string;
    // A copy with a wrong byte, under the right name.
    await json("blob", "put", "big", "--store", "liar");
    const digits = big.slice("sha256:".length);
    const wrong = bytesOf(1, 9_000_000);
    wrong[5_000_000] ^= 1;
    writeFileSync(path(`liar/sha256/${digits.slice(0, 2)}/${digits}`), wrong);
    const got = await json("blob", "get", big, "--from", "empty", "--from", "liar", "--from", server.url, "--out", "big-again"); // prettier-ignore
    expect(got.troubles).toEqual([`liar sent bytes that are not ${big}`]);
    expect(readFileSync(path("big-again"))).toEqual(readFileSync(path("big")));
    expect((await json("blob", "rm", big, "--store", "shelf")).deleted).toBe(big);
    expect((await verde(["blob", "rm", big, "--store", "shelf"])).stderr).toContain("VERDE_FORMAT_MISSING");
  });

  test.skipIf(process.platform === "win32")("loses nothing when the disk is full, and continues", async () => {
    copyFileSync(path("big"), path("large"));
    const script = `ulimit -f 4096; trap '' XFSZ; exec "$@"`;
    const command = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN, "blob", "put", "large", "--store", "full"]; // prettier-ignore
    const child = spawn("/bin/bash", ["-c", script, "bash", ...command], { cwd: path("."), env: cliEnvironment(path(".")), stdio: ["ignore", "ignore", "pipe"] }); // prettier-ignore
    let said = "";
    child.stderr.on("data", (piece) => (said += String(piece)));
    const [code] = (await once(child, "close")) as [number];
    expect([code, said]).toEqual([3, expect.stringContaining("VERDE_FILE_FULL")]);
    const { id: digest } = (await json("blob", "put", "large", "--store", "elsewhere")).blobs[0];
    const part = path(`full/part/${digest.slice("sha256:".length)}`);
    expect(statSync(part).size).toBe(4096 * 1024);
    await json("blob", "put", "large", "--store", "full");
    expect((await json("blob", "ls", "--store", "full")).blobs).toEqual([{ id: digest, size: 9_000_000 }]);
    expect(existsSync(part)).toBe(false);
  });

  test("says what it can't do", async () => {
    for (const [args, words] of [
      [["blob", "get", "sha256:12", "--out", "x"], "is no name of a blob"],
      [["blob", "get", id, "--out", "copy"], "copy exists"],
      [["blob", "get", id, "--out", "x", "--tensors", "12"], "is no root"],
      [["blob", "get", `${"0".repeat(64)}`, "--out", "x"], "none of the places has it"],
      [["blob", "ls", "--store", "s3://"], "is no bucket"],
      [["blob", "serve", "--listen", "nowhere"], "--listen"],
      [["blob", "serve", "--quota", "much"], "is no number of bytes"],
      [["blob", "rm", id, "--store", "http://127.0.0.1:9"], "is a server"],
    ] as const) {
      const { code, stderr } = await verde(args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
    }
  });
});
