/** `verde provider status`, `logs` and `stop`: what a provider has, and what it has said. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Address } from "viem";
import { parseJson } from "../encoding/json.ts";
import { KeyError, unreadable } from "../errors/index.ts";
import { holderOf } from "../files/lock.ts";
import { stateFolder } from "../files/places.ts";
import type { TaskStatus } from "../services/provider/work.ts";
import { colors, writeJson, writeLine } from "./output.ts";

/** What `status.json` holds. */
export interface Status {
  schemaVersion: 1;
  process: number;
  account: Address;
  manager: Address;
  chainId: number;
  tasks: readonly TaskStatus[];
}

export const [STATUS_FILE, LOG_FILE, LOCK_FILE] = ["status.json", "provider.log", "provider.lock"];

export function registerStatus(group: Command): void {
  const about = (name: string, what: string): Command =>
    group.command(name).description(what).option("--folder <folder>", "as for `provider run`");
  about("status", "show the tasks of a provider").option("--json", "one JSON object").action(status);
  about("logs", "print what a provider has said").option("--json", "one JSON object a line").action(logs);
  about("stop", "end a provider: what it was doing is continued by the next start").action(stop);
}

/** The folder of a provider. @throws {KeyError} when this user has no home */
export function folderOf({ folder }: { folder?: string }): string {
  if (folder !== undefined) return folder;
  const state = stateFolder();
  if (state !== undefined) return join(state, "provider");
  throw new KeyError("UNREADABLE", "this user has no home folder, in which a provider's traces would be; name one with --folder"); // prettier-ignore
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw unreadable(file, file, cause, "start a provider with `verde provider run`, or name its --folder");
  }
}

function status(flags: { folder?: string; json?: boolean }): void {
  const folder = folderOf(flags);
  const file = join(folder, STATUS_FILE);
  const { account, tasks, ...rest } = parseJson(read(file), file) as Status;
  const holder = holderOf(join(folder, LOCK_FILE));
  const running = holder !== undefined;
  if (flags.json) return writeJson({ ...rest, account, running, tasks });
  writeLine(`provider ${account} ${running ? `runs as ${holder}` : "does not run"}`);
  for (const { task, stage, outcome, trouble } of tasks)
    writeLine(`  ${task}  ${outcome ?? stage}${trouble === undefined ? "" : colors.yellow(`  ${trouble}`)}`);
}

function logs(flags: { folder?: string; json?: boolean }): void {
  const file = join(folderOf(flags), LOG_FILE);
  for (const line of read(file)
    .split("\n")
    .filter((text) => text !== "")) {
    const { time, message, task } = parseJson(line, file) as { time: string; message: string; task?: string };
    if (flags.json) writeJson({ schemaVersion: 1, time, message, ...(task !== undefined && { task }) });
    else writeLine(`${colors.dim(time)} ${message}`);
  }
}

function stop(flags: { folder?: string }): void {
  const folder = folderOf(flags);
  const file = join(folder, STATUS_FILE);
  const { process: id } = parseJson(read(file), file) as Status;
  if (holderOf(join(folder, LOCK_FILE)) === undefined) return writeLine("The provider does not run.");
  process.kill(id, "SIGTERM");
  writeLine(`Process ${id} was told to end.`);
}
