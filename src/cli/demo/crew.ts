/** The processes of the demo on a network: each says what it does, and all end with the demo. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { UsageError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";
import { endProcess, startCarrier } from "../carrier.ts";
import { ownCommand } from "../own-command.ts";
import { colors, writeLine } from "../output.ts";

const LOOK_MILLIS = 50;

export class Crew {
  /** The address of the network. */
  readonly network: string;
  /** How it is carried, for people. */
  readonly carrier: string;
  private readonly folder: string;
  private readonly ending: (() => Promise<void>)[];
  private readonly said: string[] = [];
  private readonly children = new Map<string, ChildProcess>();

  private constructor(folder: string, network: string, carrier: string, end: () => Promise<void>) {
    this.folder = folder;
    this.network = network;
    this.carrier = carrier;
    this.ending = [end];
  }

  /** Starts NATS if it is installed, and otherwise a hub in this process. */
  static async gather(folder: string): Promise<Crew> {
    const { network, carrier, end } = await startCarrier(join(folder, "nats"));
    return new Crew(folder, network, carrier, end);
  }

  /** Starts a `verde` command as a process. @param env the variables that it has beside those of this one */
  async start(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    const home = join(this.folder, name.replaceAll(" ", "-").toLowerCase());
    await mkdir(home, { recursive: true });
    const own = { VERDE_STATE: home, VERDE_JOURNAL: join(home, "journal"), VERDE_NETWORK: this.network, ...env };
    const [program, ...before] = ownCommand();
    const child = spawn(program, [...before, ...args, "--every", "1s", "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, VERDE_PROGRESS: "off", ...own },
    });
    this.children.set(name, child);
    createInterface({ input: child.stdout }).on("line", (line) => this.hear(name, messageIn(line)));
    createInterface({ input: child.stderr }).on("line", (line) => this.hear(name, plainText(line)));
    this.ending.unshift(() => endProcess(child));
  }

  /**
   * Waits until somebody has said something, as often as that. @throws {UsageError} when a process has ended
   */
  async heard(pattern: RegExp, times = 1): Promise<void> {
    while (this.said.filter((line) => pattern.test(line)).length < times) {
      const gone = [...this.children].find(([, { exitCode }]) => exitCode !== null);
      if (gone) throw new UsageError("NO_EFFECT", `${gone[0]} has ended: ${this.said.findLast((line) => line.startsWith(gone[0])) ?? "it said nothing"}`); // prettier-ignore
      await pause();
    }
  }

  async close(): Promise<void> {
    for (const end of this.ending) await end();
  }

  private hear(name: string, message: string): void {
    if (message === "") return;
    this.said.push(`${name}: ${message}`);
    writeLine(`  ${colors.bold(name.padEnd(15))} ${shortened(message)}`);
  }
}

/** Long numbers by their beginnings. */
const shortened = (text: string): string =>
  text.replace(/0x([0-9a-fA-F]{8})[0-9a-fA-F]{32,}/g, "0x$1…").replace(/\b(U[A-Z2-7]{7})[A-Z2-7]{48}\b/g, "$1…");

function messageIn(line: string): string {
  try {
    const { message } = JSON.parse(line) as { message?: unknown };
    return typeof message === "string" ? plainText(message) : "";
  } catch {
    return plainText(line);
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
