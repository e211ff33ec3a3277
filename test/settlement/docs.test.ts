/** docs/settlement.md says what is measured, and what the command line does. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Command } from "commander";
import { register } from "../../src/cli/task.ts";
import { STATES } from "../../src/settlement/task.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const text = read("docs/settlement.md");
/** The cells of each row of all tables. */
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test("the gas of every transaction is the measured one", () => {
  const gas = JSON.parse(read("test/contracts/gas.json")) as Record<string, number>;
  const names = Object.keys(gas).filter((name) => !name.endsWith("(later)"));
  for (const name of names) {
    const [, , first, later] = rows.find(([cell]) => cell === name) ?? [];
    expect([name, first, later]).toEqual([name, figure(gas[name]), figure(gas[`${name} (later)`])]);
  }
});

const figure = (value: number): string => value.toLocaleString("en-US");

test("every option of the terms is there, with its default", () => {
  const program = new Command();
  register(program);
  const post = program.commands[0].commands.find((command) => command.name() === "post")!;
  const about = /^--(providers|max-(challenges|demands)|to-)/;
  for (const { long, defaultValue, description } of post.options.filter(({ long: name }) => about.test(name ?? ""))) {
    const row = rows.find(([cell]) => cell?.includes(`\`${long}\``));
    const shown = (defaultValue as string | undefined) ?? /default: (\w+)/.exec(description)?.[1];
    expect(row?.[1].split(", ").includes(shown!), `${long}: ${shown} in ${row?.join(" | ")}`).toBe(true);
  }
});

test("every state is in the table and in the picture", () => {
  const picture = read("docs/task-states.svg");
  for (const state of STATES.slice(1)) {
    expect(picture).toContain(`>${state}</text>`);
    expect(
      rows.some(([cell]) => cell?.startsWith(state) || cell?.includes(`, ${state}`)),
      state,
    ).toBe(true);
  }
});
