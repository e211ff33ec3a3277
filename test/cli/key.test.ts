/** Keys from files, the environment and the terminal; none is ever shown. */
import { PassThrough } from "node:stream";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { afterEach, describe, expect, it, vi } from "vitest";
import { askPassword, signerOf } from "../../src/cli/account.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { verdeIn } from "../fixtures/verde.ts";

const at = temporaryFolder();
const verde = verdeIn(at("."));
const KEY = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const ADDRESS = privateKeyToAddress(KEY);

describe("verde key", () => {
  it("makes, shows and checks a keystore that only its owner can read", async () => {
    const env = { VERDE_PASSWORD: "correct horse" };
    const made = await verde(["key", "new", "keys/a.json", "--json"], env);
    expect(made.code).toBe(0);
    const { address } = JSON.parse(made.stdout) as { address: string };
    expect(statSync(at("keys/a.json")).mode & 0o777).toBe(0o600);
    expect((await verde(["key", "show", "keys/a.json"], {})).stdout).toBe(`${address}  keys/a.json\n`);
    writeFileSync(at("password"), "correct horse\n");
    const checked = await verde(["key", "show", "keys/a.json", "--check", "--password-file", "password", "--json"], {});
    expect(JSON.parse(checked.stdout)).toEqual({ schemaVersion: 1, file: "keys/a.json", address, checked: true });

    const before = readFileSync(at("keys/a.json"), "utf8");
    const again = await verde(["key", "new", "keys/a.json"], env);
    expect([again.code, again.stderr]).toEqual([
      2,
      "verde: keys/a.json exists; choose another name (VERDE_USAGE_EXISTS)\n",
    ]);
    expect(readFileSync(at("keys/a.json"), "utf8")).toBe(before);
  });

  it("imports a key of the environment, and never shows it", async () => {
    const made = await verde(["key", "import", "b.json"], { VERDE_PRIVATE_KEY: KEY, VERDE_PASSWORD: "p" });
    expect(made.stdout).toContain(ADDRESS);
    const wrong = await verde(["key", "show", "b.json", "--check"], { VERDE_PASSWORD: "guess" });
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toBe(
      "verde: the password does not open b.json; give the password that it was made with (VERDE_KEY_PASSWORD_WRONG)\n",
    );
    const short = await verde(["key", "import", "c.json", "--json"], {
      VERDE_PRIVATE_KEY: KEY.slice(0, 40),
      VERDE_PASSWORD: "p",
    });
    expect(short.code).toBe(2);
    expect(JSON.parse(short.stdout)).toMatchObject({ error: { code: "VERDE_KEY_MALFORMED" } });
    for (const { stdout, stderr } of [made, wrong, short]) expect(stdout + stderr).not.toContain(KEY.slice(2, 30));
  });

  it("wants a key to import, and a password that is not empty", async () => {
    expect((await verde(["key", "import", "d.json"], { VERDE_PASSWORD: "p" })).stderr).toContain(
      "VERDE_PRIVATE_KEY is not set",
    );
    expect((await verde(["key", "new", "d.json"], { VERDE_PASSWORD: "" })).stderr).toContain("the password is empty");
    expect((await verde(["key", "new", "d.json"], {})).stderr).toContain("set VERDE_PASSWORD");
  });

  it("does not believe the address that a file names", async () => {
    const [a, b] = ["keys/a.json", "b.json"].map((name) => JSON.parse(readFileSync(at(name), "utf8")) as object);
    writeFileSync(at("swapped.json"), JSON.stringify({ ...b, address: (a as { address: string }).address }));
    const shown = await verde(["key", "show", "swapped.json", "--check"], { VERDE_PASSWORD: "p" });
    expect([shown.code, shown.stderr]).toEqual([2, expect.stringContaining(`but it holds the key of ${ADDRESS}`)]);
  });
});

describe("the key that signs", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is the one of the flag, then of VERDE_KEYSTORE, then of VERDE_PRIVATE_KEY", async () => {
    for (const name of ["VERDE_KEYSTORE", "VERDE_PRIVATE_KEY"]) vi.stubEnv(name, "");
    await expect(signerOf({})).rejects.toThrow("there is no key to sign with");
    const other = `0x${"11".repeat(32)}`;
    vi.stubEnv("VERDE_PRIVATE_KEY", other);
    expect((await signerOf({})).address).toBe(privateKeyToAddress(other as Hex));
    vi.stubEnv("VERDE_PASSWORD", "p");
    expect((await signerOf({ keystore: at("b.json") })).address).toBe(ADDRESS);
    vi.stubEnv("VERDE_KEYSTORE", at("b.json"));
    expect((await signerOf({})).address).toBe(ADDRESS);
    await expect(signerOf({ keystore: at("none.json") })).rejects.toThrow(/the keystore .*none\.json can't be read/);
  });
});

describe("the question for a password", () => {
  it("takes a line and shows nothing of it", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = askPassword("Password: ", input, output);
    input.write("sec");
    input.write("rex\x7ft\r");
    expect(await answer).toBe("secret");
    expect((output.read() as Buffer).toString()).toBe("Password: \n");
  });

  it("ends without an answer when the input does", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = askPassword("Password: ", input, output);
    input.end();
    await expect(answer).rejects.toThrow("no password was given");
  });
});
