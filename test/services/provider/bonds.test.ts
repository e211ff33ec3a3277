/** A provider takes no task whose game's bond it could not pay: it would lose its stake without a move. */
import { parseEther, toHex } from "viem";
import { expect, test } from "vitest";
import { outlineOf } from "../../../src/job/closed.ts";
import { objection } from "../../../src/services/provider/offers.ts";
import { profileOf } from "../../../src/settlement/deployment.ts";
import { defaultPolicy } from "../../../src/settlement/policy.ts";
import { readTask } from "../../../src/settlement/task.ts";
import line from "../../fixtures/line.ts";
import { addressOf, Scene } from "../../fixtures/scene.ts";

const scene = new Scene();

test("a provider refuses a task when its account can't pay a bond for each task that it carries", async () => {
  const { session, provider } = scene;
  const { deployment } = session;
  const { task } = await scene.post();
  const view = await readTask(session.source, task);
  const job = outlineOf(await line.close());
  const policy = defaultPolicy(profileOf(deployment));
  const conditions = { policy, accepted: [], committees: [deployment.committee], games: [deployment.game!] };
  const game = deployment.game!;
  const why = async (balance: string, carried: number): Promise<string | undefined> => {
    const params = [addressOf("ada"), toHex(parseEther(balance))];
    await provider.request({ method: "hardhat_setBalance", params });
    return objection(session, view, addressOf("ada"), conditions, job, Array(carried).fill(game));
  };
  expect(await why("0.1", 0)).toMatch(/^this task can take 0\.1\d+ ETH \(0\.132 ETH for bonds .+ has 0\.1 ETH$/);
  // The bond alone leaves no gas.
  expect(await why("0.132", 0)).toContain("and the account has 0.132 ETH");
  expect(await why("0.3", 0)).toBeUndefined();
  expect(await why("0.3", 2)).toMatch(/^the 3 tasks that it would carry can take 0\.\d+ ETH \(0\.396 ETH for bonds/);
});
