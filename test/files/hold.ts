/**
 * A process that takes a lock: `node hold.ts LOCK [LOG [TIMES]]`. Without a log it prints `held`, and keeps the
 * lock until its input ends. With one, it takes the lock so many times (default 20), and notes each time when it
 * has and leaves it.
 */
import { appendFileSync } from "node:fs";
import { once } from "node:events";
import { takeLock, waitForLock } from "../../src/files/lock.ts";

const [path, log, times = "20"] = process.argv.slice(2);
if (log === undefined) {
  takeLock(path, "what is locked");
  console.log("held");
  process.stdin.resume();
  await once(process.stdin, "end");
} else
  for (let i = 0; i < Number(times); i++) {
    const lock = await waitForLock(path, "what is locked", 60_000);
    appendFileSync(log, `in ${process.pid}\n`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    appendFileSync(log, `out ${process.pid}\n`);
    lock.release();
  }
