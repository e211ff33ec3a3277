/**
 * A party's process that is anybody's program: it serves a remembered run, and misbehaves at one request.
 * Arguments: the referee's process, its memory, the way to misbehave, the number of the request, a seed.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { frameOf, FrameReader } from "../../../src/referee/apart/frames.ts";
import { MAX_REQUEST } from "../../../src/referee/apart/messages.ts";
import { PartyService } from "../../../src/referee/apart/service.ts";
import { manifestOf } from "../../../src/trace/manifest.ts";
import type { RunRoot } from "../../../src/trace/commitments.ts";
import { rememberedRun } from "../remembered-run.ts";
import { tinyJob } from "../tiny-job.ts";
import { COMMIT_EVERY, FAULT, type Way } from "./ways.ts";

const [way, at, seed] = [process.argv[4] as Way, Number(process.argv[5]), Number(process.argv[6])];
const watched = { referee: Number(process.argv[2]), memory: Number(process.argv[3]) };
new Worker(new URL("../../../src/referee/apart/watchdog.ts", import.meta.url), { workerData: watched }).unref();

const job = tinyJob(4);
const service = new PartyService(async () => {
  const run = await rememberedRun(job, COMMIT_EVERY, [FAULT]);
  const settings = { commitEvery: COMMIT_EVERY, checkpointEvery: 0, detail: "steps", backend: "wasm" } as const;
  return {
    claim: { runRoot: run.runRoot as RunRoot, manifest: manifestOf(job, settings) },
    remember: async () => ({ ...run, canReplay: true, failure: () => undefined, close: async () => undefined }),
    speaker: async () => undefined,
  };
});

const replies = new Socket({ fd: 3, readable: false, writable: true });
const send = (bytes: Uint8Array): void => void replies.write(bytes);
let random = seed;
const byte = (): number => (random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0) >>> 24;
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, byte);
const forever = () => new Promise<never>(() => undefined);
const after = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

/** What is sent instead of `reply`. */
const WAYS: Record<Way, (reply: Uint8Array) => unknown> = {
  obeys: (reply) => send(frameOf(reply)),
  "is silent": forever,
  blocks: () => {
    for (;;) random++;
  },
  exits: () => process.exit(0),
  "exits with a code": () => process.exit(42),
  throws: () => {
    throw new Error("\u001b[31mnot my day");
  },
  "takes memory": () => {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 1e5 }, () => ({})));
  },
  "takes buffers": async () => {
    const kept: unknown[] = [];
    for (;;) {
      kept.push(new Uint8Array(1 << 24).fill(1));
      await after(1);
    }
  },
  "sends noise": () => send(bytes(5000)),
  "sends a frame of noise": () => send(frameOf(bytes(40))),
  "sends nothing in a frame": () => send(frameOf(new Uint8Array(0))),
  "announces 4 GB": () => {
    send(Uint8Array.of(255, 255, 255, 255));
    for (let i = 0; i < 100; i++) send(new Uint8Array(1 << 20));
  },
  // In one piece: a reply that comes later can be taken for the answer to the next request.
  "replies twice": (reply) => send(Uint8Array.of(...frameOf(reply), ...frameOf(reply))),
  "replies again later": async (reply) => {
    send(frameOf(reply));
    await after(30);
    send(frameOf(reply));
  },
  "replies byte by byte": async (reply) => {
    for (const one of frameOf(reply)) {
      send(Uint8Array.of(one));
      await after(0);
    }
  },
  "cuts its reply and exits": (reply) => {
    writeSync(3, frameOf(reply).slice(0, -1));
    process.exit(0);
  },
  "sends another kind of message": (reply) => send(frameOf(reply.with(2, reply[2] === 4 ? 3 : 4))),
  "sends another length": (reply) => send(frameOf(Uint8Array.of(...reply, 0))),
  "sends another version": (reply) => send(frameOf(reply.with(1, 9))),
  "contradicts itself": (reply) => send(frameOf(reply.with(reply.length - 1, reply[reply.length - 1] ^ 1))),
  "gives an essay as its reason": () =>
    send(frameOf(Uint8Array.of(0, 0, 0, 0, 1, 65, 0, 0, 8, 0, ...new Uint8Array(2048).fill(27)))),
  "gives a code of its own": () => send(frameOf(Uint8Array.of(0, 0, 0, 0, 2, 97, 10, 0, 0, 0, 0))),
  "floods its outputs": async (reply) => {
    for (let i = 0; i < 200; i++) {
      process.stdout.write("x".repeat(1e5));
      process.stderr.write("x".repeat(1e5));
    }
    send(frameOf(reply));
  },
};

const requests = new FrameReader();
let turn = Promise.resolve();
let count = 0;
process.stdin.on("data", (piece: Uint8Array) => {
  for (const message of requests.feed(piece, MAX_REQUEST))
    turn = turn.then(async () => {
      const reply = await service.replyTo(message);
      await (count++ === at ? WAYS[way] : WAYS.obeys)(reply);
    });
});
process.stdin.on("end", () => process.exit(0));
send(frameOf(new Uint8Array(0)));
