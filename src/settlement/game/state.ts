/**
 * A match as the contract stores it: the words that are hashed, and the context, which changes only between
 * levels (contracts/game/GameTypes.sol).
 */
import { type Bytes, Writer } from "../../encoding/bytes.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { FormatError } from "../../errors/index.ts";
import { type GameState as Game, isRunning } from "../../game/bisection.ts";
import { bothSides, openClaim, type Pair, type Passed, positionOf, type Side } from "../../game/level.ts";
import { claimedAt, isStateUpdate, kernelAt } from "../../referee/machine.ts";
import { graphAt, type LevelName, type Place, placeOf } from "../../referee/place.ts";
import { type Address, encodeAbiParameters, type Hex, keccak256, parseAbiParameters } from "viem";
import { foldLeaves } from "../../repops/kernels/reads.ts";
import type { JobFacts } from "../../referee/facts.ts";
import { type GameFacts, hex, ZERO } from "./facts.ts";
import { type Match, otherSide } from "./match.ts";
import { pastHash } from "./past.ts";
import { answerWithin, roundOf } from "./round.ts";

/** The levels, in the order of GameTypes.sol and TrainingTypes.sol. */
export const LEVELS = ["segment", "step", "operator", "state", "chunk", "fold"] as const satisfies readonly LevelName[];
const QUESTIONS = ["start", "opening", "children", "payload", "bottom"] as const;

export interface ChainState {
  word: bigint;
  context: Hex;
  shown: Hex;
  node: Hex;
}

/** The two players: the contract's id of the pair, and the owners of the two claims. */
export interface Players {
  readonly pair: Hex;
  readonly owners: Pair<Address>;
}

export interface Context {
  players: Hex;
  owners: Pair<Address>;
  job: Hex;
  graph: Hex;
  kernel: Hex;
  place: bigint;
  sizes: bigint;
  past: Hex;
  claims: readonly [Hex, Hex];
  root: Hex;
}

const STATE = parseAbiParameters("uint256, bytes32, bytes32, bytes32");
const CONTEXT = parseAbiParameters(
  "bytes32, address[2], bytes32, bytes32, bytes32, uint256, uint256, bytes32, bytes32[2], bytes32",
);

export function hashState({ word, context, shown, node }: ChainState): Hex {
  return keccak256(encodeAbiParameters(STATE, [word, context, shown, node]));
}

function hashContext({ players, owners, job, graph, kernel, place, sizes, past, claims, root }: Context): Hex {
  return keccak256(
    encodeAbiParameters(CONTEXT, [players, owners, job, graph, kernel, place, sizes, past, claims, root]),
  );
}

/** The state whose hash the contract stores. */
export function chainState(facts: GameFacts, players: Players, match: Match): ChainState {
  return { word: wordOf(match), context: hashContext(contextOf(facts, players, match.game)), ...answersOf(match) };
}

/** The question that needs a reply, as the contract names it. */
function questionOf({ game, shown }: Match): (typeof QUESTIONS)[number] {
  if (!isRunning(game)) return "bottom";
  return shown === undefined ? "start" : game.phase;
}

function wordOf(match: Match): bigint {
  const { game, turn, clocks, since } = match;
  const { level, count, height, position } = placeInTree(game);
  const question = QUESTIONS.indexOf(questionOf(match));
  const fields: [bits: number, value: number][] = [
    [40, since],
    [32, clocks[0]],
    [32, clocks[1]],
    [8, turn],
    [8, question],
    [8, LEVELS.indexOf(level as LevelName)],
    [8, height],
    [32, count],
    [32, position],
  ];
  return packed(fields);
}

/** What side 0 has left of its clock, from a word of the contract. */
export const firstClock = (word: bigint): number => Number((word >> 40n) & 0xffffffffn);

/**
 * Packs fields into one word. The first field has the lowest bits.
 * @throws {FormatError} when a value does not fit its field, since it would change the field beside it
 */
export function packed(fields: readonly (readonly [bits: number, value: number])[]): bigint {
  let word = 0n;
  for (const [bits, value] of fields.toReversed()) {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits)
      throw new FormatError("RANGE", `a field of a match is ${value}; it is a whole number of ${bits} bits`, {
        bits,
        found: value,
      });
    word = (word << BigInt(bits)) | BigInt(value);
  }
  return word;
}

