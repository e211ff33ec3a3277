/** A small sweep of the network: processes that lie and that are killed, and books that agree with the chain. */
import { expect, test, vi } from "vitest";
import { sweep } from "../../bench/network/sweep.ts";

vi.setConfig({ testTimeout: 1_200_000 });
const SEED = 3;

test("4 tasks over 3 providers, one of which lies, and one is killed: all is paid, slashed and accounted for", async () => {
  const said: string[] = [];
  const options = { tasks: 4, providers: 3, seats: 2, width: 8, byzantine: 0.34, crash: 0.1, seed: SEED, together: 4 };
  const run = await sweep(options, (line) => void said.push(line));
  const what = `seed ${SEED}\n${said.join("\n")}`;
  expect(run.wrong, what).toEqual([]);
  expect(run, what).toMatchObject({ complete: true, posted: 4, liars: 1, kills: 1 });
  // Each lie was found, and none of the honest results.
  expect(run.lies, what).toBeGreaterThan(0);
  expect(run.slashed, what).toBe(run.lies);
  expect(run.paid, what).toBe(run.honest);
  expect(run.honest + run.lies, what).toBe(8);
});
