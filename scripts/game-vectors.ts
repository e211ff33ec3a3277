/**
 * Makes `test/vectors/game.json`: disputes move by move, as calls of the contract and the states after them.
 * The Solidity tests replay them (test/solidity/Bisection.t.sol); a test in TypeScript makes them again
 * (test/settlement/game/state.test.ts).
 */
import { fileURLToPath } from "node:url";
import { encodeAbiParameters, type Hex, parseAbiParameters } from "viem";
import { signOpening } from "../src/claims/opening.ts";
import { addressOf } from "../src/claims/signature.ts";
import type { Bytes } from "../src/encoding/bytes.ts";
import { type ClosedJob, outlineOf } from "../src/job/closed.ts";
import { loadJob } from "../src/job/load.ts";
import { trainingProver } from "../src/referee/claim.ts";
import { DisputeError } from "../src/errors/index.ts";
import type { Machine } from "../src/game/bisection.ts";
import { trainingMachine } from "../src/referee/machine.ts";
import { bothSides, type Pair, positionOf, type Side } from "../src/game/level.ts";
import { type ChainMatch, moveCall, proveCall } from "../src/settlement/game/calls.ts";
import { GameFacts, hex } from "../src/settlement/game/facts.ts";
import { type Match, type Pace, play, startMatch, type Turn } from "../src/settlement/game/match.ts";
import { makeTurn } from "../src/settlement/game/player.ts";
import { chainState, contextOf, hashState, type Players } from "../src/settlement/game/state.ts";
import { foldLiar, type Party, rootLiar } from "../test/referee/liars.ts";
import { type Fault, rememberedRun, type RememberedRun } from "../test/referee/remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "../test/referee/tiny-job.ts";

export const PACE: Pace = { clock: 4000, response: 600, recompute: 1800 };
const START = 1_800_000_000;
const PAIR: Hex = `0x${"5a".repeat(30)}0102`;
/** The keys of the two owners. `Consents.t.sol` has them too. */
const KEYS = [0x0a, 0x0b].map((byte) => new Uint8Array(32).fill(byte)) as unknown as Pair<Bytes>;
const OWNERS = bothSides((side) => hex(addressOf(KEYS[side])));
const PLAYERS: Players = { pair: PAIR, owners: OWNERS };

/** What the Solidity tests decode of each dispute. */
const ENCODED = parseAbiParameters(
  "((bytes32 id, bytes32 step, bytes32 init, bool fromCheckpoint, bytes32 dataset) job, uint32 steps, uint32 commitEvery, " +
    "bytes32 players, address[2] owners, bytes32[2] claims, bytes32[] states, uint256[] times, bytes[] calls, bool[] open, bytes[] consented, " +
    "(uint256 word, bytes32 context, bytes32 shown, bytes32 node) last, " +
    "(bytes32 players, address[2] owners, bytes32 job, bytes32 graph, bytes32 kernel, uint256 place, uint256 sizes, bytes32 past, bytes32[2] claims, bytes32 root) context, uint256 losers, bytes proof, uint256 wrong) dispute",
);

interface Case {
  name: string;
  job?: ClosedJob;
  commitEvery: number;
  liar: (job: ClosedJob, commitEvery: number) => Promise<Party>;
}

type Wrong = Fault["at"];
const wrong =
  (step: number, at: Wrong, element: number) =>
  async (job: ClosedJob, commitEvery: number): Promise<Party> =>
    partyOf(await rememberedRun(job, commitEvery, [{ step, at, element, flip: 0x3f000001 }]));

const partyOf = (run: RememberedRun): Party => ({ runRoot: run.runRoot, prover: trainingProver(run) });

const GPT = fileURLToPath(new URL("../examples/char-gpt.ts", import.meta.url));
const gpt = await loadJob(GPT, { layers: 1, dim: 8, heads: 2, context: 8, batch: 2, steps: 2 });

/** The first operator of the GPT with this end of its label. */
function labelled(end: string): Wrong {
  const kernel = gpt.step.labels.findIndex((label) => label.endsWith(end));
  if (kernel < 0) throw new Error(`the GPT has no operator ${end}`);
  return { kernel };
}

