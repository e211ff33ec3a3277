/**
 * A member of a committee as one process: it watches for disputes, asks those who answer for the claims,
 * signs the ruling that follows, and submits it once enough members have signed. What it knows follows from
 * the chain and the boards, so it may be ended at any moment.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ABIS } from "../../settlement/contracts.ts";
import { clauseOf } from "../../settlement/game/fate.ts";
import { signRuling } from "../../settlement/ruling.ts";
import type { Session } from "../../settlement/session.ts";
import { gatherSignatures, parseSignature, type SignatureFile } from "../../settlement/signatures.ts";
import { PHASES, readTask, taskEvents, type TaskView } from "../../settlement/task.ts";
import { Backoff } from "../../settlement/transactions/backoff.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import { sleep } from "../provider/sleep.ts";
import { Notes } from "../network/notes.ts";
import type { NetworkKey } from "../network/key.ts";
import type { Transport } from "../transport/transport.ts";
import { Bench } from "./bench.ts";

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
  /** The committees that it has asked whether it is a member. */
  private readonly member = new Map<Address, { readonly isMember: boolean; readonly threshold: number }>();
  /** The rulings that it has signed, by task, dispute and file. */
  private readonly signed = new Set<string>();
  private readonly told = new Map<Hex, string>();
  private readonly looks = new Map<string, number>();

  constructor(options: RefereeOptions) {
    this.options = options;
  }

  async run(): Promise<void> {
    const { signal, everyMillis, say } = this.options;
    const backoff = new Backoff(everyMillis, LONGEST_PAUSE);
    let told = "";
    while (!signal.aborted) {
      let pause = everyMillis;
      try {
        for (const task of await this.disputed()) if (!signal.aborted) await this.try(task);
        backoff.succeeded();
        if (told !== "") say("the chain can be read again");
        told = "";
      } catch (error) {
        const trouble = clauseOf(error);
        if (trouble !== told) say(`${trouble}; trying again until it works`);
        told = trouble;
        pause = backoff.next();
      }
      await sleep(pause, signal);
    }
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
      if (view.phase === "Judging" && (await this.seat(view.terms.committee)).isMember) await this.judge(view);
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
    if (this.hasSigned(view)) return;
    const { files, missing } = await bench.judge(view, notes);
    if (files.length === 0) return this.tell(view.id, missing);
    if (await this.sign(view, files))
      await notes.post("verdicts", view.id, { task: view.id, dispute: view.dispute, files: [...files] }, NOTE_SECONDS);
  }

  /** Signs the ruling that follows from verdict files, if one does. */
  private async sign(view: TaskView, files: readonly string[]): Promise<boolean> {
    const { account, bench, session, say } = this.options;
    const ruling = bench.rulingFrom(view, files);
    if (!ruling) return false;
    const name = nameOf(view, ruling.file);
    if (this.signed.has(name)) return true;
    const { chainId } = session.deployment;
    const about = { chainId, committee: view.terms.committee, task: view.id };
    const verdict = JSON.parse(
      JSON.stringify(ruling, (_name, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    ) as unknown;
    const signature = await signRuling(account, about, ruling);
    const text = JSON.stringify({ schemaVersion: 1, ...about, verdict, signer: account.address, signature });
    await (
      await this.board()
    ).post("rulings", `${view.id}.${ruling.file}`, { task: view.id, signature: text }, NOTE_SECONDS);
    this.signed.add(name);
    const wrong = ruling.claims.filter((_, i) => ((ruling.losers >> BigInt(i)) & 1n) === 1n);
    say(`task ${view.id}: signed that ${wrong.join(", ")} ${wrong.length === 1 ? "is" : "are"} wrong`);
    return true;
  }

  private hasSigned({ id, dispute }: TaskView): boolean {
    return [...this.signed].some((name) => name.startsWith(`${id} ${dispute} `));
  }

  /** Submits a ruling that enough members have signed. @returns whether there is one */
  private async submit(view: TaskView): Promise<boolean> {
    const { send, say, account } = this.options;
    const { threshold } = await this.seat(view.terms.committee);
    for (const files of await this.signatures(view)) {
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
      await send({ contract: "committee", to: committee, functionName: "submit", args });
      say(`task ${view.id}: submitted the ruling, with ${signers.length} signatures`);
      return true;
    }
    return false;
  }

  /** The signatures of members for this dispute, those of one ruling together. */
  private async signatures(view: TaskView): Promise<SignatureFile[][]> {
    const groups = new Map<string, SignatureFile[]>();
    for (const { author, body } of await (await this.board()).read("rulings")) {
      if (body.task !== view.id) continue;
      try {
        const file = parseSignature(body.signature, author);
        const { dispute, losers, claims, file: hash, validUntil } = file.ruling;
        const isOurs = file.task === view.id && isAddressEqual(file.committee, view.terms.committee);
        if (!isOurs || dispute !== BigInt(view.dispute) || !(await this.isMember(view.terms.committee, file.signer)))
          continue;
        // A false signature must not spoil those of others.
        await gatherSignatures(file, [file]);
        const key = [losers, ...claims, hash, validUntil].join();
        groups.set(key, [...(groups.get(key) ?? []), file]);
      } catch {
        // Anybody may put a note on the board.
      }
    }
    return [...groups.values()];
  }

  private async seat(committee: Address): Promise<{ readonly isMember: boolean; readonly threshold: number }> {
    const known = this.member.get(committee);
    if (known) return known;
    const { session, account } = this.options;
    const isMember = await this.isMember(committee, account.address);
    const asked = { address: committee, abi: ABIS.committee, functionName: "threshold" } as const;
    const found = { isMember, threshold: isMember ? Number(await session.client.readContract(asked)) : 0 };
    this.member.set(committee, found);
    return found;
  }

  private async isMember(committee: Address, member: Address): Promise<boolean> {
    const asked = { address: committee, abi: ABIS.committee, functionName: "isMember", args: [member] } as const;
    return this.options.session.client.readContract(asked);
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
