/**
 * A member of a committee as one process: it watches for disputes, asks those who answer for the claims,
 * signs the ruling that follows, and submits it once enough members have signed. What it knows follows from
 * the chain and the boards, so it may be ended at any moment.
 */
import { type Hex, isAddressEqual, keccak256, stringToHex, zeroHash } from "viem";
import type { LocalAccount } from "viem/accounts";
import { type Hearing, hearingDue, mustSpeak } from "../../settlement/committee.ts";
import type { Ruling } from "../../settlement/ruling.ts";
import { clauseOf } from "../../settlement/game/fate.ts";
import type { Session } from "../../settlement/session.ts";
import { clauseOfRuling, gatherSignatures, signedRuling } from "../../settlement/signatures.ts";
import { PHASES, readTask, taskEvents, type TaskView } from "../../settlement/task.ts";
import { Backoff } from "../../settlement/transactions/backoff.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import { lookAgain } from "../look-again.ts";
import { sleep } from "../provider/sleep.ts";
import { Notes } from "../network/notes.ts";
import type { NetworkKey } from "../network/key.ts";
import type { Transport } from "../transport/transport.ts";
import type { Bench } from "./bench.ts";
import { Committees, signaturesFor } from "./committees.ts";

export interface RefereeOptions {
  session: Session;
  /** Signs rulings. */
  account: LocalAccount;
  send(call: ContractCall): Promise<unknown>;
  open(): Promise<Transport>;
  key: NetworkKey;
  bench: Bench;
  everyMillis: number;
  signal: AbortSignal;
  say(sentence: string): void;
}

const LONGEST_PAUSE = 60_000;
/** The most disputes that are judged at the same time. */
const MOST_AT_ONCE = 8;
/** Milliseconds that disputes under way are waited for at the end. */
const ENDING_MILLIS = 2_000;
/** Milliseconds after which a dispute that could not be decided is judged again, at first and at most. */
const [JUDGE_AGAIN, LATEST_AGAIN] = [2_000, 60_000];
/** The most sets of verdict files that are remembered because no ruling follows from them. */
const MOST_USELESS = 4_096;
/** Seconds that verdicts and signatures stand on the boards: longer than a committee has. */
const NOTE_SECONDS = 14 * 86_400;
/** Looks that a member waits for one that stands before it to submit. */
const PATIENT_LOOKS = 3;

/** Works until the signal, whatever fails. */
export async function judge(options: RefereeOptions): Promise<void> {
  await new Referee(options).run();
}

