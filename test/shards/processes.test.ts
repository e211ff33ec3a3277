/** Workers in processes of their own, over HTTP: killed, stalled, lying; and what strangers send to one. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { openCrew, type WorkerFlags } from "../../src/cli/workers.ts";
import { serveWorker } from "../../src/services/worker-server.ts";
import { httpChannel, workerAt } from "../../src/shards/http-channel.ts";
import { type LocalWorker, localWorker } from "../../src/shards/local.ts";
import { decodeReply, encodeRequest } from "../../src/shards/messages.ts";
import { run } from "../../src/trace/run.ts";
import cut from "../fixtures/cut.ts";
import line from "../fixtures/line.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment, MAIN, verdeIn } from "../fixtures/verde.ts";
import { runWith } from "./workers.ts";

const MODULE = fileURLToPath(new URL("../fixtures/cut.ts", import.meta.url));
const COMMAND = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];
const at = temporaryFolder();
const verde = verdeIn(at("."));
const job = await cut.close();
const label = "shard 3/layer/matmul";
const operator = job.step.labels.indexOf(label);
const expected = run(job, { backend: wasm }).then(({ runRoot }) => toHex(runRoot));

const local = (name: string): LocalWorker => localWorker(name, COMMAND, ["--backend", "wasm", "--threads", "1"]);

/** A worker that something happens to when its n-th message has been sent, and before it is answered. */
function struck(worker: LocalWorker, nth: number, strike: (pid: number) => void): LocalWorker {
  let messages = 0;
  return {
    ...worker,
    connect: async () => {
      const channel = await worker.connect();
      return {
        ...channel,
        send: (message, most, signal) => {
          const reply = channel.send(message, most, signal);
          if (++messages === nth) strike(worker.pid()!);
          return reply;
        },
      };
    },
  };
}

describe("a worker's process", () => {
  test("that is killed in a step is replaced, started again, and the run has the same root", async () => {
    const workers = [struck(local("killed"), 3, (pid) => process.kill(pid, "SIGKILL")), local("other")];
    const { result, summary, said } = await runWith(job, workers);
    expect(toHex(result.runRoot)).toBe(await expected);
    expect(said).toEqual([
      expect.stringMatching(/^verde: training step [23]: worker killed does not answer for shards 0, 1 /),
    ]);
    expect(summary.workers[0].failures).toBe(1);
    // It is left out for a step at most, and then it is there again.
    expect(summary.workers[0].shards).toBeGreaterThan(3);
  });

  // A stalled worker of this process is in crew.test.ts. Here the time is that of a busy machine.
  test.runIf(process.env.VERDE_SWEEP === "1")(
    "that is stalled is replaced when its time is over",
    async () => {
      const stalled = struck(local("stalled"), 3, (pid) => process.kill(pid, "SIGSTOP"));
      const { result, summary } = await runWith(job, [stalled], { timeout: 20_000 });
      expect(toHex(result.runRoot)).toBe(await expected);
      expect(summary.workers[0].failures).toBe(1);
      expect(summary.own).toBeGreaterThan(0);
    },
    120_000,
  );
});

