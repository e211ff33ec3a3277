/** The scripts of `verde completion`, in the shells that this machine has. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const at = temporaryFolder();
const scripts: Record<string, string> = {};
let program: Command;

beforeAll(async () => {
  program = await buildProgram();
  for (const shell of ["bash", "zsh", "fish"]) {
    let text = "";
    const spy = vi.spyOn(process.stdout, "write").mockImplementation((piece) => ((text += String(piece)), true));
    await (await buildProgram()).parseAsync(["completion", shell], { from: "user" });
    spy.mockRestore();
    scripts[shell] = text;
    writeFileSync(at(shell), text);
  }
});

const has = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

function everyCommand(command: Command, words: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((one) => {
    const path = [...words, one.name()];
    return [[path.join(" "), one] as [string, Command], ...everyCommand(one, path)];
  });
}

it.each(["bash", "zsh", "fish"])("the script for %s has every command and every option", (shell) => {
  for (const [path, command] of everyCommand(program)) {
    expect(scripts[shell]).toMatch(new RegExp(`["']${path}["']`));
    for (const { long, hidden } of command.options)
      if (long && !hidden) expect(scripts[shell], path).toContain(shell === "fish" ? `-l ${long.slice(2)} ` : long);
  }
  expect(scripts[shell]).not.toContain("--until-decided");
});

it("only knows shells that it has a script for", async () => {
  const words = program.parseAsync(["completion", "tcsh"], { from: "user" });
  const spy = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  await expect(words).rejects.toThrow("Allowed choices are bash, zsh, fish");
  spy.mockRestore();
});

describe.runIf(has("bash"))("bash", () => {
  function complete(...words: string[]): string[] {
    const script = `source '${at("bash")}'; complete -p verde >&2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _verde; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = execFileSync("bash", ["--norc", "-c", script, "bash", ...words], { encoding: "utf8", stdio: "pipe" });
    return found.split("\n").filter((line) => line !== "");
  }

  it.each([
    [["verde", "disp"], ["dispute"]],
    [["./verde", "task", "es"], ["escalate"]],
    [
      ["verde", "task", "post", "job.ts", "--to-c"],
      ["--to-commit", "--to-challenge"],
    ],
    [["verde", "run", "--commit-every", "4", "--res"], ["--resume"]],
    [
      ["verde", "run", "--detail", ""],
      ["steps", "operators"],
    ],
    [
      ["verde", "completion", ""],
      ["bash", "zsh", "fish", "-h", "--help"],
    ],
    // A file: bash completes it by itself.
    [["verde", "run", "--out", ""], []],
    [["verde", "inspect", "a"], []],
  ])("completes %j", (words, expected) => expect(complete(...words)).toEqual(expected));
});

it.runIf(has("zsh"))("zsh reads its script", () => expect(spawnSync("zsh", ["-n", at("zsh")]).status).toBe(0));
it.runIf(has("fish"))("fish reads its script", () => expect(spawnSync("fish", ["-n", at("fish")]).status).toBe(0));
