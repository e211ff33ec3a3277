/** Files that are written in one piece, or not at all, and errors that name them. */
import { execFile, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { unwritable, VerdeError } from "../../src/errors/index.ts";
import { makeFolder } from "../../src/files/folder.ts";
import { replaceFile, writeNewFile, writeResult } from "../../src/files/replace.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const REPLACE = fileURLToPath(new URL("../../src/files/replace.ts", import.meta.url));
const path = temporaryFolder();

describe("replacing a file", () => {
  test("keeps the old content and no draft when writing fails", async () => {
    writeFileSync(path("a"), "old");
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    const failing = replaceFile(path("a"), async (file) => {
      await file.writeFile("half of the new cont");
      throw full;
    });
    await expect(failing).rejects.toMatchObject({
      code: "VERDE_FILE_FULL",
      message: expect.stringMatching(/^.*\/a can't be written: the disk is full; make room, .*ENOSPC/),
    });
    // What is no error of the system stays what it is.
    await expect(replaceFile(path("a"), () => Promise.reject(new TypeError("a bug")))).rejects.toThrow(TypeError);
    expect(readFileSync(path("a"), "utf8")).toBe("old");
    expect(readdirSync(path("."))).toEqual(["a"]);
    await replaceFile(path("a"), "new");
    expect(readFileSync(path("a"), "utf8")).toBe("new");
  });

  test("keeps the permissions, and replaces a link instead of following it", async () => {
    writeFileSync(path("mode"), "old", { mode: 0o640 });
    chmodSync(path("mode"), 0o640);
    await replaceFile(path("mode"), "new");
    expect(statSync(path("mode")).mode & 0o777).toBe(0o640);
    symlinkSync(path("mode"), path("link"));
    await replaceFile(path("link"), "its own");
    expect(lstatSync(path("link")).isFile()).toBe(true);
    expect(lstatSync(path("link")).mode & 0o111).toBe(0);
    expect(readFileSync(path("mode"), "utf8")).toBe("new");
  });

  // A limit on the size of files is a full disk that everybody can have.
  test.skipIf(process.platform === "win32")("on a full disk leaves what was there", async () => {
    writeFileSync(path("limited"), "old");
    const script = `import { replaceFile } from ${JSON.stringify(REPLACE)};
      process.on("SIGXFSZ", () => undefined);
      await replaceFile(${JSON.stringify(path("limited"))}, new Uint8Array(2 ** 21)).catch((error) => console.log(error.code, error.message));`;
    const shell = 'ulimit -f 1024; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"';
    const stdout = await new Promise<string>((resolve) => {
      execFile("bash", ["-c", shell, process.execPath, script], (_, out) => resolve(out));
    });
    expect(stdout).toMatch(/^VERDE_FILE_FULL .*\/limited can't be written: it would be longer than files may be here/);
    expect(readFileSync(path("limited"), "utf8")).toBe("old");
    expect(readdirSync(path(".")).filter((name) => name.startsWith("limited"))).toEqual(["limited"]);
  });
});

describe("a new file", () => {
  test("is written once, whoever writes it at the same time", async () => {
    const writes = Array.from({ length: 8 }, (_, i) =>
      writeNewFile(path("once"), `${i}`.repeat(1000), { mode: 0o600 }),
    );
    const ends = await Promise.allSettled(writes);
    expect(ends.filter(({ status }) => status === "fulfilled").length).toBe(1);
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "VERDE_USAGE_EXISTS" }); // prettier-ignore
    expect(readFileSync(path("once"), "utf8")).toMatch(/^(\d)\1{999}$/);
    expect(statSync(path("once")).mode & 0o777).toBe(0o600);
    expect(readdirSync(path(".")).filter((name) => name.startsWith("once"))).toEqual(["once"]);
  });
});

describe("a result", () => {
  test("goes through a link and into a device, and names what it can't be written to", async () => {
    writeFileSync(path("target"), "old");
    symlinkSync(path("target"), path("result"));
    await writeResult(path("result"), "a verdict");
    expect(lstatSync(path("result")).isSymbolicLink()).toBe(true);
    expect(readFileSync(path("target"), "utf8")).toBe("a verdict");
    if (existsSync("/dev/full"))
      await expect(writeResult("/dev/full", "a verdict")).rejects.toMatchObject({
        code: "VERDE_FILE_FULL",
        message: expect.stringContaining("/dev/full can't be written"),
      });
    expect(existsSync("/dev/null") && lstatSync("/dev/null").isFile()).toBe(false);
    mkdirSync(path("folder"));
    await expect(writeResult(path("folder"), "x")).rejects.toMatchObject({ code: "VERDE_FILE_UNWRITABLE" });
    await expect(writeResult(path("missing/result"), "x")).rejects.toMatchObject({ code: "VERDE_FILE_UNWRITABLE" });
  });
});

test("never replaces a device or a pipe", async () => {
  execFileSync("mkfifo", [path("pipe")]);
  const reader = spawn("cat", [path("pipe")]);
  const read = new Promise((resolve) => reader.stdout.once("data", (data: Buffer) => resolve(`${data}`)));
  await replaceFile(path("pipe"), (file) => file.writeFile("through the pipe"));
  expect(await read).toBe("through the pipe");
  expect(lstatSync(path("pipe")).isFIFO()).toBe(true);
  await replaceFile("/dev/null", "nothing");
  expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
});

test("a folder is made level by level, and one that can't be is named", async () => {
  await makeFolder(path("one/two/three"));
  await makeFolder(path("one/two/three"));
  expect(statSync(path("one/two/three")).isDirectory()).toBe(true);
  writeFileSync(path("one/file"), "");
  await expect(makeFolder(path("one/file/below"))).rejects.toMatchObject({ code: "VERDE_FILE_UNWRITABLE" });
  if (existsSync("/proc/self/stat")) await expect(makeFolder("/proc/verde/below")).rejects.toBeInstanceOf(VerdeError);
});

test("a folder that several make at once is there for all of them", async () => {
  for (let i = 0; i < 50; i++)
    await Promise.all(Array.from({ length: 8 }, (_, j) => makeFolder(path(`shared${i}/a/b/c/${j % 3}`))));
});

test("each error of the system has a code and names the file", () => {
  const codes = { ENOSPC: "FULL", EDQUOT: "FULL", EFBIG: "FULL", EACCES: "DENIED", EPERM: "DENIED", EROFS: "DENIED", EIO: "BROKEN", EMFILE: "LIMIT", ENFILE: "LIMIT", ENOTDIR: "UNWRITABLE" }; // prettier-ignore
  for (const [code, sub] of Object.entries(codes)) {
    const cause = Object.assign(new Error(`${code}: words of the system, write`), { code, syscall: "write" });
    const error = unwritable("a.trace", cause) as VerdeError;
    expect([error.code, error.evidence]).toEqual([`VERDE_FILE_${sub}`, { path: "a.trace", system: code }]);
    expect(error.message).toMatch(/^a\.trace can't be written: .*; .* \(E/);
    expect(unwritable("b.trace", error)).toBe(error);
  }
});
