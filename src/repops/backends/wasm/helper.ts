/**
 * The script of a helper, a thread that computes beside the one that opened its session. It is a text,
 * because a thread is started from a file or a text, and a bundle or a package would move a file. It uses
 * nothing but what every engine has. It is told of sessions by messages, which it can't receive while it
 * waits for work; so it counts them, and the board tells how many there are.
 */
import { BOARD, CALL_WORDS, CONTROL } from "./control.ts";

/**
 * How often a helper looks for work before it sleeps: some ten microseconds, for the next kernel of a step.
 */
const LOOKS = 2_000;

/** What a helper is told of a session. */
export interface SessionMessage {
  open: number;
  memory: WebAssembly.Memory;
  /** The module of hand-built kernels and that of loops. */
  modules: readonly WebAssembly.Module[];
  /** The functions of both, in the order of their numbers in calls. */
  names: readonly string[];
  /** The address of the control words. */
  control: number;
  /** The address of this helper's own scratch memory. */
  scratch: number;
}

export type HelperMessage = SessionMessage | { close: number } | { board: Int32Array; number: number };

export const HELPER = `"use strict";
const node = typeof process === "object" && process.getBuiltinModule?.("node:worker_threads");
const sessions = new Map();
let board, posted, received = 0;

function open({ open, memory, modules, names, control, scratch }) {
  const exports = {};
  for (const module of modules) Object.assign(exports, new WebAssembly.Instance(module, { env: { memory } }).exports);
  const words = new Int32Array(memory.buffer);
  sessions.set(open, { words, functions: names.map((name) => exports[name]), at: control / 4, scratch });
  Atomics.add(words, control / 4 + ${CONTROL.joined}, 1);
}

function close(session) {
  const bytes = sessions.get(session)?.words.byteLength;
  sessions.delete(session);
  // See \`showBytes\` in team.ts.
  try { new ArrayBuffer(bytes); } catch {}
}

function help({ words, functions, at, scratch }) {
  const next = at + ${CONTROL.next}, end = at + ${CONTROL.end}, done = at + ${CONTROL.done};
  for (;;) {
    const ticket = Atomics.load(words, next);
    if (ticket === Atomics.load(words, end)) return;
    if (Atomics.compareExchange(words, next, ticket, (ticket + 1) | 0) !== ticket) continue;
    const call = words[at + ${CONTROL.first}] + ${CALL_WORDS} * ((ticket - words[at + ${CONTROL.base}]) | 0);
    words[call + 2] = functions[words[call]](words[call + 1], scratch, words[at + ${CONTROL.turn}]);
    Atomics.add(words, at + ${CONTROL.helped}, 1);
    Atomics.add(words, done, 1);
    Atomics.notify(words, done);
  }
}

function work() {
  while (Atomics.load(board, posted) === received) {
    const seen = Atomics.load(board, ${BOARD.wake});
    const session = sessions.get(Atomics.load(board, ${BOARD.session}));
    if (session) help(session);
    for (let i = 0; i < ${LOOKS} && Atomics.load(board, ${BOARD.wake}) === seen; i++);
    if (Atomics.load(board, posted) === received) Atomics.wait(board, ${BOARD.wake}, seen);
  }
}

function receive(message) {
  if (message.board) {
    board = message.board;
    posted = ${BOARD.posted} + message.number;
  } else {
    received++;
    // A helper without the memory for a session does not take its calls.
    if (message.open !== undefined) try { open(message); } catch {}
    else close(message.close);
  }
  work();
}

if (node) node.parentPort.on("message", receive);
else self.onmessage = ({ data }) => receive(data);
`;
