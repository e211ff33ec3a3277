/** A network on this machine alone, for commands that start processes which find each other. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { serveHub } from "../services/transport/hub.ts";
import { InProcess } from "../services/transport/in-process.ts";

/** Where Debian puts the server, which a user's own path may lack. */
const PATHS = ":/usr/sbin:/usr/local/sbin";
const LOOK_MILLIS = 50;

export interface Carrier {
  /** The address of the network. */
  readonly network: string;
  /** How it is carried, for people. */
  readonly carrier: string;
  readonly end: () => Promise<void>;
}

/**
 * Starts NATS if it is installed, and otherwise a hub in this process.
 * @param folder where NATS keeps its notes
 */
export async function startCarrier(folder: string): Promise<Carrier> {
  const port = await freePort();
  const child = spawn("nats-server", ["--addr", "127.0.0.1", "--port", `${port}`, "--jetstream", "--store_dir", folder], { stdio: "ignore", env: { ...process.env, PATH: `${process.env.PATH ?? ""}${PATHS}` } }); // prettier-ignore
  const isThere = await Promise.race([once(child, "spawn").then(() => true), once(child, "error").then(() => false)]).catch(() => false); // prettier-ignore
  if (isThere) {
    while (child.exitCode === null && !(await listens(port))) await pause();
    const end = (): Promise<void> => endProcess(child);
    if (child.exitCode === null) return { network: `nats://127.0.0.1:${port}`, carrier: "NATS with JetStream", end };
  }
  const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
  return { network: hub.url, carrier: "a hub over HTTP, since nats-server is not installed", end: () => hub.close() };
}

/** Ends a process: it is asked to, and after three seconds it is killed. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await closed;
  clearTimeout(late);
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
