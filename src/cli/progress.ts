/**
 * What a command is doing, on stderr. A terminal gets one line that is rewritten in place. Anything else gets
 * a line every ten seconds, also while the command computes and nothing else happens: a second thread writes
 * it.
 */
import { Worker } from "node:worker_threads";
import { type Command, InvalidArgumentError } from "commander";
import { escapeText } from "../errors/text.ts";
import { columnsOf } from "./output.ts";
import type { Board } from "./progress-lines.ts";

/** Seconds between two lines of what is no terminal. */
const PERIOD = 10;
/** The most bytes of a line. */
const MOST_BYTES = 1_000;

/** `auto`: as this file's head says. A number: lines, with these seconds between two. */
type Mode = "auto" | "off" | number;
let mode: Mode = "auto";

/** Adds the option that says how progress is shown. */
export function addProgressOption(command: Command): Command {
  return command
    .option(
      "--progress <seconds>",
      `auto: a live line on a terminal, otherwise a line on stderr every ${PERIOD} s; seconds between two lines; or off`,
      parseMode,
      "auto",
    )
    .hook("preAction", () => {
      mode = command.opts<{ progress: Mode }>().progress;
    });
}

function parseMode(text: string): Mode {
  if (text === "auto" || text === "off") return text;
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("Write auto, off, or seconds from 0.1 to 86400.");
}

/** The text that the second thread writes, shared with it. */
class Lines {
  private readonly board: Board = {
    head: new Int32Array(new SharedArrayBuffer(8)),
    text: new Uint8Array(new SharedArrayBuffer(MOST_BYTES)),
  };

  constructor(seconds: number) {
    const file = new URL(`progress-lines${import.meta.url.slice(-3)}`, import.meta.url);
    const worker = new Worker(file, { workerData: { ...this.board, seconds } });
    // Without it there are no lines, and nothing else changes.
    worker.on("error", () => {});
    worker.unref();
  }

  /** @param text empty: nothing is going on */
  set(text: string): void {
    const { head, text: bytes } = this.board;
    // While the number is odd, the text is being written.
    Atomics.add(head, 0, 1);
    // Bytes that other threads see can't be written directly.
    const encoded = new TextEncoder().encode(text).subarray(0, MOST_BYTES);
    bytes.set(encoded);
    head[1] = encoded.length;
    Atomics.add(head, 0, 1);
  }
}

let lines: Lines | undefined;

/** What a command is doing. Only one of these is in use at a time. */
export class Progress {
  private shown = 0;

  /** @param force also shortly after another text */
  show(text: string, force = false): void {
    if (mode === "off") return;
    const shown = escapeText(text);
    if (mode !== "auto" || !process.stderr.isTTY) {
      lines ??= new Lines(mode === "auto" ? PERIOD : mode);
      return lines.set(shown);
    }
    const now = performance.now();
    if (!force && now - this.shown < 80) return;
    this.shown = now;
    process.stderr.write(`\r\x1b[2K${[...shown].slice(0, (columnsOf(process.stderr) ?? 80) - 1).join("")}`);
  }

  clear(): void {
    lines?.set("");
    if (mode === "auto" && process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
  }
}

/** Does something that reports nothing until it ends, and says what it is meanwhile. */
export async function meanwhile<T>(what: string, work: () => Promise<T>): Promise<T> {
  const progress = new Progress();
  progress.show(what, true);
  try {
    return await work();
  } finally {
    progress.clear();
  }
}
