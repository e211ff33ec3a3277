/**
 * Runs tests on mutants in a process of its own. A mutant may loop until its gas is gone, and the EVM keeps a
 * trace of a test that fails, so the process ends itself before the memory does.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Contracts, type Suite, Suites } from "./suites.ts";

/** Bytes that the process may take. Without a failure all tests together need a third of it. */
const MEMORY = 6e9;

interface Question {
  /** None: which of all tests pass without any mutation? */
  suites?: readonly Suite[];
  coinbase: number;
}
type Answer = { passing: Suite[] } | { noticed: boolean } | { error: string };

export class Runner {
  private readonly folder = mkdtempSync(join(tmpdir(), "verde-mutants-"));
  private readonly root: string;
  private child: ChildProcess | undefined;

  /** @param root the folder from which tests read files */
  constructor(root: string, contracts: Contracts) {
    this.root = root;
    writeFileSync(this.file, JSON.stringify(contracts));
  }

  /**
   * Runs all tests without any mutation. @returns them, the quickest first
   * @throws when a test fails
   */
  async passing(): Promise<Suite[]> {
    const answer = await this.ask({ coinbase: 0 });
    if (answer === undefined || !("passing" in answer))
      throw new Error(answer !== undefined && "error" in answer ? answer.error : "the tests take too much memory");
    return answer.passing;
  }

  /** @returns true when a test fails, or takes more memory than there is */
  async notices(suites: readonly Suite[], coinbase: number): Promise<boolean> {
    const answer = await this.ask({ suites, coinbase });
    if (answer !== undefined && !("noticed" in answer)) throw new Error("error" in answer ? answer.error : "no answer");
    return answer?.noticed ?? true;
  }

  close(): void {
    this.child?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }

  private get file(): string {
    return join(this.folder, "contracts.json");
  }

  /** @returns `undefined` when the process has ended */
  private async ask(question: Question): Promise<Answer | undefined> {
    this.child ??= fork(fileURLToPath(import.meta.url), [this.root, this.file]);
    const { child } = this;
    const stop = new AbortController();
    const answer = once(child, "message", stop).then(([message]) => message as Answer);
    const ended = once(child, "exit", stop).then(() => undefined);
    child.send(question);
    const first = await Promise.race([answer, ended]);
    stop.abort();
    await Promise.allSettled([answer, ended]);
    if (first === undefined) this.child = undefined;
    return first;
  }
}

/** The process: it answers one question after the other. */
async function serve(root: string, file: string): Promise<void> {
  const suites = await Suites.load(root, JSON.parse(readFileSync(file, "utf8")) as Contracts);
  setInterval(() => {
    if (process.memoryUsage.rss() > MEMORY) process.kill(process.pid, "SIGKILL");
  }, 50);
  process.on("message", (question: Question) => {
    const answer = async (): Promise<Answer> =>
      question.suites === undefined
        ? { passing: await suites.passing() }
        : { noticed: await suites.notice(question.suites, question.coinbase) };
    answer().then(
      (said) => process.send!(said),
      (error: unknown) => process.send!({ error: String(error) }),
    );
  });
}
if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url))
  await serve(process.argv[2], process.argv[3]);
