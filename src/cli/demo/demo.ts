/**
 * `verde demo`: two providers train the same job, one of them changes a single bit, and a referee finds it.
 */
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { ClaimStore } from "../../claims/store.ts";
import { toHex } from "../../encoding/bytes.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { UsageError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { writeResult } from "../../files/replace.ts";
import type { ClosedJob } from "../../job/closed.ts";
import { loadJob } from "../../job/load.ts";
import { checkVerdict, dispute } from "../../referee/index.ts";
import { formatFault, parseFault } from "../../trace/fault.ts";
import { defaultFault, heading, JOB, labelOf, train } from "./job.ts";
import { claimRun } from "../claims.ts";
import { claimFlags } from "../dispute.ts";
import { describeDivergence } from "../dispute-text.ts";
import { addProgressOption } from "../progress.ts";
import { colors, formatBytes, formatCount, formatSeconds, plotCurve, writeLine } from "../output.ts";

interface Flags {
  text?: string;
  steps?: string;
  out?: string;
  fault?: string;
  chain?: boolean;
  network?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("demo")
    .description("train a model twice, once with a cheat, and watch the referee find it")
    .option("--text <file>", "a text to learn; default: the project's own prose")
    .option("--steps <n>", "training steps; default: 300, 60 with --chain, or 30 with --network")
    .option("--out <folder>", "where to write the traces; default: out/demo, or out/chain with --chain")
    .option("--fault <fault>", "how the second provider cheats, as in `verde run --fault`")
    .option("--network", "three providers and two referees in processes of their own, on NATS and a local chain")
    .option("--chain", "the same on a local chain: three providers, stakes, a signed verdict, payment");
  addProgressOption(command).action(async (flags: Flags) => {
    // The code that talks to a chain is slow to load, so it is loaded only when needed.
    if (flags.network) await (await import("./network.ts")).demoOnNetwork(flags);
    else if (flags.chain) await (await import("./chain.ts")).demoOnChain(flags);
    else await demo(flags);
  });
}

async function demo({ text, steps = "300", out = "out/demo", fault }: Flags): Promise<void> {
  const began = performance.now();
  const job = await loadJob(JOB, { steps, ...(text !== undefined && { text: resolve(text) }) });
  const lie = fault === undefined ? defaultFault(job) : parseFault(fault);
  await makeFolder(out);
  const [honest, cheating, verdict] = ["honest.trace", "cheating.trace", "verdict.json"].map((name) =>
    relative(".", join(out, name)),
  );

  heading("The job");
  const bytes = elementCount(job.dataset[0].shape);
  writeLine(
    `A GPT of ${formatCount(countWeights(job))} parameters learns ${formatBytes(bytes)} of text, byte by byte.`,
  );
  writeLine(
    `One training step is a graph of ${job.step.kernels.length} operators: forward, backward, AdamW, and the sampling of the batch.`,
  );

  heading("The first provider is honest");
  const first = await train(job, honest, undefined);
  await claimRun(first.runRoot, "own");
  writeLine(...plotCurve(first.metrics.slice(1).map(({ loss }) => loss)));
  writeLine(`It commits to every state of the run with 32 bytes: ${toHex(first.runRoot)}`);

  heading(`The second provider cheats: ${formatFault(lie)}`);
  const label = lie.kind === "flip" ? labelOf(job, lie.step, lie.operator) : undefined;
  if (label !== undefined) writeLine(`That is one bit of one element of ${label}.`);
  const second = await train(job, cheating, lie);
  await claimRun(second.runRoot, "drill");
  writeLine(`It commits to ${toHex(second.runRoot)}`);

  heading("The referee compares the two");
  const result = await dispute(honest, cheating, { claims: new ClaimStore() });
  if (result.outcome !== "divergence")
    throw new UsageError("NO_EFFECT", "the fault changed nothing, so there is nothing to find; plant another fault");
  writeLine(...describeDivergence(result));
  const share = (result.figures.bytes / traceBytes(job)) * 100;
  writeLine(`It read ${share.toPrecision(2)} % of the bytes of all states of the run.`);

  await writeResult(verdict, `${JSON.stringify(result.verdict, null, 2)}\n`);
  const checking = performance.now();
  checkVerdict(
    result.verdict,
    result.parties.map(({ runRoot: run, address }) => ({ run, ...(address && { address }) })),
  );
  const checked = performance.now() - checking;
  heading("Anybody can check the verdict");
  writeLine(
    `The verdict holds its own evidence: checking it took ${checked.toFixed(0)} ms and no trace. Try it yourself:`,
  );
  for (const command of [
    `./verde inspect ${honest}`,
    `./verde dispute ${honest} ${cheating}`,
    `./verde check ${verdict} ${claimFlags(result)}`,
  ])
    writeLine(`  ${colors.cyan(command)}`);
  writeLine("", colors.dim(`${formatSeconds((performance.now() - began) / 1000)} in all`));
}

function countWeights(job: ClosedJob): number {
  const weights = job.step.outputs.filter(
    ({ name }) => /(^|\.)(weight|bias)$/.test(name) && !name.startsWith("optimizer/"),
  );
  return weights.reduce((sum, { name }) => sum + elementCount(inputShape(job, name)), 0);
}

function inputShape(job: ClosedJob, name: string): readonly number[] {
  return job.step.inputs.find((input) => input.name === name)!.shape;
}

/** The bytes of all states of a run: what a referee without commitments would have to compare. */
function traceBytes(job: ClosedJob): number {
  const state = job.step.inputs.slice(0, job.step.outputs.length);
  return (job.steps + 1) * 4 * state.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
