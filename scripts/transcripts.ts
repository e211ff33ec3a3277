/**
 * The transcripts of the documentation: blocks with commands after `$` and what they print. `replay` runs the
 * commands of a document in order, in one folder, exactly as they stand there. Started as a program, it
 * writes what they print now into the documents that are named:
 *
 *     node scripts/transcripts.ts docs/guides/settle-a-task.md
 *
 * Above a block, `<!-- transcript: background -->` says that its command keeps running, and `<!-- transcript:
 * elsewhere -->` that it needs what this replay does not have, such as a device. A line `export NAME=VALUE`
 * of a block without `$` holds for all commands after it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));

export interface Ran {
  /** The number of the line in the document, from 1. */
  line: number;
  command: string;
  /**
   * What the document says that it prints, and what it has printed, both without the line break at the end.
   */
  expected: string;
  printed: string;
  stderr: string;
  code: number;
}

export interface Replay {
  commands: readonly Ran[];
  /** The document with what the commands have printed. */
  text: string;
}

/** A folder as a reader has it: the launcher and the examples, and nothing of this machine's settings. */
export function readersFolder(): { folder: string; env: NodeJS.ProcessEnv; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "verde-transcript-"));
  for (const name of ["verde", "examples"]) symlinkSync(join(CHECKOUT, name), join(folder, name));
  mkdirSync(join(folder, "state"));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("VERDE_"));
  const env = { ...Object.fromEntries(inherited), NO_COLOR: "1", VERDE_STATE: join(folder, "state") };
  return { folder, env, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Runs the commands of a document.
 * @param text the document, Markdown
 * @param adapt changes a command before it runs, where a port of this machine is taken
 */
export async function replay(
  text: string,
  { folder, env }: { folder: string; env: NodeJS.ProcessEnv },
  adapt: (command: string) => string = (command) => command,
): Promise<Replay> {
  const lines = text.split("\n");
  const variables: NodeJS.ProcessEnv = { ...env };
  const commands: Ran[] = [];
  const kept: ChildProcess[] = [];
  const out: string[] = [];
  const bash = (script: string) =>
    spawnSync("bash", ["-c", script], { cwd: folder, env: variables, encoding: "utf8", maxBuffer: 2 ** 26 });
  let block = false;
  let mark = "";
  try {
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at];
      out.push(line);
      const marked = /^<!-- transcript: (\w+) -->$/.exec(line)?.[1];
      if (marked) mark = marked;
      if (line.startsWith("```")) {
        block = !block;
        if (!block) mark = "";
      }
      const [, file] = (block && line === "```ts" && /^\/\/ ([\w-]+\.ts)$/.exec(lines[at + 1])) || [];
      if (file !== undefined) {
        const end = lines.indexOf("```", at);
        writeFileSync(join(folder, file), `${lines.slice(at + 1, end).join("\n")}\n`);
      }
      if (!block || mark === "elsewhere") continue;
      const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined) {
        const { stdout, stderr, status } = bash(`value=${value}; printf %s "$value"`);
        commands.push({ line: at + 1, command: line, expected: "", printed: "", stderr, code: status ?? -1 });
        variables[name] = stdout;
      }
      if (!line.startsWith("$ ")) continue;
      const command = line.slice(2);
      let end = at + 1;
      while (!lines[end].startsWith("$ ") && !lines[end].startsWith("```")) end++;
      const expected = lines
        .slice(at + 1, end)
        .join("\n")
        .trimEnd();
      const ran = { line: at + 1, command, expected };
      if (mark === "background") {
        const { child, printed } = await start(adapt(command), { folder, env: variables }, expected.split("\n").length);
        kept.push(child);
        commands.push({ ...ran, printed, stderr: "", code: 0 });
      } else {
        const { stdout, stderr, status } = bash(adapt(command));
        commands.push({ ...ran, printed: stdout.trimEnd(), stderr, code: status ?? -1 });
      }
      out.push(...commands.at(-1)!.printed.split("\n"));
      if (lines[end].startsWith("$ ")) out.push("");
      at = end - 1;
    }
  } finally {
    for (const child of kept) child.kill();
  }
  return { commands, text: out.join("\n") };
}

/** Starts a command that stays, and waits until it has printed as many lines as the document shows. */
async function start(
  command: string,
  { folder, env }: { folder: string; env: NodeJS.ProcessEnv },
  lines: number,
): Promise<{ child: ChildProcess; printed: string }> {
  const child = spawn("bash", ["-c", `exec ${command}`], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  for await (const data of child.stdout) {
    printed += String(data);
    if (printed.split("\n").length > lines) break;
  }
  return { child, printed: printed.trimEnd() };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const document of process.argv.slice(2)) {
    const place = readersFolder();
    try {
      const { commands, text } = await replay(readFileSync(document, "utf8"), place);
      for (const { command, code, stderr, line } of commands)
        if (code > 1) console.error(`${document}:${line}: ${command}\n${stderr}`);
      writeFileSync(document, text);
    } finally {
      place.remove();
    }
  }
