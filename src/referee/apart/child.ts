/**
 * The process of one party. It reads requests from its standard input, one after the other, and writes
 * replies to file descriptor 3. It ends when its input ends, hence also when the referee is killed.
 */
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { resolveOwnPackage } from "../../job/resolve.ts";
import { expectComplete, openTrace } from "../../trace/index.ts";
import { speakerOf } from "../opened-party.ts";
import { traceMemory } from "../trace-memory.ts";
import { FrameReader, frameOf } from "./frames.ts";
import { MAX_REQUEST, type Opening } from "./messages.ts";
import { type Openable, PartyService } from "./service.ts";
import type { Watched } from "./watchdog.ts";

async function openRun({ trace: path, backend, claims }: Opening): Promise<Openable> {
  const trace = expectComplete(await openTrace(path));
  return {
    claim: trace,
    remember: () => traceMemory(trace, backend),
    speaker: () => speakerOf(trace, claims),
  };
}

const [referee, memory] = process.argv.slice(2).map(Number);
const watched: Watched = { referee, memory };
new Worker(new URL(`watchdog${import.meta.url.slice(-3)}`, import.meta.url), { workerData: watched }).unref();
resolveOwnPackage();

const replies = new Socket({ fd: 3, readable: false, writable: true });
const requests = new FrameReader();
const service = new PartyService(openRun);
let turn = Promise.resolve();
const end = (): never => process.exit(0);
replies.on("error", end);
process.stdin.on("data", (piece: Uint8Array) => {
  for (const message of requests.feed(piece, MAX_REQUEST))
    turn = turn.then(async () => void replies.write(frameOf(await service.replyTo(message))));
});
process.stdin.on("error", end);
process.stdin.on("end", () => {
  // The referee has what it needs, or is gone.
  void service.close().then(end, end);
});
// The process has loaded. From here on, whatever happens is the doing of the party's files.
replies.write(frameOf(new Uint8Array(0)));
