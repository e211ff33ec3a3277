/**
 * The files in deploy/: every command and option that they use exists, what they refer to is there, and the units are
 * what systemd takes. No container engine runs here, so no image is built.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { applyConfiguration, commandsOf } from "../../src/cli/config/apply.ts";
import { type Configuration, readConfiguration } from "../../src/cli/config/file.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const at = temporaryFolder();
const read = (file: string): string => readFileSync(file, "utf8");
const NOTHING: Configuration = { values: new Map() };

/** Reads a command line as the program would, and executes nothing. It throws for what does not exist. */
async function expectCommand(words: readonly string[], configuration = NOTHING): Promise<void> {
  const program = await buildProgram(words);
  applyConfiguration(program, configuration, {});
  const leaves = [...commandsOf(program)].filter(([name, { commands }]) => name !== "" && commands.length === 0);
  const leaf = leaves.filter(([name]) => `${words.join(" ")} `.startsWith(`${name} `)).at(-1);
  if (!leaf) throw new Error(`verde ${words.join(" ")} is no command`);
  let parsed = false;
  leaf[1].action(() => void (parsed = true));
  program.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  leaf[1].configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  await program.parseAsync([...words], { from: "user" });
  expect(parsed, words.join(" ")).toBe(true);
}

/** The commands of a shell script, with its variables. */
function commandsIn(script: string): string[][] {
  const variables = new Map([...script.matchAll(/^(\w+)='([^']*)'$/gm)].map(([, name, value]) => [name, value]));
  const filled = script.replace(/\$\$(\w+)/g, (text, name: string) => variables.get(name) ?? text);
  return [...filled.matchAll(/\bverde ([^;|&>\n]+)/g)].map(([, words]) => words.trim().split(/\s+/));
}

describe("the check itself", () => {
  it("sees a command, an option and a script that do not exist", async () => {
    await expect(expectCommand(["provider", "walk"])).rejects.toThrow();
    await expect(expectCommand(["provider", "run", "--jobs", "x", "--taks", "3"])).rejects.toThrow("--taks");
    await expect(expectCommand(["provider", "run"])).rejects.toThrow("--jobs");
    await expectCommand(["provider", "run", "--jobs", "x"]);
    expect(commandsIn("pw='--a b'\nfor i in 1; do verde chain mint 3 $$pw; done > x")).toEqual([["chain", "mint", "3", "--a", "b"]]); // prettier-ignore
  });
});

describe("the units of systemd", () => {
  const units = globSync("deploy/systemd/*.service");
  it("start commands that exist, with the settings of deploy/verde.toml", async () => {
    const configuration = await readConfiguration({ VERDE_CONFIG: "deploy/verde.toml" });
    expect(units.length).toBe(2);
    for (const unit of units) {
      const line = /^ExecStart=\/opt\/verde\/verde (.*)$/m.exec(read(unit))?.[1];
      await expectCommand(line!.split(" "), configuration);
      expect(read(unit)).toContain("Environment=VERDE_CONFIG=/etc/verde/verde.toml");
      // The credentials that the settings name are those that the unit loads.
      const credentials = [...read(unit).matchAll(/^LoadCredential=(\w+):/gm)].map(([, name]) => name);
      const named = [...read("deploy/verde.toml").matchAll(/\/run\/credentials\/([\w.-]+)\/(\w+)/g)].filter(([, owner]) => owner === basename(unit)); // prettier-ignore
      expect(named.map(([, , name]) => name)).toEqual(credentials);
    }
  });

  const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
  it.runIf(analyze)("are what systemd-analyze takes", () => {
    for (const unit of units) {
      // Neither the checkout nor the user is there.
      const text = read(unit).replaceAll("/opt/verde/verde", process.execPath).replace(/^(User|Group)=verde$/gm, "$1=root"); // prettier-ignore
      const copy = at(basename(unit));
      writeFileSync(copy, text);
      const { stderr, status } = spawnSync("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", copy], { encoding: "utf8" }); // prettier-ignore
      const about = stderr.split("\n").filter((line) => line.includes(basename(unit)));
      expect([status, about]).toEqual([0, []]);
    }
  });
});

