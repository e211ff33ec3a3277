/** `verde doctor`: whether this machine can run jobs, and what to install or to do. */
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { colors, writeJson, writeLine } from "../output.ts";
import { addProgressOption, Progress } from "../progress.ts";
import { backendChecks } from "./backends.ts";
import { type Check, writeCheck } from "./check.ts";
import { clockCheck, compilerCheck, machineChecks } from "./machine.ts";
import { placeChecks } from "./places.ts";

interface Flags {
  rpc?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("doctor")
    .description("look at Node, backends, GPU, compiler, disks and clock, and say what to install")
    .option("--rpc <url>", "a node of a chain, to compare the clocks")
    .option("--json", "one JSON object");
  addProgressOption(command).action(doctor);
}

async function doctor({ rpc, json }: Flags): Promise<void> {
  const progress = new Progress();
  const checks: Check[] = [];
  const add = (check: Check): void => {
    progress.clear();
    checks.push(check);
    // At once: a driver may end the process.
    if (!json) writeCheck(check);
  };
  for (const check of [...machineChecks(), ...(await placeChecks()), await compilerCheck(), await clockCheck(rpc)])
    add(check);
  for await (const check of backendChecks((name) => progress.show(`certifying ${name}`, true))) add(check);
  const possible = checks.every(({ result }) => result !== "fail");
  const warnings = checks.filter(({ result }) => result === "warn").length;
  if (json) writeJson({ schemaVersion: 1, possible, checks });
  else
    writeLine(
      "",
      colors.bold(possible ? "This machine can run jobs." : "This machine can't run jobs."),
      ...(possible && warnings > 0 ? [`Warnings: ${warnings}. They matter only if you need what they name.`] : []),
    );
  exitWith(possible ? EXIT.agree : EXIT.failure);
}
