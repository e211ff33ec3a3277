/**
 * Verde as a contender: `node bench/peers/ours.ts BACKEND`, on as many threads as VERDE_THREADS says. It uses
 * nothing but the interface of backends and `run`.
 */
import { ensureCertified } from "../../src/certify/gate.ts";
import { versions } from "../../src/cli/version.ts";
import { VerdeError } from "../../src/errors/index.ts";
import type { Session } from "../../src/repops/backends/backend.ts";
import { backendByName } from "../../src/repops/backends/index.ts";
import { prepareAdamW } from "./adamw.ts";
import { type Ready, refuse, serve } from "./contender.ts";
import { prepareRun, writeWeights } from "./gated-run.ts";
import { operatorGraph, productGraph } from "./graphs.ts";
import { places, type Task } from "./tasks.ts";

const backend = backendByName(process.argv[2] ?? "native");

/** On how many threads this checkout's backends compute: one, where they know nothing of threads. */
async function threadsHere(): Promise<number> {
  const module = new URL(`../../src/repops/backends/threads${import.meta.url.slice(-3)}`, import.meta.url).href;
  try {
    return ((await import(module)) as { threads(): number }).threads();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return 1;
    throw error;
  }
}

/** Some elements of a session's results. */
export async function shown(session: Session, tensor: number): Promise<number[]> {
  const { data } = await session.read(tensor);
  return places(data.length).map((i) => data[i]);
}

async function prepare(task: Task): Promise<Ready> {
  switch (task.kind) {
    case "product":
    case "operator": {
      const { list, operands, outputs } = task.kind === "product" ? productGraph(task) : operatorGraph(task);
      const session = await backend.prepare(list, { keep: outputs });
      for (const [i, operand] of operands.entries()) await session.write(i, operand);
      await session.execute();
      const check: number[] = [];
      for (const output of outputs) check.push(...(await shown(session, output)));
      return { check, call: () => session.execute(), close: () => session.close() };
    }
    case "adamw":
      return prepareAdamW(backend, task);
    case "copy": {
      const [from, to] = [0, 1].map(() => new Float32Array(task.bytes / 4));
      to.set(from.fill(1));
      return { check: [to[0]], call: () => to.set(from) };
    }
    case "weights":
      return { check: await writeWeights(backend, task), call: () => undefined };
    case "gpt":
      return prepareRun(backend, task);
  }
}

try {
  await ensureCertified(backend);
} catch (error) {
  if (!(error instanceof VerdeError)) throw error;
  refuse(error.message);
}
await serve({ name: `Verde ${versions().version}, ${backend.name}`, threads: await threadsHere() }, prepare);
process.exit();
