/**
 * A contender is a process of its own that is asked line by line: to prepare a task, and to time one
 * repetition. It stays alive between the repetitions, so that two contenders can take turns.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { messageOf, VerdeError } from "../../src/errors/index.ts";
import type { Task } from "./tasks.ts";

/** How a contender's process is started. */
export interface Start {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** The answer to `prepare`: some elements of the results, or the losses of a GPT's first steps. */
export interface Prepared {
  check: number[];
}

/** What a process says of itself when it has started. */
export interface Hello {
  /** With the version: `PyTorch 1.13.1`. */
  name: string;
  /** On how many threads it computes; it may have been asked for more. */
  threads: number;
}

/**
 * The contender can't do what was asked, and says why: the comparison is skipped. Any other error is a
 * failure.
 */
export class Unable extends Error {}

export class Contender {
  readonly hello: Hello;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private readonly said: { errors: string };

  private constructor(
    child: ChildProcessWithoutNullStreams,
    reader: Interface,
    lines: AsyncIterator<string>,
    hello: Hello,
    said: { errors: string },
  ) {
    this.child = child;
    this.reader = reader;
    this.lines = lines;
    this.hello = hello;
    this.said = said;
  }

  /** @throws {Unable} when the process does not start, or lacks what it needs */
  static async start({ name, command, args, env }: Start): Promise<Contender> {
    const child = spawn(command, args, { stdio: "pipe", env });
    const said = { errors: "" };
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.errors = (said.errors + text).slice(-2_000)));
    child.on("error", ({ message }) => (said.errors += message));
    // A process that has ended takes no more questions; that it has ended is seen when it gives no answer.
    child.stdin.on("error", () => {});
    const reader = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const contender = new Contender(child, reader, lines, { name, threads: 1 }, said);
    try {
      const hello = (await contender.answer(name)) as unknown as Hello;
      return new Contender(child, reader, lines, hello, said);
    } catch (error) {
      await contender.close();
      throw error;
    }
  }

  /** @throws {Unable} when it can't do that task */
  async prepare(task: Task): Promise<Prepared> {
    return (await this.ask({ prepare: task })) as unknown as Prepared;
  }

  /** The milliseconds of one call, as the mean of several in a row. */
  async time(calls: number): Promise<number> {
    return (await this.ask({ time: calls })).millis as number;
  }

  /** The most memory that the process has held, in bytes. */
  async peak(): Promise<number> {
    return (await this.ask({ peak: true })).bytes as number;
  }

  async close(): Promise<void> {
    this.reader.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill();
    await ended;
  }

  /** Whether there is no such program. */
  private get missing(): boolean {
    return this.child.pid === undefined;
  }

  private async ask(question: object): Promise<Record<string, unknown>> {
    this.child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.answer(this.hello.name);
  }

  private async answer(name: string): Promise<Record<string, unknown>> {
    const { value, done } = await this.lines.next();
    if (done) {
      await this.close();
      const why = reasonIn(this.said.errors) || "it said nothing";
      throw this.missing ? new Unable(`${name} can't be started: ${why}`) : new Error(`${name} has ended: ${why}`);
    }
    const answer = JSON.parse(value) as Record<string, unknown>;
    if (typeof answer.unable === "string") throw new Unable(answer.unable);
    if (typeof answer.failed === "string") throw new Error(`${name}: ${answer.failed}`);
    return answer;
  }
}

/** The line of an error that names it, or the last one. */
function reasonIn(errors: string): string {
  const lines = errors.trim().split("\n");
  return lines.findLast((line) => /\w*Error\b.*: /.test(line)) ?? lines.at(-1) ?? "";
}

/** What a contender in JavaScript does with a task. */
export interface Ready {
  check: number[];
  /** One call of the task, to its end. */
  call(): unknown;
  /** Several calls in a row, where they are not just one after the other. */
  calls?(count: number): Promise<number>;
  close?(): unknown;
}

/** Says instead of a greeting why this process can be no contender, and ends it. */
export function refuse(why: string): never {
  process.stdout.write(`${JSON.stringify({ unable: why })}\n`);
  process.exit();
}

/** Answers the questions on stdin, in a contender's process. */
export async function serve(hello: Hello, prepare: (task: Task) => Promise<Ready>): Promise<void> {
  const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
  let ready: Ready | undefined;
  say(hello);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      const question = JSON.parse(line) as { prepare?: Task; time?: number; peak?: boolean };
      if (question.prepare) {
        await ready?.close?.();
        ready = undefined;
        ready = await prepare(question.prepare);
        say({ check: ready.check });
      } else if (question.time !== undefined) say({ millis: await timed(ready!, question.time) });
      // In KiB, on every system.
      else say({ bytes: 1024 * process.resourceUsage().maxRSS });
    } catch (error) {
      say({ [error instanceof Unable || error instanceof VerdeError ? "unable" : "failed"]: messageOf(error) });
    }
  }
}

async function timed(ready: Ready, calls: number): Promise<number> {
  if (ready.calls) return ready.calls(calls);
  const began = performance.now();
  for (let i = 0; i < calls; i++) await ready.call();
  return (performance.now() - began) / calls;
}
