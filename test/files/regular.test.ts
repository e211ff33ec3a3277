/** Files that users name: what is no file is refused at once. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stateFolder, userFolder } from "../../src/files/places.ts";
import { expectRegular, readRegular, readRegularText } from "../../src/files/regular.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const at = temporaryFolder();

describe.skipIf(process.platform === "win32")("what is no file", () => {
  execFileSync("mkfifo", [at("pipe")]);
  mkdirSync(at("folder"));

  it.each([at("pipe"), at("folder"), "/dev/zero", "/dev/null", "/dev/tty"])(
    "%s is refused, and not waited for",
    async (path) => {
      await expect(readRegular(path)).rejects.toThrow();
      await expect(readRegular(path, { pipes: true })).rejects.toThrow();
      await expect(expectRegular(path)).rejects.toThrow();
    },
  );

  it("a pipe that the shell has opened is read where pipes are wanted", async () => {
    const code = `import { readRegularText } from ${JSON.stringify(new URL("../../src/files/regular.ts", import.meta.url))};
      const read = (options) => readRegularText("/dev/stdin", options).catch((error) => error.message);
      console.log(await read({}), await read({ pipes: true }));`;
    writeFileSync(at("read.ts"), code);
    const child = spawn("/bin/sh", ["-c", `echo secret | "$0" "$1"`, process.execPath, at("read.ts")]);
    let said = "";
    for await (const piece of child.stdout) said += String(piece);
    expect(said).toBe("it is a folder, a pipe or a device, and not a file secret\n\n");
  });
});

it("a file is read as a whole, within bounds", async () => {
  writeFileSync(at("a.txt"), "naïve");
  expect(await readRegularText(at("a.txt"))).toBe("naïve");
  await expect(readRegular(at("missing"))).rejects.toThrow("ENOENT");
  writeFileSync(at("large"), new Uint8Array(2 ** 26 + 1));
  await expect(readRegular(at("large"))).rejects.toThrow("it has 67108865 bytes, and at most 67108864 are read");
});

it("a user's folders are named by variables, or are below the home", () => {
  const { env } = process;
  const before = { ...env };
  try {
    Object.assign(env, { XDG_STATE_HOME: "/x/state", XDG_CACHE_HOME: "", HOME: "/h" });
    expect([userFolder("state"), userFolder("cache")]).toEqual(["/x/state", "/h/.cache"]);
    expect(stateFolder()).toBe(env.VERDE_STATE);
    env.VERDE_STATE = "";
    expect(stateFolder()).toBe("/x/state/verde");
    env.XDG_STATE_HOME = "";
    expect(stateFolder()).toBe("/h/.local/state/verde");
    env.HOME = "";
    expect(stateFolder()).toBeUndefined();
    expect(userFolder("cache")).toBeUndefined();
  } finally {
    process.env = before;
  }
});
