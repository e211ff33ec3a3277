/** The files of traces in a folder for a test. */
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";

/** Everything that the run NAME.trace has left, by file. */
export function filesOf(path: (name: string) => string, name: string): Record<string, Buffer> {
  const folder = path(`${name}.data`);
  return Object.fromEntries([
    ["trace", readFileSync(path(`${name}.trace`))],
    ...readdirSync(folder).map((file) => [file, readFileSync(`${folder}/${file}`)]),
  ]);
}

/** Copies a trace with its data over another. */
export function copyTrace(path: (name: string) => string, from: string, to: string): void {
  rmSync(path(`${to}.data`), { recursive: true, force: true });
  cpSync(path(`${from}.trace`), path(`${to}.trace`));
  cpSync(path(`${from}.data`), path(`${to}.data`), { recursive: true });
}
