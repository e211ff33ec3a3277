/** The configuration: which settings there are, which one counts, and what is said about a wrong one. */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PAGE, pageWith, tables } from "../../../scripts/configuration.ts";
import { commandsOf, optionFor } from "../../../src/cli/config/apply.ts";
import { OTHER_VARIABLES, SETTINGS } from "../../../src/cli/config/settings.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { Commands } from "../../fixtures/commands.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { cliEnvironment } from "../../fixtures/verde.ts";

const path = temporaryFolder();
const commands = new Commands(path("."));
afterAll(() => {
  commands.close();
  vi.unstubAllEnvs();
});
const verde = (args: string[], env: Record<string, string> = {}) =>
  commands.run(args, { ...cliEnvironment(path(".")), ...env });

async function show(words: string[] = [], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await verde(["config", "show", ...words, "--json"], env);
  expect(code, stderr).toBe(0);
  const { settings, ...rest } = JSON.parse(stdout) as { file: string; unknown: object[]; settings: { name: string; value: unknown; source: string; from?: string }[] }; // prettier-ignore
  const of = (name: string) => {
    const { name: _, ...found } = settings.find((one) => one.name === name)!;
    return found;
  };
  return { of, settings, ...rest };
}

const FILE = `
[chain]
rpc = ["http://a.example:1", "http://b.example:2"]
confirmations = 3
[keys]
keystore = "key.json"
[provider]
jobs = "jobs"
tasks = 4
committee = "0x00000000000000000000000000000000000000aa"
[prove]
files = false
[blob]
store = "shelf"
`;
beforeAll(() => {
  writeFileSync(path("verde.toml"), FILE);
  writeFileSync(path("a.bin"), "a");
});

