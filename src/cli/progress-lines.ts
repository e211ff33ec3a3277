/**
 * The second thread of `Progress`: it writes what the first one does to stderr, in lines with a pause between
 * them.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

/** What both threads see. */
export interface Board {
  /** How often the text has changed, twice; and its bytes. */
  readonly head: Int32Array;
  readonly text: Uint8Array;
}

const { head, text, seconds } = workerData as Board & { seconds: number };
/**
 * The text that was written last, how often it had changed then, and since when it stands there, in
 * milliseconds.
 */
let told = "";
let version = -1;
let since = performance.now();

function tell(): void {
  const before = Atomics.load(head, 0);
  const now = new TextDecoder().decode(text.slice(0, head[1]));
  // It is being written; the next look will do.
  if (before % 2 === 1 || before !== Atomics.load(head, 0) || now === "") return;
  if (before !== version || now !== told) since = performance.now() - seconds * 1000;
  [told, version] = [now, before];
  const unchanged = Math.round((performance.now() - since) / 1000);
  try {
    writeSync(2, `verde: ${now}${unchanged > seconds * 1.5 ? ` (for ${unchanged} s)` : ""}\n`);
  } catch {
    // Nobody reads it.
    clearInterval(timer);
  }
}

const timer = setInterval(tell, seconds * 1000);
