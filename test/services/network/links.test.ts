/** Disputes over long links that lose packets: 100 ms and one packet in a hundred each way, for everybody. */
import { once } from "node:events";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTrace, parseFault, run } from "../../../src/trace/index.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import line from "../../fixtures/line.ts";
import { type Link, openLink } from "../../fixtures/link.ts";
import { hasNats, startNats } from "../../fixtures/nats.ts";
import { cliEnvironment, MAIN, verdeIn } from "../../fixtures/verde.ts";

const SEED = 20261130;
const WEATHER = { delay: 100, loss: 1, seed: SEED };
const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

beforeAll(async () => {
  const job = await line.close();
  await run(job, { commitEvery: 4, out: path("a.trace") });
  const fault = parseFault("flip:step=7,operator=20,element=0,bit=12");
  await run(job, { commitEvery: 4, out: path("b.trace"), fault });
  expect((await openTrace(path("b.trace"))).runRoot).toBeDefined();
});

/** Answers for a trace. @returns the address that it says */
async function prove(name: "a" | "b", ...options: string[]): Promise<string> {
  const args = ["--disable-warning=ExperimentalWarning", MAIN, "prove", path(`${name}.trace`), "--json", ...options];
  const child = spawn(process.execPath, args, { env: cliEnvironment(path(`state-${name}`)), stdio: ["ignore", "pipe", "pipe"] }); // prettier-ignore
  closing.push(() => child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (piece) => (said += String(piece)));
  const [first] = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), once(child, "close")])) as unknown[]; // prettier-ignore
  if (typeof first !== "string") throw new Error(`the prover has ended: ${said}`);
  const { address, url } = JSON.parse(first) as { address?: string; url?: string };
  return (address ?? url)!.replace(/\/$/, "");
}

async function found(a: string, b: string, links: readonly Link[]): Promise<void> {
  const { code, stdout, stderr } = await verdeIn(path("."))(["dispute", a, b, "--json"]);
  expect(code, `seed ${SEED}\n${stdout}${stderr}`).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "divergence", losers: ["b"] });
  const packets = links.reduce((sum, { passed }) => sum + passed.packets, 0);
  const lost = links.reduce((sum, { passed }) => sum + passed.lost, 0);
  console.info(`${packets} packets, of which ${lost} were lost`);
  expect(packets).toBeGreaterThan(50);
}

describe("over links of 200 ms there and back", () => {
  test("a dispute over HTTP finds the liar", async () => {
    const links: Link[] = [];
    for (const name of ["a", "b"] as const) {
      links.push(await openLink(await prove(name, "--listen", "127.0.0.1:0"), WEATHER));
      closing.push(() => links.at(-1)!.close());
    }
    await found(links[0].url, links[1].url, links);
  });

  test.runIf(hasNats)("a dispute over NATS finds the liar", async () => {
    const server = await startNats();
    closing.push(() => server.close());
    const links = await Promise.all([openLink(server.url, WEATHER), openLink(server.url, WEATHER), openLink(server.url, WEATHER)]); // prettier-ignore
    for (const link of links) closing.push(() => link.close());
    const [a, b] = [await prove("a", "--nats", links[0].url), await prove("b", "--nats", links[1].url)];
    // Who asks has a link of its own.
    const over = (address: string): string => `${links[2].url}/${address.split("/").at(-1)}`;
    await found(over(a), over(b), links);
  });

  test("notes on a hub are read by all", async () => {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    closing.push(() => hub.close());
    const link = await openLink(hub.url, { ...WEATHER, loss: 20 });
    closing.push(() => link.close());
    const { Http } = await import("../../../src/services/transport/http.ts");
    const [one, other] = [new Http(link.url), new Http(hub.url)];
    closing.push(async () => void (await Promise.all([one.close(), other.close()])));
    const note = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255);
    await one.post("board", "a", note);
    expect(Buffer.compare((await other.notes("board")).get("a")!, note)).toBe(0);
    expect(Buffer.compare((await one.notes("board")).get("a")!, note)).toBe(0);
    expect(link.passed.lost).toBeGreaterThan(5);
  });
});