const CASES: readonly Case[] = [
  { name: "the end of a fold, in the middle of a segment", commitEvery: 2, liar: wrong(3, { kernel: 2 }, 5) },
  { name: "a map, one step a segment", commitEvery: 1, liar: wrong(4, { kernel: 3 }, 71) },
  { name: "a gather, all steps in one segment", commitEvery: 7, liar: wrong(5, { kernel: 1 }, 3) },
  { name: "the last kernel", commitEvery: 3, liar: wrong(5, { kernel: 10 }, 3) },
  { name: "a scalar in a segment that is cut", commitEvery: 4, liar: wrong(5, { kernel: 7 }, 0) },
  { name: "the init graph", commitEvery: 2, liar: wrong(0, { kernel: 0 }, 80) },
  { name: "the assembly of a state", commitEvery: 2, liar: wrong(2, { entry: 3 }, 5) },
  { name: "the assembly of an entry that stays", commitEvery: 3, liar: wrong(4, { entry: 2 }, 1) },
  { name: "the assembly of an operator's output", commitEvery: 2, liar: wrong(4, { entry: 0 }, 30) },
  { name: "the assembly of the initial state", commitEvery: 2, liar: wrong(0, { entry: 1 }, 30) },
  { name: "the assembly of an entry that stays, within a segment", commitEvery: 3, liar: wrong(5, { entry: 2 }, 1) },
  { name: "a row that does not exist", commitEvery: 1, liar: wrong(1, { kernel: 1 }, 8) },
  { name: "a fold without steps", commitEvery: 2, liar: wrong(5, { kernel: 8 }, 1) },
  { name: "a short fold of two operands", job: gpt, commitEvery: 1, liar: wrong(2, labelled("attention/scores"), 9) },
  { name: "a short fold of one", job: gpt, commitEvery: 1, liar: wrong(2, labelled("norm1/layer-norm-sum"), 3) },
  { name: "a checkpoint", job: tinyCheckpointJob(2), commitEvery: 1, liar: wrong(0, { entry: 0 }, 5) },
  // Together these two descend two levels in one move in all four ways.
  { name: "a long run, step 53", job: tinyJob(300), commitEvery: 1, liar: wrong(53, { entry: 2 }, 1) },
  { name: "a long run, step 226", job: tinyJob(300), commitEvery: 1, liar: wrong(226, { entry: 2 }, 1) },
  {
    name: "the middle of a fold",
    commitEvery: 2,
    liar: async (job, commitEvery) => {
      const fault = { step: 3, kernel: 4, element: 7, k: 3, flip: 0x3f000001 };
      return (await foldLiar(job, commitEvery, fault))!;
    },
  },
  {
    name: "a tensor without elements, which the liar can't open",
    commitEvery: 2,
    liar: async (job, commitEvery) => partyOf(await rootLiar(job, commitEvery, 9)),
  },
];

async function vectorOf({ name, job = tinyJob(5), commitEvery, liar: make }: Case, index: number) {
  const [honest, liar] = [partyOf(await rememberedRun(job, commitEvery)), await make(job, commitEvery)];
  const parties = index % 2 === 0 ? [honest, liar] : [liar, honest];
  const facts = new GameFacts(outlineOf(job), commitEvery);
  const machine = trainingMachine(facts.facts);
  const [first, second] = parties.map(({ runRoot }) => runRoot);
  let match = startMatch(machine, [first, second], PACE, START);
  const stateHash = (): Hex => hashState(chainState(facts, PLAYERS, match));
  const [states, times]: [Hex[], number[]] = [[stateHash()], [START]];
  const [calls, open, consented]: [Hex[], boolean[], Hex[]] = [[], [], []];
  while (match.game.phase !== "bottom") {
    const turn = await turnOf(machine, parties[match.turn], match);
    if (!turn) break;
    // Some moves are slow, so that clocks run down and the guaranteed time matters.
    const slow = calls.length % 3 === 2;
    const plain = match.shown !== undefined && match.game.phase === "children";
    const after = play(machine, match, turn, match.since + (slow ? (plain ? 600 : 1800) : 7));
    const chain = { facts, dispute: 1n, players: PLAYERS, match };
    const call = moveCall(chain, turn, after);
    const opens = showsProof(match) || showsProof(after);
    const key = KEYS[match.turn];
    calls.push(call);
    open.push(opens);
    consented.push(opens ? moveCall(chain, turn, after, (opening) => signOpening(opening, key)) : "0x");
    match = after;
    states.push(stateHash());
    times.push(match.since);
  }
  const claims = [hex(first), hex(second)] as const;
  const last = chainState(facts, PLAYERS, match);
  const context = contextOf(facts, PLAYERS, match.game);
  const losers = match.game.phase === "bottom" ? 3n : 1n << BigInt(match.turn);
  const { proof, wrong } = await proofOf(
    { facts, dispute: 1n, players: PLAYERS, match },
    parties,
    index % 2 === 0 ? 1 : 0,
  );
  const numbers = times.map(BigInt);
  return {
    name,
    encoded: encodeAbiParameters(ENCODED, [
      {
        job: facts.job,
        steps: job.steps,
        commitEvery,
        players: PAIR,
        owners: OWNERS,
        claims,
        states,
        times: numbers,
        calls,
        open,
        consented,
        last,
        context,
        losers,
        proof,
        wrong,
      },
    ]),
  };
}

/**
 * The call that ends a dispute at its bottom, and which sides are wrong then. The evidence is the liar's: it
 * is as good as any.
 */
async function proofOf(
  chain: ChainMatch,
  parties: readonly Party[],
  liar: Side,
): Promise<{ proof: Hex; wrong: bigint }> {
  const { path, phase } = chain.match.game;
  if (phase !== "bottom") return { proof: "0x", wrong: 0n };
  const witness = await parties[liar].prover.witness(positionOf(path));
  return { proof: proveCall(chain, witness!), wrong: 1n << BigInt(liar) };
}

/** `undefined` if the party has no answer. */
async function turnOf(machine: Machine, { prover }: Party, match: Match): Promise<Turn | undefined> {
  try {
    return await makeTurn(machine, prover, match);
  } catch (error) {
    if (error instanceof DisputeError) return undefined;
    throw error;
  }
}

/** The claim commits to the last leaf alone, so a party is free in what else it shows. */
function showsProof({ game }: Match): boolean {
  return game.phase === "opening" && game.level.binding.kind === "last";
}

/** The text of `test/vectors/game.json`. */
export async function gameVectors(): Promise<string> {
  const vectors = [];
  for (const [index, one] of CASES.entries()) vectors.push(await vectorOf(one, index));
  const encoded = vectors.map((vector) => vector.encoded);
  const disputes = vectors.map(({ name }) => name);
  return `${JSON.stringify({ pace: PACE, start: START, disputes, encoded }, null, 1)}\n`;
}
