/** A provider takes no task whose terms no run of the job can match: it would lose its stake. */
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toHex } from "viem";
import { localPerson, localProvider } from "../../../src/services/provider/local.ts";
import { provide } from "../../../src/services/provider/provider.ts";
import { profileOf } from "../../../src/settlement/deployment.ts";
import { defaultPolicy } from "../../../src/settlement/policy.ts";
import type { Terms } from "../../../src/settlement/task.ts";
import { jobToBytes } from "../../../src/trace/job-file.ts";
import line from "../../fixtures/line.ts";
import { PEOPLE, Scene } from "../../fixtures/scene.ts";
import { MAIN } from "../../fixtures/verde.ts";

const scene = new Scene();

test("a provider refuses terms that say something else than the job", async () => {
  const { session } = scene;
  const { deployment } = session;
  const [jobs, folder] = [scene.at("jobs"), scene.at("provider")];
  for (const each of [jobs, folder]) mkdirSync(each);
  writeFileSync(`${jobs}/line.verde`, jobToBytes(await line.close()));
  const changes: Partial<Terms>[] = [
    { stateLayout: `0x${"11".repeat(32)}` },
    { steps: scene.terms.steps - 1 },
    { tensors: scene.terms.tensors + 1 },
  ];
  for (const [i, change] of changes.entries())
    await scene.call("client", "manager", "post", { ...scene.terms, ...change, salt: toHex(i, { size: 32 }) });
  const said: string[] = [];
  const stop = new AbortController();
  await provide({
    session,
    account: localProvider(localPerson(session, folder, PEOPLE.ada)),
    jobs,
    folder,
    conditions: {
      policy: defaultPolicy(profileOf(deployment)),
      accepted: [],
      committees: [deployment.committee],
      games: [deployment.game!],
    },
    most: 3,
    command: [process.execPath, MAIN],
    runOptions: [],
    everyMillis: 50,
    signal: stop.signal,
    onStatus: () => undefined,
    say: (sentence) => {
      said.push(sentence);
      if (said.filter((one) => one.includes("no run can match them")).length === changes.length) stop.abort();
      if (said.some((one) => one.includes("is taken"))) stop.abort();
    },
  });
  expect(said).toHaveLength(changes.length);
  for (const field of ["stateLayout", "steps", "tensors"])
    expect(said.join("\n")).toMatch(
      new RegExp(`is not taken: its terms say ${field} \\S+, and the job has \\S+, so no run`),
    );
});