describe("the settings", () => {
  /** Drills, tests, and what one command line alone is about. */
  const LEFT = ["fault", "until-idle", "dry-run", "replace", "json", "progress", "from", "out", "tensors", "terms"];

  test("are the options of the services and of whatever talks to a chain, all of them", async () => {
    const all = [...commandsOf(await buildProgram())];
    const about = all.filter(([name]) => /^(provider (run|doctor|status|logs|stop)|prove|serve|blob .*)$/.test(name));
    const options = about.flatMap(([name, command]) => command.options.map((option) => ({ name, command, option })));
    const missing = options.filter(({ name, command, option }) => !SETTINGS.some((setting) => optionFor(setting, name, command) === option)); // prettier-ignore
    expect([...new Set(missing.map(({ option }) => option.long!.replace(/^--(no-)?/, "")))].filter((key) => !LEFT.includes(key))).toEqual([]); // prettier-ignore
    for (const setting of SETTINGS) expect(all.some(([name, command]) => optionFor(setting, name, command)), setting.name).toBe(true); // prettier-ignore
    expect(new Set(SETTINGS.map(({ env }) => env)).size).toBe(SETTINGS.length);
  });

  test("and the other variables are all that the program reads", () => {
    const read = globSync("src/**/*.ts").flatMap((file) => [...readFileSync(file, "utf8").matchAll(/process\.env\.(VERDE_\w+)|\{ (VERDE_\w+) \} = process\.env/g)].map(([, a, b]) => a ?? b)); // prettier-ignore
    const known = [...SETTINGS.map(({ env }) => env), ...OTHER_VARIABLES];
    expect(read.length).toBeGreaterThan(8);
    expect(read.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("stand in docs/configuration.md as scripts/configuration.ts writes them", async () => {
    const page = readFileSync(PAGE, "utf8");
    expect(page === pageWith(page, await tables()), "run node scripts/configuration.ts").toBe(true);
  });
});

describe("a value", () => {
  test("comes from the file, the environment, or the default, and it is said from where", async () => {
    const { of, file, unknown } = await show([], { VERDE_PROVIDER_TASKS: "5", VERDE_KEYSTOR: "x" });
    expect(file).toBe("verde.toml");
    expect(of("chain.rpc")).toEqual({ value: ["http://a.example:1", "http://b.example:2"], source: "file", from: "verde.toml" }); // prettier-ignore
    expect(of("provider.tasks")).toEqual({ value: "5", source: "environment", from: "VERDE_PROVIDER_TASKS" });
    expect(of("prove.listen")).toEqual({ value: "127.0.0.1:8850", source: "default" });
    expect(unknown).toEqual([{ name: "VERDE_KEYSTOR", like: "VERDE_KEYSTORE" }]);
    const { stdout } = await verde(["config", "show"], { VERDE_PROVIDER_TASKS: "5" });
    expect(stdout).toMatch(/provider\.tasks +5 {2}\(VERDE_PROVIDER_TASKS\)/);
  });

  test("comes from the command line first, and a list there replaces the other one", async () => {
    const env = { VERDE_RPC: "http://c.example:3", VERDE_PROVIDER_TASKS: "5" };
    const { of } = await show(["provider", "run", "--tasks", "6", "--rpc", "http://d.example:4", "--rpc", "http://e.example:5"], env); // prettier-ignore
    expect(of("provider.tasks")).toEqual({ value: "6", source: "flag" });
    expect(of("chain.rpc")).toEqual({ value: ["http://d.example:4", "http://e.example:5"], source: "flag" });
    expect(of("provider.jobs")).toEqual({ value: "jobs", source: "file", from: "verde.toml" });
    expect(of("provider.committee").value).toEqual(["0x00000000000000000000000000000000000000AA"]);
    expect(of("chain.confirmations")).toEqual({ value: 3, source: "file", from: "verde.toml" });
    const { of: without } = await show(["provider", "run"], env);
    expect(without("chain.rpc")).toEqual({ value: ["http://c.example:3"], source: "environment", from: "VERDE_RPC" });
    const { of: prove } = await show(["prove", "a.trace"]);
    expect(prove("prove.files")).toEqual({ value: false, source: "file", from: "verde.toml" });
    expect(prove("keys.keystore").value).toBe("key.json");
  });

  test("has its effect", async () => {
    const ls = async (args: string[], env?: Record<string, string>) => JSON.parse((await verde(["blob", "ls", "--json", ...args], env)).stdout).store; // prettier-ignore
    expect(await ls([])).toBe("shelf");
    expect(await ls([], { VERDE_BLOB_STORE: "rack" })).toBe("rack");
    expect(await ls(["--store", "box"], { VERDE_BLOB_STORE: "rack" })).toBe("box");
  });

  test("comes from the file that VERDE_CONFIG names", async () => {
    mkdirSync(path("etc"));
    writeFileSync(path("etc/other.toml"), "[serve]\nport = 8000\n");
    const { of, file } = await show([], { VERDE_CONFIG: "etc/other.toml" });
    expect([file, of("serve.port").value, of("provider.jobs").source]).toEqual(["etc/other.toml", "8000", "default"]);
    expect((await verde(["config", "show"], { VERDE_CONFIG: "none.toml" })).stderr).toContain("VERDE_CONFIG names it");
  });
});

describe("a wrong file", () => {
  test.each([
    ["[provider]\ntaks = 3", "there is no setting provider.taks; did you mean provider.tasks?", "UNKNOWN"],
    ["[providers]\ntasks = 3", "there is no table providers; did you mean provider?", "UNKNOWN"],
    ['[prove]\ntoken = "x"', "did you mean prove.token-file?", "UNKNOWN"],
    ["tasks = 3", "there is no table tasks", "UNKNOWN"],
    ["chain = 3", "chain is a table; write [chain]", "VALUE"],
    ['[prove]\nfiles = "no"', 'prove.files is "no"; write true or false', "VALUE"],
    ["[provider]\njobs = 3", "provider.jobs is 3; write a text", "VALUE"],
    ["[chain]\nrpc = [3]", "chain.rpc is [3]; write a list of texts", "VALUE"],
    ["[provider]\ntasks = 3\ntasks = 4", "line 3", "MALFORMED"],
    ["[provider", "line 1, column", "MALFORMED"],
  ])("%j is refused", async (text, words, code) => {
    writeFileSync(path("wrong.toml"), text);
    const { code: exit, stderr } = await verde(["blob", "ls"], { VERDE_CONFIG: "wrong.toml" });
    expect([exit, stderr]).toEqual([2, expect.stringContaining(words)]);
    expect(stderr).toContain(`_${code})`);
    rmSync(path("wrong.toml"));
  });

  test("and so are a wrong switch in the environment, and a value that the option does not take", async () => {
    expect((await verde(["prove", "x"], { VERDE_PROVE_FILES: "maybe" })).stderr).toContain('VERDE_PROVE_FILES is maybe; write true or false'); // prettier-ignore
    expect((await verde(["stake", "deposit", "5"], { VERDE_CONFIRMATIONS: "many" })).stderr).toContain(
      "--confirmations",
    );
  });

  test("but no other command minds a value that an option of one does not take", async () => {
    const env = { VERDE_BLOB_QUOTA: "much" };
    expect((await verde(["blob", "serve"], env)).stderr).toContain("--quota much");
    expect((await verde(["blob", "ls"], env)).code).toBe(0);
  });
});
