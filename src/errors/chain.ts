/** Failures of chains. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const CHAIN = {
  RPC: {
    when: "The address of the node is no address.",
    remedy: "Give an address that begins with http:// or https://.",
  },
  UNREACHABLE: { when: "No node answers.", remedy: "Name a node with `--rpc`, or start one with `verde chain node`." },
  TIMEOUT: {
    when: "The node stopped answering, and did not come back in time.",
    remedy: "Run the same command again; what was signed is in the journal.",
  },
  WRONG_CHAIN: {
    when: "The node is of another chain than the deployment.",
    remedy: "Name a node of that chain with `--rpc`, or another deployment.",
  },
  CONTRACT_MISSING: {
    when: "There is no such contract at the address, or in the deployment.",
    remedy: "Check the address and the deployment; a chain that was started anew has no contracts.",
  },
  CONTRACT_KIND: {
    when: "The contract at the address is of another kind.",
    remedy: "Give the address of a contract of the kind that the message names.",
  },
  TASK_MISSING: { when: "There is no such task.", remedy: "Look at the id, the chain and the deployment." },
  REFUSED: { when: "A contract refuses the call.", remedy: "Do what the message says; it names the rule." },
  FAILED: {
    when: "The node can't carry out a request, for a reason of its own.",
    remedy: "Read its words in the message, and repeat the command.",
  },
  FUNDS: {
    when: "The account has too little of a token or of the chain's currency.",
    remedy: "Transfer more to the account.",
  },
  ALLOWANCE: {
    when: "The vault may not take enough of the account's tokens.",
    remedy: "Approve more, or leave `--no-approve` out.",
  },
  FEE: { when: "The gas costs more than is allowed.", remedy: "Allow more with `--max-fee`, or wait." },
  BUSY: { when: "Another process sends transactions of this account.", remedy: "Wait for it." },
  OVERTAKEN: {
    when: "The chain changed before the transaction was carried out.",
    remedy: "Look at the state, and repeat the command if it still applies.",
  },
  EARLIER: {
    when: "An earlier call of the account was on its way, and was carried out now.",
    remedy: "Repeat the command if you want another one.",
  },
  STATE: {
    when: "The task is in another state than the move needs.",
    remedy: "Wait for what the message says is due.",
  },
  DONE: { when: "The seat has made this move already.", remedy: "Make the next move." },
  NO_SEAT: { when: "The account has no seat in the task.", remedy: "Use the account that has the seat." },
  SEAT_OUT: { when: "The seat is out: it has lost its stake.", remedy: "Nothing can be done for it." },
  COMMITMENT: {
    when: "The seat has not committed to the root of this trace.",
    remedy: "Name the trace that it committed to.",
  },
  NOTHING_DUE: { when: "There is nothing to claim, deliver or challenge.", remedy: "Look at `verde task show ID`." },
  NO_GAME: { when: "The terms of the task name no game.", remedy: "Leave the dispute to the committee." },
  UNTRUSTED: {
    when: "Disputes are decided by a contract that is not of the deployment.",
    remedy: "Name it with the option in the message if you trust it.",
  },
  CLOCK: { when: "The clock of the chain can't be moved.", remedy: "Use a development chain." },
  PORT: { when: "A local chain can't have the port.", remedy: "Choose another one with `--port`, 0 for any." },
  PACKAGE_MISSING: {
    when: "A local chain needs the package hardhat.",
    remedy: "Install it as the message says, or name a node with `--rpc`.",
  },
} as const satisfies SubCodes;

/** A key of `CHAIN`. */
export type ChainSubCode = keyof typeof CHAIN;

/** A chain that can't be reached, is not the one that was meant, or does not carry out what was asked of it. */
export class ChainError extends VerdeError<"VERDE_CHAIN", ChainSubCode> {
  constructor(subCode: ChainSubCode, message: string, evidence?: Evidence) {
    super("VERDE_CHAIN", subCode, message, evidence);
  }
}
