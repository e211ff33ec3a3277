/**
 * Disputes between hosts of their own, with slow and lossy links, and with one that is cut off for a while.
 * What else happens to machines: a disk that is full, and a party that shows its claim and not its files.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../../src/encoding/bytes.ts";
import { openTrace, parseFault, run } from "../../../src/trace/index.ts";
import { writeJobFile } from "../../../src/trace/job-file.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { Hosts, whyNoHosts } from "../../fixtures/hosts.ts";
import line from "../../fixtures/line.ts";
import { hasNats } from "../../fixtures/nats.ts";
import { cliEnvironment, MAIN, verdeIn } from "../../fixtures/verde.ts";

const path = temporaryFolder();
const why = process.platform === "linux" ? (hasNats ? whyNoHosts() : "nats-server is missing") : "it takes Linux";
if (why !== undefined) console.warn(`skipped: there are no hosts of their own here (${why})`);
const PORT = 4222;
const VERDE = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];
let root: string;

beforeAll(async () => {
  const job = await line.close();
  const fault = parseFault("flip:step=7,operator=20,element=0,bit=12");
  root = toHex((await run(job, { commitEvery: 4, out: path("a.trace") })).runRoot);
  await run(job, { commitEvery: 4, out: path("b.trace"), fault });
  await writeJobFile(path("line.verde"), job);
});

describe.runIf(why === undefined)("between hosts", () => {
  let hosts: Hosts;
  const address: Record<string, string> = {};
  const env = (name: string): Record<string, string> => cliEnvironment(path(`state-${name}`));

  /** Answers for a trace on a host, and says where. */
  async function prove(name: "a" | "b", ...options: string[]): Promise<void> {
    const at = `nats://${hosts.addressOf("nats")}:${PORT}`;
    const child = hosts.spawn(name, [...VERDE, "prove", path(`${name}.trace`), "--nats", at, "--json", ...options], env(name)); // prettier-ignore
    let said = "";
    child.stderr!.on("data", (piece) => (said += String(piece)));
    const [first] = (await Promise.race([once(createInterface({ input: child.stdout! }), "line"), once(child, "close")])) as unknown[]; // prettier-ignore
    if (typeof first !== "string") throw new Error(`the prover has ended: ${said}`);
    address[name] = (JSON.parse(first) as { address: string }).address;
  }

  beforeAll(async () => {
    hosts = new Hosts(["nats", "a", "b", "client"], { delay: 100, loss: 1 });
    console.info(`the links have ${hosts.weather}`);
    for (const name of ["a", "b", "client", "nats"]) mkdirSync(path(`state-${name}`));
    const started = hosts.spawn("nats", ["nats-server", "--port", `${PORT}`, "--jetstream", "--store_dir", path("state-nats")]); // prettier-ignore
    await new Promise<void>((resolve, reject) => {
      started.stderr!.on("data", (piece) => String(piece).includes("Server is ready") && resolve());
      started.on("close", () => reject(new Error("nats-server has ended")));
    });
    await prove("a", "--listen", `${hosts.addressOf("a")}:8850`, "--no-files");
    await prove("b");
  });
  afterAll(() => hosts?.close());

  const dispute = (...options: string[]) =>
    hosts.run("client", [...VERDE, "dispute", address.a, address.b, "--json", ...options], env("client"));

  test("a dispute finds the liar", async () => {
    const { code, stdout, stderr } = await dispute();
    expect(code, stderr).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ losers: ["b"] });
  });

  test("a party that is cut off for a while is waited for", async () => {
    hosts.cut("b", true);
    const disputed = dispute();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    hosts.cut("b", false);
    const { code, stdout, stderr } = await disputed;
    expect(code, stderr).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ losers: ["b"] });
  });

  test("a party that stays away loses nothing, and is named", async () => {
    hosts.cut("b", true);
    const { code, stdout, stderr } = await dispute("--patience", "3s");
    hosts.cut("b", false);
    expect(code).toBe(2);
    expect(stdout).not.toContain('"losers":["b"]');
    expect(stdout + stderr).toMatch(/said nothing|no answer|LATE/);
  });

  test("a party that answers the referee and not the auditor is told apart from one that is away", async () => {
    const url = `http://${hosts.addressOf("a")}:8850/`;
    const audited = await hosts.run("client", [...VERDE, "audit", url, "--json"], env("client"));
    expect(audited.code).toBe(2);
    expect(audited.stderr).toContain("answers 404");
    expect((await dispute()).code).toBe(1);
  });
});

const mounted: string[] = [];
// Before the folder is removed.
afterAll(() => mounted.forEach((folder) => spawnSync("umount", [folder])));

/** A small disk. @returns how it grows, or nothing where none can be mounted */
function smallDisk(folder: string, kib: number): ((kib: number) => void) | undefined {
  mkdirSync(folder);
  const mount = (options: string): boolean => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0; // prettier-ignore
  if (process.platform !== "linux" || !mount(`size=${kib}k`)) return undefined;
  mounted.push(folder);
  return (more) => void mount(`remount,size=${more}k`);
}

// The first is full before the first step, the second in the middle of the run.
test.each([16, 32])(
  "a run on a disk of %i KiB says that it is full, and is continued to the same root",
  async (kib) => {
    const disk = `disk-${kib}`;
    const grow = smallDisk(path(disk), kib);
    if (!grow) return console.warn("skipped: no small disk can be mounted here");
    const verde = verdeIn(path("."));
    const args = ["run", "line.verde", "--out", `${disk}/x.trace`, "--commit-every", "4"];
    const full = await verde(args);
    expect(full.code).toBe(3);
    expect(full.stderr).toContain("VERDE_FILE_FULL");
    grow(16_384);
    const again = await verde([...args, "--resume"]);
    expect(again.code, again.stderr).toBe(0);
    expect(toHex((await openTrace(path(`${disk}/x.trace`))).runRoot!)).toBe(root);
  },
);