interface Service {
  command?: string[];
  entrypoint?: string[];
  build?: { context: string; dockerfile: string };
  depends_on?: Record<string, { condition: string }>;
  network_mode?: string;
  networks?: string[];
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
}

describe("the compose file", () => {
  const text = read("deploy/compose.yaml");
  const file = parse(text, { merge: true }) as Record<"networks" | "volumes" | "secrets", object> & { services: Record<string, Service> }; // prettier-ignore
  const services = Object.entries(file.services);

  it("has a chain, three providers, a client and NATS", () =>
    expect(services.map(([name]) => name)).toEqual(["chain", "setup", "provider-1", "provider-2", "provider-3", "client", "nats"])); // prettier-ignore

  it("starts commands that exist", async () => {
    const ran: string[] = [];
    for (const [name, { command = [], entrypoint, build }] of services) {
      if (!build) continue;
      const lines = entrypoint === undefined ? [command] : command.flatMap(commandsIn);
      expect(lines.length, name).toBeGreaterThan(0);
      for (const words of lines) {
        await expectCommand(words);
        ran.push(words.slice(0, 2).join(" "));
      }
    }
    expect(new Set(ran)).toEqual(new Set(["chain node", "chain deploy", "chain mint", "stake deposit", "job export", "provider run", "task post", "task list"])); // prettier-ignore
  });

  it("refers to what it declares, and to files that are there", () => {
    for (const [name, service] of services) {
      for (const other of Object.keys(service.depends_on ?? {})) expect(file.services, name).toHaveProperty(other);
      for (const network of service.networks ?? []) expect(file.networks, name).toHaveProperty(network);
      for (const volume of service.volumes ?? []) expect(file.volumes, name).toHaveProperty(volume.split(":")[0]);
      for (const secret of service.secrets ?? []) expect(file.secrets, name).toHaveProperty(secret);
      if (service.build) expect(existsSync(join("deploy", service.build.context, service.build.dockerfile)), name).toBe(true); // prettier-ignore
      if (service.network_mode === undefined) continue;
      // Such a service has the ports and networks of the one that it names.
      expect(service.network_mode.replace("service:", "") in file.services, name).toBe(true);
      expect([service.ports, service.networks], name).toEqual([undefined, undefined]);
    }
    const addresses = services.flatMap(([, { command = [] }]) => command.filter((word) => word.startsWith("0.0.0.0:")));
    expect(addresses).toEqual([9464, 9465, 9466].map((port) => `0.0.0.0:${port}`));
    for (const [example] of text.matchAll(/\/opt\/verde\/examples\/[\w-]+\.ts/g)) expect(existsSync(example.replace("/opt/verde/", ""))).toBe(true); // prettier-ignore
  });
});

describe("the container file", () => {
  const text = read("deploy/Containerfile");
  it("takes the Node that the package asks for, and copies files that are there", () => {
    const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
    expect(text).toContain(`FROM docker.io/library/node:${/\d+/.exec(engines.node)![0]}-`);
    const copied = [...text.matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, files]) => files.split(" "));
    expect(copied.length).toBeGreaterThan(4);
    for (const name of copied) expect(existsSync(name), name).toBe(true);
    const instructions = text.replaceAll("\\\n", " ").split("\n").filter((line) => line !== "" && !line.startsWith("#")); // prettier-ignore
    for (const line of instructions)
      expect(line).toMatch(/^(FROM|ARG|ENV|RUN|WORKDIR|COPY|USER|VOLUME|ENTRYPOINT|CMD) /);
    expect(read(".dockerignore")).toBe(read(".containerignore"));
  });

  it("has shell commands that a shell takes", () => {
    for (const [, script] of text.replaceAll("\\\n", " ").matchAll(/^RUN (.*)$/gm))
      execFileSync("sh", ["-n", "-c", script]);
  });
});
