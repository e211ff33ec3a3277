/**
 * What a dispute on a chain costs, in gas: below its ceilings, and equal to `game-gas.json`.
 * `VERDE_WRITE_GAS=1 npx vitest run test/contracts/game-gas.test.ts` writes the file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import type { Hex } from "viem";
import { signOpening } from "../../src/claims/opening.ts";
import { fromHex } from "../../src/encoding/bytes.ts";
import { loadJob } from "../../src/job/load.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { positionOf } from "../../src/game/level.ts";
import { disputeGameAbi } from "../../src/settlement/abi/dispute-game.ts";
import type { SignatureOf } from "../../src/settlement/game/consent.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { publicPrivateKey } from "../../src/settlement/local/chain.ts";
import { type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { type Chain, DAY, digest, openChain, pass } from "./chain.ts";
import { deployGame, Duel, GAS_BOND, PACE } from "./duel.ts";
import { challengedAlone } from "./escalated.ts";

const FILE = new URL("game-gas.json", import.meta.url);
const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
/**
 * A move down two levels of a tree, and the proof of a step with two operands, with the winner's credit
 * (5,300). More operands cost more; the file says how much.
 */
const CEILINGS: Readonly<Record<string, number>> = {
  move: 40_000,
  "a product: proof": 120_000,
  "a product: bytes of the proof": 2500,
  "the widest map: proof": 160_000,
  "a product: for each signature": 15_000,
  "the widest map: proof, portable": 170_000,
  // What a silent challenger costs the accused, in one transaction.
  "forfeit, with a later credit": 110_000,
};

/** The fraction of a figure that may change with the time at which the test runs. */
const SLACK = 0.002;

let chain: Chain;
let game: Hex;
beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
});

test("gas stays below the ceilings and unchanged", async () => {
  const job = await loadJob(GPT, { layers: 1, dim: 32, heads: 2, context: 16, batch: 2, steps: 3 });
  const honest = await rememberedRun(job, 1);
  const kernels = job.step.kernels;
  // A product in the middle, and the widest map of the optimizer: the map that reads most.
  const widest = kernels.reduce((best, { kind }, i) => {
    const reads = (at: number): number => {
      const kernel = kernels[at];
      return kernel.kind === "map" ? kernel.args.filter((arg) => arg.kind === "operand").length : 0;
    };
    return kind === "map" && reads(i) >= reads(best) ? i : best;
  }, 0);
  const product = kernels.findIndex(({ kind, type }, i) => kind === "fold" && type.shape.length === 2 && i > 60);
  const gas: Record<string, number> = {};
  const liars: RememberedRun[] = [];
  // The first credit of an account takes a new slot. Later disputes of the same provider use the same slot.
  for (const [i, name] of ["a first credit", "a later credit"].entries()) {
    const roots = [hex(honest.runRoot), digest(`silent ${i}`)] as const;
    const duel = await Duel.open(chain, game, job, 1, roots);
    await duel.take(await makeTurn(duel.machine, trainingProver(honest), duel.match));
    await pass(chain, duel.timeLeft() + 1);
    expect(await duel.losersByTimeout()).toEqual([1]);
    gas[`timeout, with ${name}`] = duel.receipts[1].gas;
  }
  // A challenger that brings the dispute before the game and is silent.
  for (const [i, name] of ["a first credit", "a later credit"].entries()) {
    const forfeited = await challengedAlone({ chain, game, job, commitEvery: 1, standing: hex(honest.runRoot) }, i);
    await pass(chain, PACE.clock + 1);
    const hash = await chain.client.writeContract({
      account: forfeited.owner(1),
      address: game,
      abi: disputeGameAbi,
      functionName: "forfeit",
      args: [forfeited.terms],
    });
    gas[`forfeit, with ${name}`] = Number((await chain.client.getTransactionReceipt({ hash })).gasUsed);
    expect(await forfeited.state()).toBe("Settled");
  }
  for (const [name, kernel] of [["a product", product] as const, ["the widest map", widest] as const]) {
    const liar = await rememberedRun(job, 1, [{ step: 2, at: { kernel }, element: 5, flip: 0x3f000001 }]);
    liars.push(liar);
    const duel = await Duel.open(chain, game, job, 1, [hex(honest.runRoot), hex(liar.runRoot)]);
    const prover = trainingProver(honest);
    await duel.play([prover, trainingProver(liar)]);
    await duel.prove((await prover.witness(positionOf(duel.match.game.path)))!);
    const proof = duel.receipts[duel.receipts.length - 1];
    const plain = duel.receipts.filter(({ bytes }) => bytes === 388);
    gas.move = Math.max(gas.move ?? 0, ...plain.map((receipt) => receipt.gas));
    gas[`${name}: proof`] = proof.gas;
    gas[`${name}: bytes of the proof`] = proof.bytes;
    gas[`${name}: moves`] = duel.receipts.length;
    gas[`${name}: all`] = duel.receipts.reduce((sum, receipt) => sum + receipt.gas, 0);
  }
  // The same proofs on a chain without CLZ.
  const portable = await deployGame(chain, PACE, GAS_BOND, "portable");
  for (const [i, name] of ["a product", "the widest map"].entries()) {
    const duel = await Duel.open(chain, portable, job, 1, [hex(honest.runRoot), hex(liars[i].runRoot)]);
    const prover = trainingProver(honest);
    await duel.play([prover, trainingProver(liars[i])]);
    await duel.prove((await prover.witness(positionOf(duel.match.game.path)))!);
    gas[`${name}: proof, portable`] = duel.receipts[duel.receipts.length - 1].gas;
    gas[`${name}: all, portable`] = duel.receipts.reduce((sum, receipt) => sum + receipt.gas, 0);
  }
  // A stranger with signatures plays the honest side, in the first dispute again.
  const duel = await Duel.open(chain, game, job, 1, [hex(honest.runRoot), hex(liars[0].runRoot)]);
  const key = fromHex(publicPrivateKey(chain.accounts.indexOf(duel.players.owners[0])), 32);
  let signed = 0;
  const signatureOf: SignatureOf = (opening) => {
    signed++;
    return signOpening(opening, key);
  };
  while (duel.match.game.phase !== "bottom") {
    const { turn: side } = duel.match;
    const turn = await makeTurn(duel.machine, trainingProver(side === 0 ? honest : liars[0]), duel.match);
    await duel.take(turn, side === 0 ? signatureOf : undefined);
  }
  const moves = duel.receipts.reduce((sum, receipt) => sum + receipt.gas, 0);
  const owners = gas["a product: all"] - gas["a product: proof"];
  gas["a product: signatures"] = signed;
  gas["a product: for each signature"] = Math.round((moves - owners) / signed);
  if (process.env.VERDE_WRITE_GAS) writeFileSync(FILE, `${JSON.stringify(gas, null, 2)}\n`);
  for (const [name, ceiling] of Object.entries(CEILINGS)) expect(gas[name], name).toBeLessThanOrEqual(ceiling);
  const held = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, number>;
  expect(Object.keys(gas)).toEqual(Object.keys(held));
  // The calldata holds clocks. A byte of them that happens to be zero costs less.
  for (const [name, figure] of Object.entries(held)) {
    // The figure for a signature is the difference of two sums of moves, so it has the slack of both.
    const whole = name === "a product: for each signature" ? (2 * held["a product: all"]) / signed : figure;
    const slack = /moves|bytes|signatures/.test(name) ? 0 : whole * SLACK;
    expect(Math.abs(gas[name] - figure), `${name}: ${gas[name]}, not ${figure}`).toBeLessThanOrEqual(slack);
  }
});
