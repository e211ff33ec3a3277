/**
 * The second thread of a party's process. It ends the process when it takes too much memory, or when the
 * referee is gone, even while the first thread is busy and sees nothing.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

/** What the thread watches. */
export interface Watched {
  /** The id of the referee's process. */
  referee: number;
  /** The most memory of the process, in MiB. */
  memory: number;
}

const PERIOD = 200;
/** The process writes this to its standard error, so that the referee can name the reason. */
const TOO_MUCH = "the process has used more than its memory";
const { referee, memory } = workerData as Watched;

function watch(): void {
  const isTooMuch = process.memoryUsage.rss() > memory * 2 ** 20;
  if (isTooMuch) writeSync(2, `\n${TOO_MUCH} of ${memory} MiB\n`);
  if (isTooMuch || process.ppid !== referee) process.kill(process.pid, "SIGKILL");
}

watch();
setInterval(watch, PERIOD);
