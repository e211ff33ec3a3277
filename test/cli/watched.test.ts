/** `verde prove` as a process that machines watch: metrics, readiness, its log, and spans that reach a collector. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { encodeRequest } from "../../src/referee/apart/messages.ts";
import { MEDIA_TYPE } from "../../src/formats/http.ts";
import { PARTY_PATH } from "../../src/referee/remote/channel.ts";
import { run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { cliEnvironment, MAIN } from "../fixtures/verde.ts";

const path = temporaryFolder();

test("a prover is watched from its start to its end", async () => {
  await run(regression({ steps: 2 }), { out: path("a.trace") });
  let spans = "";
  const collector = createServer((request, response) => {
    request.on("data", (piece) => (spans += String(piece)));
    request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const args = ["prove", "a.trace", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log", "log", "--json"];
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const env = { ...cliEnvironment(path(".")), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], { cwd: path("."), env, stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { url, metrics } = JSON.parse(line) as { url: string; metrics: string };
    const body = new Uint8Array(encodeRequest("open"));
    const answer = await fetch(`${url}${PARTY_PATH}`, {
      method: "POST",
      headers: { "content-type": MEDIA_TYPE },
      body,
    });
    expect(answer.status).toBe(200);
    expect(await (await fetch(`${metrics}ready`)).json()).toEqual({ ready: true });
    let text = "";
    // An answer is counted when it has ended, which may be after the client has it.
    for (let looks = 0; looks < 400 && !text.includes("verde_requests_total{"); looks++)
      text = await (await fetch(`${metrics}metrics`)).text();
    expect(text).toContain(`verde_requests_total{route="/${PARTY_PATH}",method="POST",status="200"} 1`);
    expect(text).toContain("verde_party_starts 1");
    const closed = once(child, "close");
    child.kill("SIGTERM");
    expect(await closed).toEqual([0, null]);
    // What was left is sent before the process ends.
    expect(spans).toContain('"name":"verde.party"');
    expect(spans).toContain('"stringValue":"verde-prove"');
    const lines = readFileSync(path("log"), "utf8").trim().split("\n").map((one) => JSON.parse(one) as { message: string; trace: string }); // prettier-ignore
    expect(lines.find(({ message }) => message === "request completed")).toMatchObject({ trace: "a.trace" });
  } finally {
    child.kill("SIGKILL");
    collector.close();
  }
});
