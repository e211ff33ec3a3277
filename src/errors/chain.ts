/** Failures of chains. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const CHAIN = {
  RPC: {
    when: "The address of the node is not a valid address.",
    remedy: "Give an address that begins with http:// or https://.",
  },
  UNREACHABLE: { when: "No node answers.", remedy: "Name a node with `--rpc`, or start one with `verde chain node`." },
  TIMEOUT: {
    when: "The node stopped answering, and did not answer again in time.",
    remedy: "Run the same command again; signed transactions are in the journal.",
  },
  WRONG_CHAIN: {
    when: "The node belongs to another chain than the deployment.",
    remedy: "Name a node of that chain with `--rpc`, or another deployment.",
  },
  NODES_DIFFER: {
    when: "Two nodes answer the same request differently.",
    remedy: "Find out which one is wrong, and omit it.",
  },
  ANSWER_FALSE: {
    when: "A node's answer contradicts what it has to hash to, or what is known.",
    remedy: "Name another node with `--rpc`; this one lies, or is broken.",
  },
  LOGS: {
    when: "A node does not give events, not even those of a single block.",
    remedy: "Name another node with `--rpc`, or the task's terms with `--terms`.",
  },
  CODE_FALSE: {
    when: "A contract of the deployment has another code than it should have.",
    remedy: "Do not use this node, or this deployment.",
  },
  CONTRACT_MISSING: {
    when: "The contract is not at the address, or not in the deployment.",
    remedy: "Check the address and the deployment; a chain that was started again has no contracts.",
  },
  CONTRACT_KIND: {
    when: "The contract at the address is of another kind.",
    remedy: "Give the address of a contract of the kind that the message names.",
  },
  TASK_MISSING: { when: "The task does not exist.", remedy: "Check the id, the chain and the deployment." },
  ROUNDS_MISSING: {
    when: "There is no performance of rounds with these terms on the chain.",
    remedy: "Name the file that `verde rounds post` has written, and the deployment for which it was posted.",
  },
  SALE_MISSING: { when: "The sale does not exist.", remedy: "Check the id, the chain and the deployment." },
  REFUSED: { when: "A contract refuses the call.", remedy: "Do what the message says; it names the rule." },
  FAILED: {
    when: "The node can't execute a request, for a reason of its own.",
    remedy: "Read the node's reason in the message, and repeat the command.",
  },
  FUNDS: {
    when: "The account has not enough of a token or of the chain's currency.",
    remedy: "Transfer more to the account.",
  },
  ALLOWANCE: {
    when: "The account has not approved enough tokens for the vault.",
    remedy: "Approve more, or omit `--no-approve`.",
  },
  FEE: { when: "The gas costs more than is allowed.", remedy: "Allow more with `--max-fee`, or wait." },
  BUSY: { when: "Another process sends transactions of this account.", remedy: "Wait until it has finished." },
  OVERTAKEN: {
    when: "The chain changed before the transaction was executed.",
    remedy: "Look at the state, and repeat the command if it still applies.",
  },
  EARLIER: {
    when: "An earlier call of the account was pending, and has been executed now.",
    remedy: "Repeat the command if you want a second call.",
  },
  STATE: {
    when: "The task is not in the state that the move needs.",
    remedy: "Wait for the event that the message names.",
  },
  DONE: { when: "The seat has made this move already.", remedy: "Make the next move." },
  NO_SEAT: { when: "The account has no seat in the task.", remedy: "Use the account that has the seat." },
  SEAT_REFUSED: {
    when: "The task's seats are for other accounts, or are drawn.",
    remedy: "Choose another task, or wait for what the message names.",
  },
  NO_SECRET: {
    when: "The salt of the terms commits to nothing that this account knows.",
    remedy: "Use the account that has posted the task, and for a canary the trace that it was posted with.",
  },
  SEAT_OUT: { when: "The seat is out: it has lost its stake.", remedy: "Nothing: the seat can't return." },
  COMMITMENT: {
    when: "The seat has not committed to the root of this trace.",
    remedy: "Name the trace that it committed to.",
  },
  NOTHING_DUE: { when: "There is nothing to claim, deliver or challenge.", remedy: "Look at `verde task show ID`." },
  UNTRUSTED: {
    when: "A contract that does not belong to the deployment decides the disputes.",
    remedy: "Name it with the option in the message if you trust it.",
  },
  POLICY: {
    when: "The terms of the task risk more than the policy of the account allows.",
    remedy: "Choose another task, or accept each risk that the message names with `--accept-risk`.",
  },
  UNSUITABLE: {
    when: "The contracts can't work on the chain: it lacks an instruction, or its contracts or transactions are too small.",
    remedy: "Use a chain that has what the message names.",
  },
  CLOCK: { when: "The clock of the chain can't be moved.", remedy: "Use a development chain." },
  PORT: {
    when: "A local chain can't use the port.",
    remedy: "Choose another one with `--port`, or 0 for any free port.",
  },
  PACKAGE_MISSING: {
    when: "A local chain needs the package hardhat.",
    remedy: "Install it as the message says, or name a node with `--rpc`.",
  },
  WALLET: {
    when: "A claim may be that of a wallet contract, and no node is named that knows it.",
    remedy: "Name a node with `--rpc URL`.",
  },
} as const satisfies SubCodes;

/** A key of `CHAIN`. */
export type ChainSubCode = keyof typeof CHAIN;

/** A chain can't be reached, is not the intended one, or does not execute a request. */
export class ChainError extends VerdeError<"VERDE_CHAIN", ChainSubCode> {
  constructor(subCode: ChainSubCode, message: string, evidence?: Evidence) {
    super("VERDE_CHAIN", subCode, message, evidence);
  }
}
