/** Workers on this machine: processes that the coordinator starts, and starts anew if they have ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { messageOf } from "../errors/index.ts";
import type { WorkerAddress } from "./channel.ts";
import { httpChannel } from "./http-channel.ts";

/** Milliseconds that a process has to load Verde and to say where it listens. */
const START_MILLIS = 60_000;

/** A worker in a process of this machine. */
export interface LocalWorker extends WorkerAddress {
  /** The id of its process, as long as it runs. */
  readonly pid: () => number | undefined;
}

/**
 * A worker in a process of its own. It ends with the coordinator, however that ends: the end of its input
 * ends it.
 * @param command how `verde` is started: a program and its first arguments
 * @param options further options of `verde worker`
 * @param variables of its environment, beside those of this process
 */
export function localWorker(
  name: string,
  command: readonly string[],
  options: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): LocalWorker {
  let child: ChildProcess | undefined;
  return {
    name,
    pid: () => child?.pid,
    connect: async () => {
      // One that has failed may still be there, and be stalled.
      child?.kill("SIGKILL");
      const [program, ...first] = command;
      const args = [...first, "worker", "--listen", "127.0.0.1:0", "--until-input-ends", "--json", ...options];
      // No other user of this machine can use it, and it gets no key.
      const token = randomBytes(32).toString("hex");
      const env = { ...process.env, ...variables, VERDE_TOKEN: token, VERDE_PRIVATE_KEY: "", VERDE_PASSWORD: "" };
      // In a group of its own: Ctrl-C is for the coordinator, which finishes its step.
      const started = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"], env, detached: true });
      child = started;
      started.on("exit", () => (child = child === started ? undefined : child));
      const channel = httpChannel(await urlOf(started), token);
      return {
        send: channel.send,
        close: async () => {
          await channel.close();
          // It keeps nothing that could be lost, and may be stalled.
          started.kill("SIGKILL");
        },
      };
    },
  };
}

/** The address that a worker prints. @throws {Error} when it prints none */
async function urlOf(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MILLIS);
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  const first = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error("its process ended before it listened")));
  });
  try {
    return (JSON.parse(await Promise.race([first, failed])) as { url: string }).url;
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`a worker can't be started: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