function placeInTree(game: Game) {
  if (game.phase === "children" || game.phase === "payload") {
    const { level, height, position } = game;
    return { level: level.name, count: level.count, height, position };
  }
  if (game.phase === "opening") return { level: game.level.name, count: game.level.count, height: 0, position: 0 };
  const { level, index } = game.path[game.path.length - 1];
  return { level: level.name, count: level.count, height: 0, position: index };
}

function answersOf({ game, shown, turn }: Match): Pick<ChainState, "shown" | "node"> {
  if (shown === undefined || !isRunning(game)) return { shown: ZERO, node: ZERO };
  const other = otherSide(turn);
  if (game.phase === "opening") {
    const opening = answerWithin(roundOf(game), shown, game);
    return { shown: hex(openClaim(game.level, game.claims[other], opening)), node: ZERO };
  }
  return { shown: hex(game.nodes[other]), node: hex(game.nodes[turn]) };
}

/** The context: the part of the state that changes only between levels. */
export function contextOf(gameFacts: GameFacts, players: Players, game: Game): Context {
  const { facts } = gameFacts;
  const { path } = game;
  const place = placeOf(facts, positionOf(path));
  const inGraph =
    path.some(({ level }) => level.name === "operator") || (isRunning(game) && game.level.name === "operator");
  const inKernel = place.kernel !== undefined && !isStateUpdate(facts, place);
  return {
    players: players.pair,
    owners: players.owners,
    job: gameFacts.jobHash(),
    graph: inGraph ? keccak256(gameFacts.graph(graphAt(place)).trees) : ZERO,
    kernel: inKernel ? hex(gameFacts.kernel(graphAt(place), place.kernel!).leaf) : ZERO,
    place: packPlace(place, path),
    sizes: packSizes(facts, place, inGraph),
    past: pastHash(game),
    claims: claimsOf(game),
    root: rootOf(facts, game),
  };
}

function rootOf(facts: JobFacts, game: Game): Hex {
  if (isRunning(game)) return game.phase === "opening" ? ZERO : hex(game.roots[0]);
  const last = game.path[game.path.length - 1];
  return hex(last.level.name === "segment" ? facts.parts.init : last.roots[0]);
}

/** The claims of the level, or at the bottom the claims that the step decides. */
function claimsOf(game: Game): Pair<Hex> {
  const claims = isRunning(game) ? game.claims : decidedClaims(game.path[game.path.length - 1]);
  return bothSides((side) => hex(padded(claims[side])));
}

function decidedClaims(last: Passed): Pair<Bytes> {
  return bothSides((side: Side) => claimedAt(last.level, last.payloads[side], last.part));
}

/** 32 bytes: a digest unchanged, or the bits of an element as a number, padded with zeros on the left. */
function padded(claim: Bytes): Bytes {
  return new Writer()
    .bytes(new Uint8Array(32 - claim.length))
    .bytes(claim)
    .finish();
}

function packPlace(place: Place, path: readonly Passed[]): bigint {
  const step = path.find(({ level }) => level.name === "step")?.index ?? 0;
  const indices = [place.segment, step, place.kernel ?? 0, place.entry ?? place.element ?? 0, place.fold ?? 0];
  return packed(indices.map((index) => [32, index]));
}

function packSizes(facts: JobFacts, place: Place, inGraph: boolean): bigint {
  const { inputs, outputs, kernelCount } = inGraph ? facts.graph(graphAt(place)) : NO_GRAPH;
  const kernel = place.kernel !== undefined && !isStateUpdate(facts, place) ? kernelAt(facts, place) : undefined;
  const ofRun = [facts.parts.steps, facts.commitEvery];
  const ofGraph = [inputs.length, outputs.length, kernelCount];
  const ofKernel = [kernel ? elementCount(kernel.type.shape) : 0, kernel ? foldLeaves(kernel) : 0];
  const lists = facts.parts.lists?.length ?? 0;
  return packed([...ofRun, ...ofGraph, ...ofKernel, lists].map((size) => [32, size]));
}

const NO_GRAPH = { inputs: [], outputs: [], kernelCount: 0 } as const;
