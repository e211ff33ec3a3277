/**
 * The text of `test/vectors/tasks.json`: terms and claims with their hashes. TypeScript makes them
 * (src/settlement/commitment.ts); the contracts check them (test/solidity/TaskHashes.t.sol).
 */
import { type AbiParameter, encodeAbiParameters, getAbiItem, getAddress, type Hex, keccak256, stringToHex } from "viem";
import { taskManagerAbi } from "../src/settlement/abi/task-manager.ts";
import { commitmentOf, taskIdOf } from "../src/settlement/commitment.ts";
import type { Terms } from "../src/settlement/task.ts";

/** How many random ones there are. */
const RANDOM = 12;

/** Bytes that look random, and are the same each time. */
function source(name: string): (bytes: number) => Hex {
  let drawn = 0;
  return (bytes) => keccak256(stringToHex(`${name} ${drawn++}`)).slice(0, 2 + 2 * bytes) as Hex;
}

/** Terms whose fields are drawn by these two functions. */
function termsWith(draw: (bytes: number) => Hex): Terms {
  const number = (bytes: number): number => Number(draw(bytes));
  const amount = (): bigint => BigInt(draw(10));
  const address = () => getAddress(draw(20));
  return {
    client: address(),
    salt: draw(32),
    job: draw(32),
    stateLayout: draw(32),
    steps: number(4),
    commitEvery: number(4),
    tensors: number(4),
    providers: number(1),
    maxDemands: number(1),
    reward: amount(),
    stake: amount(),
    bond: amount(),
    chunkPrice: amount(),
    committee: address(),
    game: address(),
    seatPolicy: address(),
    periods: {
      toAccept: number(4),
      toCommit: number(4),
      toReveal: number(4),
      toChallenge: number(4),
      toJudge: number(4),
      toEscalate: number(4),
      toPlay: number(4),
      toAnswer: number(4),
    },
  };
}

const ENCODED: readonly AbiParameter[] = [
  { type: "uint256" },
  { type: "address" },
  getAbiItem({ abi: taskManagerAbi, name: "post" }).inputs[0],
  { type: "address" },
  { type: "bytes32" },
  { type: "bytes32" },
  { type: "bytes32" },
  { type: "bytes32" },
];

export function taskVectors(): string {
  const fill = (byte: string) => (bytes: number) => `0x${byte.repeat(bytes)}` as Hex;
  const names = ["zeros", "ones", ...Array.from({ length: RANDOM }, (_, i) => `random ${i}`)];
  const draws = [fill("00"), fill("ff"), ...names.slice(2).map(source)];
  const vectors = draws.map((draw, i) => {
    const terms = termsWith(draw);
    // Chain ids are at most 2^53 here: the file of a deployment holds them as numbers.
    const [chainId, manager, owner] = [Number(draw(6)), getAddress(draw(20)), getAddress(draw(20))];
    const [root, salt] = [draw(32), draw(32)];
    const task = taskIdOf({ chainId, manager }, terms);
    const commitment = commitmentOf({ chainId, manager }, task, owner, root, salt);
    const encoded = encodeAbiParameters(ENCODED, [
      BigInt(chainId),
      manager,
      terms,
      owner,
      root,
      salt,
      task,
      commitment,
    ]);
    return { name: names[i], chainId, manager, terms, owner, root, salt, task, commitment, encoded };
  });
  const encoded = vectors.map((vector) => vector.encoded);
  const plain = vectors.map((vector) => ({ ...vector, encoded: undefined }));
  const asText = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);
  return `${JSON.stringify({ vectors: plain, encoded }, asText, 1)}\n`;
}
