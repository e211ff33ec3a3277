/** The package as a dependent has it: packed, and installed in an empty project outside of the checkout. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
export const NAME = "@verde-ml/verde";

export interface Manifest {
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
}
export const manifest = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as Manifest;

/** What a module of a dependent imports: `@verde-ml/verde`, `@verde-ml/verde/graph` and so on. */
export const ENTRIES = Object.keys(manifest.exports)
  .filter((entry) => entry !== "./package.json")
  .map((entry) => NAME + entry.slice(1));

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Settings of npm and of Verde that this process has do not reach the project. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VERDE_)/i.test(name)));

export function execute(cwd: string, command: string, args: readonly string[], env = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...environment, NO_COLOR: "1", VERDE_PROGRESS: "off", ...env } });
    const ended = { code: 0, stdout: "", stderr: "" };
    child.stdout.on("data", (data) => (ended.stdout += String(data)));
    child.stderr.on("data", (data) => (ended.stderr += String(data)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...ended, code: code ?? -1 }));
    child.stdin.end();
  });
}

async function succeed(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await execute(cwd, command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

const COMPILER_OPTIONS = {
  target: "es2024",
  module: "nodenext",
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  allowImportingTsExtensions: true,
};

export class Project {
  readonly folder: string;
  /** The paths in the archive. */
  readonly packed: readonly string[];

  private constructor(folder: string, packed: readonly string[]) {
    this.folder = folder;
    this.packed = packed;
  }

  /** Builds and packs the checkout, and installs the archive. */
  static async install(): Promise<Project> {
    const folder = mkdtempSync(join(tmpdir(), "verde-project-"));
    try {
      await succeed(CHECKOUT, process.execPath, "scripts/build.ts");
      const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
      const answer = JSON.parse(await succeed(CHECKOUT, "npm", ...pack)) as unknown;
      const [{ filename, files }] = Object.values(
        answer as Record<string, { filename: string; files: { path: string }[] }>,
      );
      const project = new Project(
        folder,
        files.map(({ path }) => path),
      );
      project.write("package.json", JSON.stringify({ name: "dependent", private: true, type: "module" }));
      await project.add(filename);
      return project;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** From the registry where it can be reached, and else with the checkout's dependencies. */
  private async add(archive: string): Promise<void> {
    // Scripts of packages would try to compile headless-gl, for minutes; the library needs none of them.
    const options = [
      "--ignore-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--fetch-retries=1",
      "--fetch-timeout=20000",
    ];
    const { code, stderr } = await execute(this.folder, "npm", ["install", ...options, `./${archive}`]);
    if (code === 0) return;
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT/.test(stderr))
      throw new Error(`npm could not install the package\n${stderr}`);
    console.log(
      "skipped: that npm finds the package's dependencies, since the registry can't be reached; linked instead",
    );
    const modules = this.path("node_modules");
    mkdirSync(join(modules, NAME), { recursive: true });
    await succeed(this.folder, "tar", "xf", archive, "--strip", "1", "-C", join(modules, NAME));
    for (const name of readdirSync(join(CHECKOUT, "node_modules")).filter((found) => !found.startsWith("."))) {
      if (name === NAME.split("/")[0]) continue;
      symlinkSync(join(CHECKOUT, "node_modules", name), join(modules, name));
    }
    mkdirSync(join(modules, ".bin"));
    symlinkSync(`../${NAME}/bin/verde.js`, join(modules, ".bin/verde"));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  /** Type-checks files; gives what the compiler says, which is nothing when all is well. */
  async check(files: readonly string[], compiler = "node_modules/typescript/bin/tsc"): Promise<string> {
    this.write("tsconfig.json", JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files }));
    const { stdout, stderr } = await execute(this.folder, process.execPath, [join(CHECKOUT, compiler), "-p", "."]);
    return stdout + stderr;
  }

  node(...args: string[]): Promise<Ended> {
    return execute(this.folder, process.execPath, args);
  }

  /** The command that npm puts into the project. */
  verde(...args: string[]): Promise<Ended> {
    return execute(this.folder, this.path("node_modules/.bin/verde"), args);
  }

  /** Starts `verde serve` on a port that is free. */
  async serve(trace: string): Promise<{ url: string; close(): void }> {
    const args = [this.path("node_modules/.bin/verde"), "serve", trace, "--port", "0", "--json"];
    const server = spawn(process.execPath, args, {
      cwd: this.folder,
      env: environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const close = (): void => void server.kill();
    const [line] = (await Promise.race([once(server.stdout, "data"), once(server, "close")])) as [unknown];
    return { url: (JSON.parse(String(line)) as { url: string }).url, close };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
