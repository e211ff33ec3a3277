/** The hashes that name a task and hide a claim are those of the vectors, which the contracts check too. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Address, Hex } from "viem";
import { taskVectors } from "../../scripts/task-vectors.ts";
import { commitmentOf, taskIdOf } from "../../src/settlement/commitment.ts";
import type { Terms } from "../../src/settlement/task.ts";

interface Vector {
  chainId: number;
  manager: Address;
  terms: Terms;
  owner: Address;
  root: Hex;
  salt: Hex;
  task: Hex;
  commitment: Hex;
}
const file = readFileSync(new URL("../vectors/tasks.json", import.meta.url), "utf8");
const { vectors } = JSON.parse(file) as { vectors: Vector[] };

const neighbour = (value: number): number => (value % 2 === 0 ? value + 1 : value - 1);

test("the file of vectors is what the script makes", () => expect(taskVectors() === file).toBe(true));

test("every part of a task and of a claim changes its hash", () => {
  const { terms, chainId, manager, owner, root, salt, task, commitment } = vectors[2];
  const other: Hex = `0x${"ab".repeat(32)}`;
  const account: Address = "0x0000000000000000000000000000000000000012";
  const place = { chainId, manager };
  const { periods, ...flat } = terms;
  const changed = Object.entries(flat).map(([name, value]): Terms => {
    if (typeof value === "number") return { ...terms, [name]: neighbour(value) };
    if (`${value}`.startsWith("0x")) return { ...terms, [name]: `${value}`.length === 42 ? account : other };
    return { ...terms, [name]: `${BigInt(value) ^ 1n}` };
  });
  for (const name of Object.keys(periods) as (keyof typeof periods)[])
    changed.push({ ...terms, periods: { ...periods, [name]: neighbour(periods[name]) } });
  const tasks = [
    taskIdOf(place, terms),
    taskIdOf({ ...place, chainId: chainId + 1 }, terms),
    taskIdOf({ ...place, manager: account }, terms),
    ...changed.map((one) => taskIdOf(place, one)),
  ];
  expect(tasks[0]).toBe(task);
  expect(new Set(tasks).size).toBe(3 + 16 + 8);
  const commitments = [
    commitmentOf(place, task, owner, root, salt),
    commitmentOf({ ...place, chainId: chainId + 1 }, task, owner, root, salt),
    commitmentOf({ ...place, manager: account }, task, owner, root, salt),
    commitmentOf(place, other, owner, root, salt),
    commitmentOf(place, task, account, root, salt),
    commitmentOf(place, task, owner, other, salt),
    commitmentOf(place, task, owner, root, other),
  ];
  expect(commitments[0]).toBe(commitment);
  expect(new Set(commitments).size).toBe(7);
});
