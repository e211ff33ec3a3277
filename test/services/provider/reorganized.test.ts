/** A provider whose chain takes blocks back: it commits again, and reveals late enough. */
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { zeroHash } from "viem";
import { expect, test, vi } from "vitest";
import type { ProviderAccount } from "../../../src/services/provider/account.ts";
import { localPerson, localProvider } from "../../../src/services/provider/local.ts";
import { provide } from "../../../src/services/provider/provider.ts";
import { commitmentOf } from "../../../src/settlement/commitment.ts";
import { profileOf } from "../../../src/settlement/deployment.ts";
import { defaultPolicy } from "../../../src/settlement/policy.ts";
import { readTask } from "../../../src/settlement/task.ts";
import { jobToBytes } from "../../../src/trace/job-file.ts";
import line from "../../fixtures/line.ts";
import { addressOf, PEOPLE, Scene } from "../../fixtures/scene.ts";
import { MAIN } from "../../fixtures/verde.ts";

vi.setConfig({ testTimeout: 120_000 });
const CONFIRMATIONS = 4;
const scene = new Scene();
const ask = (method: string, ...params: unknown[]): Promise<unknown> => scene.provider.request({ method, params });

test("a provider commits again when its commitment was dropped, and reveals after its confirmations", async () => {
  const { session } = scene;
  const { deployment } = session;
  const { task } = await scene.post("ben");
  const [jobs, folder] = [scene.at("jobs"), scene.at("provider")];
  for (const each of [jobs, folder]) mkdirSync(each);
  writeFileSync(`${jobs}/line.verde`, jobToBytes(await line.close()));
  const inner = localProvider(localPerson(session, folder, PEOPLE.ada));
  const sent: { name: string; block: bigint }[] = [];
  let [before, dropped]: [unknown, Promise<unknown> | undefined] = [undefined, undefined];
  const account: ProviderAccount = {
    ...inner,
    send: async (call) => {
      if (call.functionName === "commit") before ??= await ask("evm_snapshot");
      const receipt = await inner.send(call);
      sent.push({ name: call.functionName, block: receipt!.blockNumber });
      return receipt;
    },
  };
  const said: string[] = [];
  const stop = new AbortController();
  const done = provide({
    session,
    account,
    jobs,
    folder,
    conditions: {
      policy: defaultPolicy(profileOf(deployment)),
      accepted: [],
      committees: [deployment.committee],
      games: [deployment.game!],
    },
    most: 1,
    command: [process.execPath, "--disable-warning=ExperimentalWarning", MAIN],
    runOptions: [],
    confirmations: CONFIRMATIONS,
    everyMillis: 50,
    signal: stop.signal,
    onStatus: ([status]) => {
      // The block with the commitment is gone once the provider relies on it.
      if (status?.stage === "defend") dropped ??= ask("evm_revert", before).then(() => ask("evm_mine"));
    },
    say: (sentence) => said.push(sentence),
  });
  const commits = (): number => sent.filter(({ name }) => name === "commit").length;
  await vi.waitUntil(() => commits() === 2, { timeout: 100_000 });
  expect(said).toContain(`task ${task}: the chain has dropped its commitment; it commits again`);
  expect((await readTask(session.source, task)).seats[1].commitment).toBeDefined();
  const other = commitmentOf(deployment, task, addressOf("ben"), scene.root, zeroHash);
  await scene.call("ben", "manager", "commit", task, 0n, other);
  const last = await session.client.getBlockNumber();
  // Without new blocks it looks many times, and does not reveal.
  await pause(1_000);
  const reveal = () => sent.find(({ name }) => name === "reveal");
  await vi.waitUntil(async () => reveal() ?? (await ask("evm_mine"), false), { interval: 200, timeout: 60_000 });
  expect(reveal()!.block - last).toBeGreaterThanOrEqual(CONFIRMATIONS);
  stop.abort();
  await done;
});
