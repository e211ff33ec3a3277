/** The errors of the contracts as sentences: what is wrong, and what to do. */
import type { Address, ContractErrorName, Hex } from "viem";
import type { taskManagerAbi } from "./abi/task-manager.ts";
import { ETHER, formatAmount, formatTime, type Token } from "./amount.ts";
import { formatDuration } from "./duration.ts";
import { SALE_STATES } from "./exchange/states.ts";
import { ROUND_SENTENCES } from "./rounds/sentences.ts";
import { ROUND_STATES } from "./rounds/states.ts";
import { PHASES, STATES } from "./task.ts";

/**
 * Every interface lists the errors of all contracts, so the compiler reports a new error that has no sentence
 * here.
 */
type Name = ContractErrorName<typeof taskManagerAbi>;

const ours = (problem: string) => (): string => `${problem}; this should not happen, please report it`;

const SENTENCES = {
  AlreadySeated: (_: Token, owner: Address) => `${owner} has a seat in this task already`,
  AskedBefore: (_: Token, round: number, seat: number) =>
    `this was asked before of seat ${seat} in round ${round}, and can be asked once`,
  BadCommittee: () =>
    "the committee has no members, or a member that is zero or listed twice, or a threshold that is not between 1 and the number of members",
  BlockForgotten: (_: Token, number: bigint) =>
    `the chain has forgotten the hash of block ${number}, so the seats can't be drawn; the task ends with a refund`,
  BondTooSmall: (_: Token, bond: bigint, least: bigint) =>
    `a gas bond of ${formatAmount(bond, ETHER)} would not pay for a dispute at this chain's price; ` +
    `give at least ${formatAmount(least, ETHER)} with --gas-bond`,
  BracketExists: (_: Token, bracket: Hex) => `the bracket ${bracket} is open already`,
  ChallengesOpen: (_: Token, count: bigint) =>
    `${count} challenges have not been revealed; \`verde task expire\` opens their reveal once the window is over`,
  ClosedBefore: (_: Token, number: bigint) => `the offers are closed already, and block ${number} decides`,
  CommitmentMismatch: () =>
    "root and salt are not those that the seat committed to; reveal the trace that it committed to, with the same key",
  ConvenedBefore: (_: Token, number: bigint) =>
    `this round is convened, and block ${number} decides; \`verde referee draw\` draws once the next block is there`,
  CountOutOfRange: () => "there have to be 2 to 16 providers and at most 64 demands",
  DemandsOpen: (_: Token, count: bigint) =>
    `${count} demanded chunks are not settled; deliver them, or expire those that are overdue`,
  DrawnAlready: (_: Token, round: bigint) => `the members of round ${round} are drawn already`,
  DrawnBefore: (_: Token, task: Hex) => `the seats of the task ${task} are drawn already`,
  ERC20InsufficientAllowance: (token: Token, spender: Address, allowance: bigint, needed: bigint) =>
    `${spender} may take ${formatAmount(allowance, token)}, but ${formatAmount(needed, token)} are needed; approve more`,
  ERC20InsufficientBalance: (token: Token, sender: Address, balance: bigint, needed: bigint) =>
    `${sender} has ${formatAmount(balance, token)}, but ${formatAmount(needed, token)} are needed`,
  ERC20InvalidApprover: ours("the token knows no such owner"),
  ERC20InvalidReceiver: () => "the token can't be sent to that address",
  ERC20InvalidSender: ours("the token knows no such sender"),
  ERC20InvalidSpender: ours("the token knows no such spender"),
  EmptyCommitment: ours("the commitment is zero"),
  EmptySale: () => "price, bond and the number of chunks must not be zero",
  EmptyRoot: ours("the root is zero"),
  ForeignGame: (_: Token, game: Address) =>
    `the terms name the game ${game}, which is not the one that may overturn this committee's verdicts; it judges nothing there`,
  GameTooLong: (_: Token, longest: bigint, toPlay: bigint) =>
    `the game may take ${formatDuration(Number(longest))}, but the terms give it ${formatDuration(Number(toPlay))}`,
  GameExists: (_: Token, game: Address) => `the game of this manager is ${game}, and no other can be named`,
  HashForgotten: (_: Token, number: bigint) =>
    `the chain has forgotten the hash of block ${number}; another block decides once the client's time for its secret is over`,
  HasJoined: (_: Token, participant: bigint) => `participant ${participant} has joined this performance already`,
  InstanceExists: (_: Token, instance: Hex) =>
    `there is already a performance with exactly these terms, ${instance}; use another salt`,
  InvalidShortString: ours("a name is malformed"),
  Leaving: (_: Token, readyAt: bigint) =>
    `the account leaves the pool; it may withdraw its stake, and register again, from ${formatTime(Number(readyAt))} on`,
  LimitReached: (_: Token, limit: bigint) => `the terms allow ${limit} of these, and that many have been made already`,
  NoChallenge: (_: Token, owner: Address) => `${owner} has no challenge in this task that is not revealed`,
  NoContradiction: () => "both are the same, so nobody has contradicted itself",
  NoCredit: (_: Token, owner: Address) => `the game has no bonds for ${owner} to withdraw`,
  NoKernel: () => "the shown bytes are not an operator of a graph",
  NoPair: (_: Token, first: bigint, second: bigint) =>
    `the players ${first} and ${second} can't be paired: one is out or does not exist, both claim the same, they were paired before, or their claims don't meet in this round`,
  NoSuchBracket: (_: Token, bracket: Hex) => `there is no bracket ${bracket}`,
  NoSuchChunk: (_: Token, chunk: bigint, count: bigint) =>
    `the tensor has ${count} chunks, so there is no chunk ${chunk}`,
  NoSuchElement: (_: Token, element: bigint) => `a tensor that the operator reads has no element ${element}`,
  NoSuchLeaf: (_: Token, index: bigint, count: bigint) => `there is no entry ${index} among ${count}`,
  NoSuchVerdict: () =>
    "the verdict is about another dispute, leaves more than one claim, or leaves one that does not stand; sign again",
  NoSuchSeat: (_: Token, seat: bigint) => `the plan has no seat ${seat}, or the terms have no such round`,
  NoQuestions: (_: Token, address: Address) => `there is no contract at ${address}; deploy it before the manager`,
  NoTensorType: () => "the type of the tensor is malformed",
  NotACandidate: (_: Token, account: Address) =>
    `${account} has no place in the pool, or has left it; \`verde referee register\` takes one`,
  NotAgreed: () => "the evidence does not lead to a value on which both sides agree",
  NotBeforeThisGame: () => "the task is not in this game; the owner of a losing seat can escalate it",
  NothingToWin: (_: Token, owner: Address) =>
    `${owner} has lost its stake already, or challenges itself; there is nothing to win`,
  NothingWaiting: (_: Token, round: number, seat: number) =>
    `nothing waits for an answer about seat ${seat} in round ${round}`,
  NotInPlan: () => "the template, the seat or the number of sources is not that of the plan",
  NotInRecord: (_: Token, round: number, seat: number) =>
    `the posted record has another leaf of seat ${seat} in round ${round}; show the record that was posted`,
  NotSigned: (_: Token, owner: Address) =>
    `${owner}, the owner of the claim, has not signed that the claim opens into this tree`,
  NotSignedBy: (_: Token, owner: Address) => `${owner} has not signed this; show its own signature`,
  NotTheClient: (_: Token, caller: Address, client: Address) =>
    `only ${client}, the client of the task, may do this, not ${caller}`,
  NotTheOwner: (_: Token, owner: Address) =>
    `only ${owner}, the owner of the claim, may open it into a tree without a signature`,
  NotTheManager: (_: Token, caller: Address) =>
    `only the task manager moves money in the vault, and ${caller} is not the task manager`,
  NotConvened: (_: Token, number: bigint) =>
    number === 0n
      ? "the committee is not convened for this dispute"
      : `block ${number} decides who is drawn, and the next one has to follow it`,
  NotByChallenge: () => "no challenger has to open this dispute: providers differ, or a committee has ruled",
  NotDrawnHere: () => "the seats of this task are not drawn by this contract",
  NotJudging: (_: Token, state: number, phase: number) =>
    state === 0
      ? "there is no such task"
      : `the task is ${STATES[state]}${phase ? `, ${PHASES[phase]}` : ""}, so the committee can't judge it now`,
  NotFinal: (_: Token, state: number) => `the task is ${STATES[state]}; a canary is shown once its task is Final`,
  NotMarked: () => "the salt of the terms does not hide this root and this secret",
  NotPlaying: () => "the game of this task is over, or one of the two players has lost",
  NotReceived: (_: Token, to: Address) =>
    `${to} does not accept the chain's currency; withdraw the bonds to another address`,
  NotSealed: (_: Token, root: Hex) => `the chunk leads to the root ${root}, which is not that of the offer`,
  NotSettled: (_: Token, task: Hex, seat: bigint) =>
    `seat ${seat} of the task ${task} has no settled claim: the task has not ended, was refunded, or the seat has lost`,
  NoGame: () => "the manager has no game yet, or no address is given for it; its deployer names one with `nameGame`",
  NotThisCommittee: (_: Token, committee: Address) => `the terms name another committee, ${committee}`,
  NotTheRoot: (_: Token, standing: Hex) =>
    `the task ended with the root ${standing}, so the root of the canary is not proven`,
  NothingToDo: () => "the amount is zero, or there is nothing to pay",
  NothingWrong: (_: Token, chunk: bigint) => `chunk ${chunk} decrypts to what its leaf says, so there is nothing wrong`,
  NothingToSettle: () => "there is no verdict of this committee to settle, it is settled, or the dispute is not over",
  NothingToPay: () => "the member has been paid its share; there will be more when the committee earns more",
  OfferedBefore: (_: Token, owner: Address) => `${owner} has offered already`,
  OffersAreOver: (_: Token, closes: bigint) => `offers for seats were taken until ${formatTime(Number(closes))}`,
  OffersStillTaken: (_: Token, closes: bigint) => `offers for seats are taken until ${formatTime(Number(closes))}`,
  OnlyManager: (_: Token, caller: Address) => `only the task manager may do this, not ${caller}`,
  OtherJob: (_: Token, right: Hex) =>
    `the leaf should have the job ${right} and has another one; accuse its owner, or show the leaves that it has read`,
  OtherMachine: () =>
    "the chain computes otherwise than the contract expects, so it was not deployed; let `verde chain deploy` choose the build",
  OtherOffer: (_: Token, root: Hex) => `the offer has changed; its root is ${root} now, so check the file again`,
  PeriodTooShort: () => "no period may be shorter than 60 seconds",
  ReentrancyGuardReentrantCall: () => "the token calls back during a transfer, which the contracts do not allow",
  RightJob: (_: Token, job: Hex) => `the leaf has the job ${job}, as it should; challenge its states instead`,
  SaleExists: (_: Token, sale: Hex) =>
    `there is already a sale with exactly these terms, ${sale}; use another --salt to pledge again`,
  RoundNotOver: (_: Token, until: bigint) =>
    `the members that were drawn have time until ${formatTime(Number(until))}; others are drawn after that`,
  SafeCastOverflowedUintDowncast: () => "an amount or a time is larger than the contracts can store",
  SafeERC20FailedOperation: (_: Token, token: Address) => `the token ${token} does not make the transfer`,
  SameRun: () => "the challenger claims what the record has",
  SeatRefused: (_: Token, owner: Address) =>
    `the seats of this task are for others, or are drawn: its seat policy does not let ${owner} take one now`,
  SecretAwaited: (_: Token, until: bigint) =>
    `the client may open its secret until ${formatTime(Number(until))}; after that a block decides without it`,
  ShownBefore: (_: Token, task: Hex) => `it is known already that ${task} was a canary`,
  StillExposed: (token: Token, exposed: bigint) =>
    `running tasks may still slash ${formatAmount(exposed, token)}; end them first, \`verde task list\` shows them`,
  StaleChallenge: (_: Token, standing: Hex) =>
    `the claim that stands is ${standing}, and the challenge is against another one, so it takes nothing; ` +
    "challenge again if you claim something else",
  StillOpen: (_: Token, open: number) =>
    `${open} challenges, accusations or demands have not ended; end those whose time is over`,
  StillPlaying: () => "more than one claim stands, the dispute is not over, or no claim has fallen yet",
  StillUnbonding: (_: Token, readyAt: bigint) => `the stake can be withdrawn from ${formatTime(Number(readyAt))} on`,
  StringTooLong: ours("a name is too long"),
  TaskExists: (_: Token, task: Hex) =>
    `there is already a task with exactly these terms, ${task}; use another --salt to post another task`,
  TaskNotOpen: (_: Token, state: number) =>
    state === 0 ? "there is no such task" : `the task is ${STATES[state]}, and seats are drawn only while it is Open`,
  TaskTooLong: (_: Token, longest: bigint, limit: bigint) =>
    `the task could last ${formatDuration(Number(longest))}, but stake stays locked only for ${formatDuration(Number(limit))}; ` +
    "shorten the periods",
  TermsOutOfRange: () =>
    "there have to be 1 to 255 participants, amounts that are not zero, periods of 60 seconds or more, and turns whose members are participants",
  TooEarly: (_: Token, deadline: bigint) => `the deadline has not passed yet; it is ${formatTime(Number(deadline))}`,
  TooEarlyToDraw: (_: Token, number: bigint) =>
    number === 0n
      ? "offers are still taken; close them first"
      : `the block ${number} decides, and the next one has to follow it`,
  TooFewCandidates: (_: Token, candidates: bigint, wanted: bigint) =>
    `${candidates} accounts can be drawn, but ${wanted} are needed; \`verde referee register\` takes a place in the pool`,
  TooFewOffers: (_: Token, offers: bigint, seats: bigint) =>
    `${offers} accounts have offered for ${seats} seats, so there is nothing to draw; the task ends with a refund`,
  TooLate: (_: Token, deadline: bigint) => `the deadline has passed; it was ${formatTime(Number(deadline))}`,
  TooLittleStake: (token: Token, owner: Address, available: bigint, wanted: bigint) =>
    `${owner} has ${formatAmount(available, token)} of free stake, but ${formatAmount(wanted, token)} are needed; ` +
    "add some with `verde stake deposit`",
  TooLittleFree: (token: Token, available: bigint, wanted: bigint) =>
    `there are ${formatAmount(available, token)} of free stake, but ${formatAmount(wanted, token)} are needed; add some with \`verde stake deposit\``,
  VaultFull: () => "an account can't have more stake in the vault",
  VerdictExpired: (_: Token, validUntil: bigint) => `the signatures were valid until ${formatTime(Number(validUntil))}`,
  VotedOtherwise: (_: Token, member: Address) => `${member} has signed that another claim is right`,
  WitnessTooLong: () => "the evidence has more than the step needs",
  WitnessTooShort: () => "the evidence has less than the step needs",
  WrongAmountReceived: (token: Token, received: bigint, amount: bigint) =>
    `the token moved ${formatAmount(received, token)} instead of ${formatAmount(amount, token)}; tokens that take a fee are not supported`,
  WrongAnswer: () => "the answer does not hash to what the same side claimed before",
  WrongBond: (_: Token, value: bigint, wanted: bigint) =>
    `the call sends ${formatAmount(value, ETHER)}, but it has to send ${formatAmount(wanted, ETHER)}; each player posts the ` +
    "game's gas bond once, with its challenge, its escalation or its first move",
  WrongCaller: (_: Token, caller: Address, wanted: Address) => `only ${wanted} may do this, not ${caller}`,
  WrongChunk: (_: Token, root: Hex) =>
    `the chunk leads to the root ${root}, which is not the claim; use the trace that was claimed`,
  WrongChunkLength: (_: Token, length: bigint, wanted: bigint) => `the chunk has ${length} bytes instead of ${wanted}`,
  WrongClaims: () => "the verdict does not list exactly the claims that stand; sign again",
  WrongContext: () => "the given context does not belong to the dispute's state",
  WrongDemand: (_: Token, index: bigint) => `demand ${index} does not exist, or is settled or void`,
  WrongDispute: (_: Token, dispute: bigint, current: bigint) =>
    `the verdict is for dispute ${dispute}, but the task is in dispute ${current}; sign again`,
  WrongFacts: () => "what was shown does not belong to the disputed runs, job, graph or operator",
  WrongJob: (_: Token, job: Hex) => `the shown parts belong to the job ${job}, not to the task's job`,
  WrongKey: () => "the key is not the one that was offered",
  WrongLayout: () => "the tensor's type is not the one in the task's terms",
  WrongLength: (_: Token, length: bigint, wanted: bigint) => `an answer has ${length} bytes instead of ${wanted}`,
  WrongLink: () => "neither the salt of the terms nor the secret that was opened last commits to this secret",
  WrongLosers: (_: Token, losers: bigint) =>
    `nobody loses, more than one claim is left, or a loser is not in the list (losers ${losers.toString(2)} in binary)`,
  WrongPlan: (_: Token, plan: Hex) => `the terms describe the plan ${plan}, and name another one`,
  WrongProofLength: (_: Token, length: bigint) => `a proof of ${length} hashes is too short or too long for its place`,
  WrongQuestion: () => "the dispute is at another question now",
  WrongResolution: () => "this is not the ruling that was made",
  WrongRoundState: (_: Token, state: number) =>
    state === 0
      ? "there is no such performance"
      : `the performance is ${ROUND_STATES[state]}, and in this state this can't be done`,
  WrongSaleState: (_: Token, state: number) =>
    state === 0 ? "there is no such sale" : `the sale is ${SALE_STATES[state]}, and in this state this can't be done`,
  WrongSeat: (_: Token, seat: bigint) => `seat ${seat} does not exist, is out, or has made this move`,
  WrongSignature: (_: Token, signer: Address) => `the signature is not ${signer}'s over this verdict`,
  WrongSignatureCount: (_: Token, given: bigint, threshold: bigint) =>
    `there are ${given} signatures, but ${threshold} are needed`,
  WrongSigner: (_: Token, signer: Address) =>
    `${signer} is not a member of the committee, or is listed twice or out of order`,
  WrongState: (_: Token, state: number | Hex, phase?: number) => {
    if (typeof state === "string") return `the dispute has moved on; its state is ${state} now`;
    const name = phase ? `${STATES[state]}, ${PHASES[phase]}` : STATES[state];
    return state === 0 ? "there is no such task" : `the task is ${name}, and in this state this can't be done`;
  },
  WrongSecret: () => "the salt of the terms commits to another secret",
  ZeroTerm: () => "steps, steps in a segment, tensors, stake, bond and committee must not be zero",
  ...ROUND_SENTENCES,
} as const satisfies Record<Name, (token: Token, ...args: never[]) => string>;

/** The sentence for an error of the contracts. `undefined` for an error that is not theirs. */
export function sentenceFor(name: string, args: readonly unknown[], token: Token): string | undefined {
  if (!Object.hasOwn(SENTENCES, name)) return undefined;
  const sentence = SENTENCES[name as Name] as (token: Token, ...args: readonly unknown[]) => string;
  return sentence(token, ...args);
}
