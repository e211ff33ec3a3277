/**
 * An account that owns no claim plays a whole side of a dispute. It holds the side's trace and what the
 * side's owner has signed off the chain, before the dispute began, and nothing else.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type Address, decodeFunctionData, type Hex } from "viem";
import { type Opening, openingKey, signOpening } from "../../src/claims/opening.ts";
import { addressOf } from "../../src/claims/signature.ts";
import { type Bytes, fromHex, toHex } from "../../src/encoding/bytes.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { type Pair, positionOf, SIDES } from "../../src/game/level.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import { disputeGameAbi } from "../../src/settlement/abi/dispute-game.ts";
import { moveCall } from "../../src/settlement/game/calls.ts";
import type { SignatureOf } from "../../src/settlement/game/consent.ts";
import { GameFacts, hex } from "../../src/settlement/game/facts.ts";
import { play, startMatch } from "../../src/settlement/game/match.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { publicPrivateKey } from "../../src/settlement/local/chain.ts";
import { type Fault, type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, errorOf, openChain } from "./chain.ts";
import { deployGame, Duel, PACE, strangerOf } from "./duel.ts";

const job = tinyJob(5);
const outline = outlineOf(job);
let chain: Chain;
let game: Address;
beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
});

const at = (step: number, kernel: number, element: number): Fault => ({
  step,
  at: { kernel },
  element,
  flip: 0x3f000001,
});

/** A fault in each kind of place, and the trees that have to be signed on the way to it. */
const CASES: readonly [name: string, commitEvery: number, Fault, trees: string[]][] = [
  ["a fold, in the middle of a segment", 2, at(3, 2, 5), ["step", "operator", "fold"]],
  ["a map, all steps in one segment", 7, at(4, 3, 71), ["step", "operator"]],
  ["a map, one step a segment", 1, at(4, 3, 71), ["operator"]],
  ["the init graph", 2, at(0, 0, 80), ["operator"]],
  ["an entry of the state", 2, { step: 3, at: { entry: 0 }, element: 5, flip: 1 }, ["step", "operator"]],
];

const keyOf = (address: Address): Bytes => {
  const index = chain.accounts.findIndex((account) => account.toLowerCase() === address.toLowerCase());
  const key = fromHex(publicPrivateKey(index), 32);
  expect(toHex(addressOf(key))).toBe(address.toLowerCase());
  return key;
};

const nameOf = (opening: Opening): string => `${toHex(opening.run)} ${openingKey(opening)} ${toHex(opening.root)}`;

/** What both sides sign in a dispute off the chain, by what is said. No key is used afterwards. */
class Recorded {
  readonly openings: Pair<Opening[]> = [[], []];
  private readonly signatures = new Map<string, Bytes>();

  static async of(runs: Pair<RememberedRun>, commitEvery: number, owners: Pair<Address>): Promise<Recorded> {
    const recorded = new Recorded();
    const facts = new GameFacts(outline, commitEvery);
    const machine = trainingMachine(facts.facts);
    const players = { pair: hex(new Uint8Array(32)), owners };
    let match = startMatch(machine, [runs[0].runRoot, runs[1].runRoot], PACE, 1);
    while (match.game.phase !== "bottom") {
      const { turn: side } = match;
      const turn = await makeTurn(machine, trainingProver(runs[side]), match);
      const after = play(machine, match, turn, 1);
      moveCall({ facts, dispute: 1n, players, match }, turn, after, (opening) => {
        const signature = signOpening(opening, keyOf(owners[side]));
        recorded.openings[side].push(opening);
        recorded.signatures.set(nameOf(opening), signature);
        return signature;
      });
      match = after;
    }
    return recorded;
  }

  readonly signatureOf: SignatureOf = (opening) => this.signatures.get(nameOf(opening));
}

async function begin(commitEvery: number, faults: Pair<readonly Fault[]>) {
  const runs = [
    await rememberedRun(job, commitEvery, faults[0]),
    await rememberedRun(job, commitEvery, faults[1]),
  ] as const;
  const duel = await Duel.open(chain, game, job, commitEvery, [hex(runs[0].runRoot), hex(runs[1].runRoot)]);
  const recorded = await Recorded.of(runs, commitEvery, duel.players.owners);
  return { runs, duel, recorded, provers: [trainingProver(runs[0]), trainingProver(runs[1])] as const };
}

