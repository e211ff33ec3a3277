/**
 * Packages of backends: Verde's own node_modules first, then the project's; a clear error if neither has the
 * package.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const MODULE = new URL("../../../src/repops/backends/package.ts", import.meta.url).href;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
// Not below the checkout, where modules would find its packages.
const project = mkdtempSync(join(tmpdir(), "verde-project-"));
afterAll(() => rmSync(project, { recursive: true }));

/** A package in the project's own node_modules. */
function install(name: string, code: string): void {
  const folder = join(project, "node_modules", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, type: "module", main: "index.js" }));
  writeFileSync(join(folder, "index.js"), code);
}

/**
 * What `importPackage` returns in a process whose working directory is the project: what the package says, or
 * the error.
 */
function imported(name: string): Promise<string> {
  const script = `import { importPackage } from ${JSON.stringify(MODULE)};
try { console.log((await importPackage(${JSON.stringify(name)}, "${name}@1", "the backend b")).from); }
catch (error) { console.log(error.code, error.message); }`;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ["--input-type=module", "-e", script], { cwd: project }, (error, stdout) =>
      error ? reject(error) : resolve(stdout.trim()),
    );
  });
}

describe("a package that a backend needs", () => {
  test("is found in the project that Verde is run from", async () => {
    install("adapter-of-the-project", 'export const from = "the project";');
    expect(await imported("adapter-of-the-project")).toBe("the project");
  });

  test("is taken from Verde's own node_modules, if it is there", async () => {
    install("cborg", 'export const from = "the project";');
    expect(await imported("cborg")).toBe("undefined");
  });

  test("is named with both places and the command, if it is in neither", async () => {
    const said = await imported("adapter-of-nobody");
    expect(said).toMatch(
      /^VERDE_BACKEND_PACKAGE_MISSING the backend b needs the package adapter-of-nobody, which is installed neither/,
    );
    expect(said).toContain(`with Verde (${ROOT.replace(/\/$/, "")})`);
    expect(said).toContain(project);
    expect(said).toContain("`npm install adapter-of-nobody@1`");
  });

  test("that is broken is not called missing", async () => {
    install("adapter-that-breaks", 'import "another-that-is-missing";');
    expect(await imported("adapter-that-breaks")).toMatch(
      /can't be loaded: Cannot find package 'another-that-is-missing'/,
    );
    install("adapter-that-throws", 'throw new Error("no such glibc");');
    expect(await imported("adapter-that-throws")).toMatch(/adapter-that-throws.*can't be loaded: no such glibc/);
  });
});