class Referee {
  private readonly options: RefereeOptions;
  private notes: Notes | undefined;
  private readonly committees: Committees;
  /** The rulings that it has signed, by task, dispute and file. */
  private readonly signed = new Set<string>();
  /** What it can show on the chain, by task: the first ruling that it has signed in its current dispute. */
  private readonly shown = new Map<Hex, { readonly ruling: Ruling; readonly signature: Hex }>();
  private readonly told = new Map<Hex, string>();
  private readonly looks = new Map<string, number>();
  private readonly judging = new Map<Hex, Promise<void>>();
  /** When disputes that could not be decided are judged again, by task and dispute. */
  private readonly waiting = new Map<string, { readonly backoff: Backoff; readonly until: number }>();
  /** Verdict files from which no ruling follows, by task, dispute and hash. */
  private readonly useless = new Set<string>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: RefereeOptions) {
    this.options = options;
    this.committees = new Committees(options.session, options.account.address);
  }

  async run(): Promise<void> {
    const restored = "the chain can be read again";
    await lookAgain({ ...this.options, longestMillis: LONGEST_PAUSE, restored }, async () => {
      for (const task of await this.disputed()) this.begin(task);
      return false;
    });
    // What is under way ends with the signal; the next process judges again.
    await Promise.race([Promise.all(this.judging.values()), sleep(ENDING_MILLIS)]);
  }

  /** Judges a task beside others: a party that is silent holds up its own dispute alone. */
  private begin(task: Hex): void {
    if (this.judging.has(task) || this.judging.size >= MOST_AT_ONCE || this.options.signal.aborted) return;
    this.judging.set(
      task,
      this.try(task).finally(() => this.judging.delete(task)),
    );
  }

  /** The tasks whose committee has to judge. */
  private async disputed(): Promise<Hex[]> {
    const phases = new Map<Hex, string>();
    for (const event of await taskEvents(this.options.session.source, null))
      if (event.eventName === "TaskMoved") phases.set(event.args.task, PHASES[event.args.phase]);
    return [...phases].filter(([, phase]) => phase === "Judging").map(([task]) => task);
  }

  private async try(task: Hex): Promise<void> {
    const { session } = this.options;
    try {
      const view = await readTask(session.source, task);
      if (view.phase !== "Judging") return;
      const { isMember, committee } = await this.committees.seat(view);
      if (isMember) await this.judge(view);
      if (committee?.hearing) await this.hear(view, committee.hearing);
    } catch (error) {
      this.tell(task, clauseOf(error));
    }
  }

  private async judge(view: TaskView): Promise<void> {
    if (await this.submit(view)) return;
    const { bench } = this.options;
    const notes = await this.board();
    const known = (await notes.read("verdicts")).filter(
      ({ body }) => body.task === view.id && body.dispute === view.dispute,
    );
    for (const { body } of known) await this.sign(view, body.files);
    const dispute = `${view.id} ${view.dispute}`;
    const waiting = this.waiting.get(dispute) ?? { backoff: new Backoff(JUDGE_AGAIN, LATEST_AGAIN), until: 0 };
    if (this.hasSigned(view) || performance.now() < waiting.until) return;
    const { files, missing, met } = await bench.judge(view, notes);
    // A dispute that leads to no signature is not played again at every look.
    if (met) this.waiting.set(dispute, { ...waiting, until: performance.now() + waiting.backoff.next() });
    if (files.length === 0) return this.tell(view.id, missing);
    if (!(await this.sign(view, files)))
      return this.tell(view.id, "the verdict rests on this referee's word, which it does not sign");
    await notes.post("verdicts", view.id, { task: view.id, dispute: view.dispute, files: [...files] }, NOTE_SECONDS);
  }

  /** Signs the ruling that follows from verdict files, if one does. */
  private async sign(view: TaskView, files: readonly string[]): Promise<boolean> {
    const { account, bench, session, say } = this.options;
    const set = `${view.id} ${view.dispute} ${keccak256(stringToHex(files.join("\n")))}`;
    if (this.useless.has(set)) return false;
    const ruling = bench.rulingFrom(view, files);
    if (!ruling) {
      if (this.useless.size >= MOST_USELESS) this.useless.clear();
      this.useless.add(set);
      return false;
    }
    const name = nameOf(view, ruling.file);
    if (this.signed.has(name)) return true;
    const { chainId } = session.deployment;
    const about = { chainId, committee: view.terms.committee, task: view.id };
    const file = await signedRuling(account, about, ruling);
    const signature = JSON.stringify(file);
    const board = await this.board();
    await board.post("rulings", `${view.id}.${ruling.file}`, { task: view.id, signature }, NOTE_SECONDS);
    this.signed.add(name);
    if (this.shown.get(view.id)?.ruling.dispute !== ruling.dispute)
      this.shown.set(view.id, { ruling, signature: file.signature });
    say(`task ${view.id}: signed that ${clauseOfRuling(ruling)}`);
    return true;
  }

  /**
   * In a rotating committee: draws and replaces members, and shows its signature before the round is over.
   */
  private async hear(view: TaskView, hearing: Hearing): Promise<void> {
    const { account, send, say, session } = this.options;
    const { client } = session;
    const { committee, periods } = view.terms;
    const { timestamp, number } = await client.getBlock();
    const call = { contract: "rotating", to: committee } as const;
    const shown = this.shown.get(view.id);
    if (
      shown?.ruling.dispute === BigInt(view.dispute) &&
      mustSpeak(hearing, account.address, periods.toJudge, Number(timestamp))
    ) {
      const args = [view.terms, shown.ruling, account.address, shown.signature];
      await this.inTurn(() => send({ ...call, functionName: "attest", args }));
      say(`task ${view.id}: showed its signature on the chain`);
      return;
    }
    const due = hearingDue(hearing, periods.toJudge, Number(timestamp), Number(number));
    if (due.what === "wait" || !(await this.committees.isCandidate(committee))) return;
    const args = due.what === "draw" ? [view.terms, zeroHash] : [view.terms];
    await this.inTurn(() => send({ ...call, functionName: due.what, args }));
    say(`task ${view.id}: ${due.what === "draw" ? "drew the members" : "convened the committee"}`);
  }

  private hasSigned({ id, dispute }: TaskView): boolean {
    return [...this.signed].some((name) => name.startsWith(`${id} ${dispute} `));
  }

  /** Submits a ruling that enough members have signed. @returns whether there is one */
  private async submit(view: TaskView): Promise<boolean> {
    const { send, say, account } = this.options;
    const { threshold } = await this.committees.seat(view);
    for (const files of await signaturesFor(view, await this.board(), this.committees)) {
      const { chainId } = this.options.session.deployment;
      const { committee } = view.terms;
      const gathered = await gatherSignatures({ chainId, committee, task: view.id }, files);
      const { ruling, signers, signatures } = gathered;
      if (signers.length < threshold) continue;
      // One member submits, and the next only if it does not.
      const turn = signers.findIndex((signer) => isAddressEqual(signer, account.address));
      const name = nameOf(view, ruling.file);
      const looks = (this.looks.get(name) ?? 0) + 1;
      this.looks.set(name, looks);
      if (looks <= PATIENT_LOOKS * (turn < 0 ? signers.length : turn)) return true;
      const args = [view.terms, ruling, signers, signatures];
      await this.inTurn(() => send({ contract: "committee", to: committee, functionName: "submit", args }));
      say(`task ${view.id}: submitted the ruling, with ${signers.length} signatures`);
      return true;
    }
    return false;
  }

  /** Calls are sent one after the other: disputes share one number of transactions. */
  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.turn.then(action);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async board(): Promise<Notes> {
    return (this.notes ??= new Notes(await this.options.open(), this.options.key));
  }

  private tell(task: Hex, why: string): void {
    if (this.told.get(task) === why) return;
    this.told.set(task, why);
    this.options.say(`task ${task}: ${why}`);
  }
}

const nameOf = ({ id, dispute }: TaskView, file: Hex): string => `${id} ${dispute} ${file}`;
