/** The recorder's end of a participant's process. */
import type { ChildProcess } from "node:child_process";
import { childProcess, url } from "../encoding/node.ts";
import { RoundsError } from "../errors/index.ts";
import type { LeafFault } from "./fault.ts";
import type { LeafNews } from "./leaf-news.ts";
import type { LeafPlace } from "./plan.ts";
import type { Performed } from "./participant.ts";
import type { Roll } from "./roll.ts";
import type { SeedParts } from "./seeds.ts";
import type { Statement } from "./statement.ts";

/** What a participant's process is started with. */
export interface ProcessStart {
  /** The record's folder, in which it finds the plan, and where it puts its blobs. */
  readonly folder: string;
  /** The number of the participant in the plan. */
  readonly participant: number;
  /** The folder of its key. */
  readonly state: string;
  readonly drill: boolean;
  /** The name of the backend. */
  readonly backend: string;
}

/** What it is asked: a leaf, and the statements and rolls that this reads. */
export interface ProcessRequest {
  readonly place: LeafPlace;
  readonly statements: readonly Statement[];
  readonly rolls: readonly Roll[];
  /** What the seeds of its round follow from, where they follow from the record. */
  readonly seeds: SeedParts;
  /** Whether it stops when training has diverged. */
  readonly stop: boolean;
  /** How often it keeps its state, in training steps. */
  readonly every: number | undefined;
  readonly fault?: LeafFault;
}

/** A request with its number: a leaf that nobody waits for any more is answered as well. */
export type NumberedRequest = ProcessRequest & { readonly number: number };

/** What it answers, and before that perhaps what becomes of the leaf's checkpoints. */
export type ProcessReply = { readonly number: number } & (
  | { readonly performed: Performed }
  | { readonly error: { readonly code: string; readonly message: string } }
);
export type ProcessNews = { readonly number: number; readonly news: LeafNews };

/** The name is a value: a bundler for browsers would otherwise take the module along. */
const CHILD = `child${import.meta.url.slice(-3)}`;
/** The characters that are kept of what a process writes to its standard error. */
const MAX_STDERR = 4096;

/** A participant in a process of its own. It ends when this one does. */
export class ParticipantProcess {
  private readonly child: ChildProcess;
  private readonly name: string;
  private stderr = "";
  private asked = 0;
  private missed = false;

  /** @param name of the participant, for errors */
  constructor(name: string, start: ProcessStart) {
    this.name = name;
    this.child = childProcess.fork(url.fileURLToPath(new URL(CHILD, import.meta.url)), [JSON.stringify(start)], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.on("error", () => undefined);
    this.child.stderr?.on(
      "data",
      (piece: Buffer) => (this.stderr = (this.stderr + piece.toString("utf8")).slice(-MAX_STDERR)),
    );
  }

  /** The id of the process, if it was started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Whether it has ended, and a leaf was not performed because of that. */
  get isMissed(): boolean {
    return this.missed;
  }

  /**
   * Has a leaf performed. What it is asked before that is finished comes after it.
   * @throws {RoundsError} when the process ends, or could not perform it
   */
  async perform(request: ProcessRequest, onNews: (news: LeafNews) => void): Promise<Performed> {
    const number = this.asked++;
    let stop = (): void => {};
    const reply = await new Promise<ProcessReply>((resolve, reject) => {
      const ended = (): void => {
        this.missed = true;
        const why = this.stderr.trim().split("\n").at(-1);
        reject(new RoundsError("PARTICIPANT", `the process of ${this.name} has ended${why ? `: ${why}` : ""}; run the plan again with --resume`, { participant: this.name })); // prettier-ignore
      };
      if (this.child.exitCode !== null || !this.child.connected) return ended();
      const answered = (sent: unknown): void => {
        const message = sent as ProcessReply | ProcessNews;
        if (message.number !== number) return;
        if ("news" in message) onNews(message.news);
        else resolve(message);
      };
      stop = () => void this.child.off("exit", ended).off("message", answered);
      this.child.on("exit", ended).on("message", answered);
      this.child.send({ ...request, number } satisfies NumberedRequest, (error) => void (error && ended()));
    }).finally(() => stop());
    if ("performed" in reply) return reply.performed;
    throw new RoundsError("PARTICIPANT", `${this.name} could not perform its leaf: ${reply.error.message} (${reply.error.code})`, { participant: this.name, code: reply.error.code }); // prettier-ignore
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.child.once("exit", () => resolve()));
    if (this.child.connected) this.child.disconnect();
    await gone;
  }
}