const creditOf = (owner: Address): Promise<bigint> =>
  chain.client.readContract({ address: game, abi: disputeGameAbi, functionName: "creditOf", args: [owner] });

describe("a stranger", () => {
  for (const [name, commitEvery, fault, trees] of CASES)
    test(`plays a whole side about ${name}, against an owner that moves itself`, async () => {
      for (const played of SIDES)
        for (const liar of SIDES) {
          const { duel, recorded, provers } = await begin(commitEvery, liar === 0 ? [[fault], []] : [[], [fault]]);
          for (const side of SIDES) expect(recorded.openings[side].map(({ tree }) => tree)).toEqual(trees);
          const { owners } = duel.players;
          const before = await creditOf(strangerOf(chain));
          const ownedBefore = await chain.client.getBalance({ address: owners[played] });
          // `take` compares the state with the counterpart's, which does not know who moves.
          while (duel.match.game.phase !== "bottom") {
            const { turn: side } = duel.match;
            const turn = await makeTurn(duel.machine, provers[side], duel.match);
            await duel.take(turn, side === played ? recorded.signatureOf : undefined);
          }
          // The owner has not sent anything, and has paid for nothing.
          expect(await chain.client.getBalance({ address: owners[played] })).toBe(ownedBefore);
          const witness = await provers[played].witness(positionOf(duel.match.game.path));
          expect(await duel.prove(witness!)).toEqual([liar]);
          // The bonds that were posted are in the bracket, and the stranger has given its own away.
          expect(await creditOf(strangerOf(chain))).toBe(before);
        }
    });

  test("has no move where it holds no signature, and the game takes no other one", async () => {
    const { duel, recorded, provers, runs } = await begin(2, [[at(3, 2, 5)], []]);
    const facts = duel.facts;
    let trees = 0;
    while (duel.match.game.phase !== "bottom") {
      const { turn: side } = duel.match;
      const { dispute, players, match, machine } = duel;
      const turn = await makeTurn(machine, provers[side], match);
      const after = play(machine, match, turn, match.since);
      const call = (signatureOf: SignatureOf): Hex =>
        moveCall({ facts, dispute, players, match }, turn, after, signatureOf);
      const refused = (signatureOf: SignatureOf): Promise<string> => reasonOf(duel, call(signatureOf));
      if (
        decodeFunctionData({ abi: disputeGameAbi, data: call(() => new Uint8Array(65)) }).functionName === "turnFor"
      ) {
        trees++;
        expect(() => call(() => undefined)).toThrow("has not signed");
        const own = keyOf(players.owners[side]);
        const wrong: SignatureOf[] = [
          () => new Uint8Array(0),
          (opening) => signOpening(opening, keyOf(players.owners[1 - side])),
          (opening) => signOpening({ ...opening, run: runs[1 - side].runRoot }, own),
          (opening) => signOpening({ ...opening, segment: opening.segment + 1 }, own),
          (opening) => signOpening({ ...opening, step: opening.step ^ 1 }, own),
          (opening) => signOpening({ ...opening, kernel: opening.kernel ^ 1 }, own),
          (opening) => signOpening({ ...opening, element: opening.element ^ 1 }, own),
          (opening) => signOpening({ ...opening, tree: "segment" }, own),
          (opening) => signOpening(opening, own).slice(0, 64),
          (opening) => signOpening(opening, own).map((byte, i) => (i === 64 ? byte - 27 : byte)),
        ];
        for (const signatureOf of wrong) expect(await refused(signatureOf)).toBe("NotSigned");
        // The owner's call in the name of another account.
        expect(await reasonOf(duel, moveCall({ facts, dispute, players, match }, turn, after))).toBe("NotTheOwner");
      }
      await duel.take(turn, side === 0 ? recorded.signatureOf : undefined);
    }
    expect(trees).toBeGreaterThan(4);
  });
});

/** The name of the error with which the game refuses a stranger's call. */
function reasonOf(duel: Duel, data: Hex): Promise<string> {
  const call = decodeFunctionData({ abi: disputeGameAbi, data });
  const request = { account: strangerOf(chain), address: game, abi: disputeGameAbi, value: duel.bond(), ...call };
  return errorOf(chain.client.simulateContract(request as never));
}