describe("the command line", () => {
  const children: ChildProcess[] = [];
  afterAll(() => children.forEach((child) => child.kill("SIGKILL")));
  const start = async (...args: string[]): Promise<string> => {
    const [program, ...first] = COMMAND;
    const child = spawn(
      program,
      [...first, "worker", "--listen", "127.0.0.1:0", "--json", "--backend", "wasm", ...args],
      {
        env: cliEnvironment(at(".")),
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return (JSON.parse(line) as { url: string }).url;
  };

  test("runs with two processes of its own, and has the root of a run without", async () => {
    const { code, stdout, stderr } = await verde([
      "run",
      MODULE,
      "--workers",
      "2",
      "--backend",
      "wasm",
      "--check-shards",
      "50%",
      "--json",
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const summary = JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, never>;
    expect(summary.runRoot).toBe(await expected);
    expect(summary.workers).toMatchObject({
      shards: 4,
      workers: [
        { name: "local 1", shards: 10 },
        { name: "local 2", shards: 10 },
      ],
      own: 0,
      lies: [],
      suspect: 0,
    });
  });

  test("names a worker that lies, ends with 1, and claims what was computed again", async () => {
    const flip = `flip:step=4,operator=${operator},element=6,bit=22`;
    const addresses = await Promise.all([start(), start("--fault", flip)]);
    const list = addresses.map((url) => new URL(url).host).join(",");
    const args = ["run", MODULE, "--workers", list, "--backend", "wasm", "--out", "a.trace", "--force"];
    const all = await verde([...args, "--check-shards", "100%"]);
    expect(all.code, all.stderr).toBe(1);
    expect(all.stderr).toContain(
      `verde: training step 4: worker http://${new URL(addresses[1]).host} gave a wrong result for shard 3: operator ${operator} (${label})`,
    );
    expect(all.stdout).toContain(await expected);
    expect(all.stdout).toContain("claimed by");
    // Nothing is drawn, so nothing is found.
    const none = await verde([...args, "--check-shards", "0%", "--json"]);
    expect(none.code).toBe(0);
    expect(none.stdout).not.toContain(await expected);
  });

  test("refuses what makes no sense", async () => {
    const failures: [Partial<WorkerFlags>, string][] = [
      [{ workers: "0" }, "start 1 to 64 of them"],
      [{ workers: "127.0.0.1" }, "is no address; write 127.0.0.1:8851"],
      [{ checkShards: "often" }, "is neither auto nor a share"],
      [{ checkShards: "101%" }, "is neither auto nor a share"],
      [{ workerTimeout: "0" }, "is no number of seconds"],
      [{ fault: "skip:step=1" }, "give --fault to `verde worker`"],
      [{ workers: "127.0.0.1:9" }, "none of the workers can be used"],
    ];
    const given = { workers: "127.0.0.1:9", checkShards: "auto", workerTimeout: "60" };
    for (const [flags, message] of failures)
      await expect(openCrew(job, wasm, { ...given, ...flags }), message).rejects.toThrow(message);
    await expect(openCrew(await line.close(), wasm, given)).rejects.toThrow("the batch of line is not cut into shards");
    expect(await openCrew(job, wasm, { ...given, workers: undefined as never })).toBeUndefined();
  });
});

describe("a worker that strangers reach", () => {
  const post = (url: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${url}shards`, {
      method: "POST",
      body: new Uint8Array(body),
      headers: { "content-type": "application/octet-stream", ...headers },
    });

  test("answers garbage with a failure, refuses what is too large, and works on", async () => {
    const server = await serveWorker({ host: "127.0.0.1", port: 0, most: 2 ** 20, backendFor: async () => wasm });
    try {
      const seed = 12;
      for (let i = 0; i < 40; i++) {
        const garbage = Uint8Array.from({ length: 10 * i }, (_, at) => (at * 31 + i * 17 + seed) % 256);
        // Half of them have a right beginning.
        const message =
          i % 2 === 0
            ? garbage
            : encodeRequest({ kind: i % 4 === 1 ? "open" : "execute", content: garbage, job: garbage } as never);
        const response = await post(server.url, message);
        expect(response.status, `seed ${seed}, message ${i}`).toBe(200);
        expect(["failed", "closed"]).toContain(decodeReply(await response.bytes()).kind);
      }
      expect((await post(server.url, new Uint8Array(2 ** 20 + 1))).status).toBe(413);
      expect((await fetch(`${server.url}shards`, { method: "POST", body: "text" })).status).toBe(415);
      expect((await fetch(`${server.url}else`)).status).toBe(404);
      const { result } = await runWith(job, [workerAt(server.url)]);
      expect(toHex(result.runRoot)).toBe(await expected);
    } finally {
      await server.close();
    }
  });

  test("wants its token", async () => {
    const server = await serveWorker({
      host: "127.0.0.1",
      port: 0,
      most: 2 ** 20,
      token: "secret",
      backendFor: async () => wasm,
    });
    try {
      expect((await post(server.url, new Uint8Array(1))).status).toBe(401);
      await expect(runWith(job, [workerAt(server.url)])).rejects.toThrow("its server answers 401; give its token");
      const { result } = await runWith(job, [workerAt(server.url, () => "secret")]);
      expect(toHex(result.runRoot)).toBe(await expected);
    } finally {
      await server.close();
    }
  });

  test("a reply that is longer than it may be is not read to its end", async () => {
    const { createServer } = await import("node:http");
    const endless = createServer((_, response) => {
      const more = (): void => void (response.writable && response.write(Buffer.alloc(65_536), more));
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    const { port } = endless.address() as { port: number };
    const channel = httpChannel(`http://127.0.0.1:${port}`, undefined);
    await expect(channel.send(new Uint8Array(1), 2 ** 20, AbortSignal.timeout(60_000))).rejects.toThrow(
      "it sends more than 1048576 bytes",
    );
    await channel.close();
    endless.closeAllConnections();
    endless.close();
  });
});
