/**
 * `verde demo --chain`: a job is posted, run by three providers, disputed and paid, on a chain in this
 * process.
 */
import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { type Hex, maxUint256 } from "viem";
import type { ClaimStore } from "../../claims/store.ts";
import { fromHex, toHex } from "../../encoding/bytes.ts";
import { chunkCount } from "../../encoding/tensor.ts";
import { UsageError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { writeResult } from "../../files/replace.ts";
import { type ClosedJob, stateTypes } from "../../job/closed.ts";
import { loadJob } from "../../job/load.ts";
import { dispute } from "../../referee/index.ts";
import { formatDuration } from "../../settlement/duration.ts";
import { commitmentOf, taskIdOf } from "../../settlement/commitment.ts";
import { rulingFrom, signRuling } from "../../settlement/ruling.ts";
import { gatherSignatures, type SignatureFile } from "../../settlement/signatures.ts";
import type { TaskView, Terms } from "../../settlement/task.ts";
import { type Fault, formatFault, parseFault } from "../../trace/fault.ts";
import { openTrace } from "../../trace/folder.ts";
import { readCheckpoint } from "../../trace/open.ts";
import { defaultFault, heading, JOB, labelOf, train } from "./job.ts";
import { PROVIDERS, Stage } from "./stage.ts";
import { describeDivergence } from "../dispute-text.ts";
import { colors, formatCount, formatSeconds, writeLine } from "../output.ts";
import { formatFields } from "../table.ts";
import { deliverFrom, demandCall, randomTensor } from "../task/delivery.ts";
import { stateName } from "../task/sentence.ts";
import { termsFields } from "../task/terms.ts";

const CHEAT = 1;

interface Flags {
  text?: string;
  steps?: string;
  out?: string;
  fault?: string;
}

export async function demoOnChain({ text, steps = "60", out = "out/chain", fault }: Flags): Promise<void> {
  const began = performance.now();
  const job = await loadJob(JOB, { steps, ...(text !== undefined && { text: resolve(text) }) });
  const lie = fault === undefined ? defaultFault(job) : parseFault(fault);
  await makeFolder(out);
  const path = (name: string): string => relative(".", join(out, name));
  const traces = PROVIDERS.map((name) => path(`${name.toLowerCase()}.trace`));
  const stage = await Stage.open();
  const folder = await mkdtemp(join(tmpdir(), "verde-demo-"));
  try {
    const story = new Story(stage, job, traces, path("verdict.json"), stage.claimsIn(folder));
    const before = await stage.holdings();
    await story.post();
    await story.accept();
    await story.train(lie);
    await story.claim();
    await story.judge();
    await story.deliver();
    await story.pay();
    heading("Who has what");
    writeLine(...stage.balanceTable(before, await stage.holdings()));
    heading("What it took");
    writeLine(...stage.gasTable());
    writeLine(
      "",
      `docs/guides/settle-a-task.md does the same by hand, command by command. docs/settlement.md explains how it works.`,
    );
    writeLine("", colors.dim(`${formatSeconds((performance.now() - began) / 1000)} in all`));
  } finally {
    await stage.close();
    await rm(folder, { recursive: true });
  }
}

class Story {
  private readonly stage: Stage;
  private readonly job: ClosedJob;
  private readonly traces: readonly string[];
  private readonly verdict: string;
  /** The providers answer with the keys of their seats. */
  private readonly claims: ClaimStore;
  private readonly terms: Terms;
  private id: Hex = "0x";
  private roots: Hex[] = [];

  constructor(stage: Stage, job: ClosedJob, traces: readonly string[], verdict: string, claims: ClaimStore) {
    this.stage = stage;
    this.job = job;
    this.traces = traces;
    this.verdict = verdict;
    this.claims = claims;
    this.terms = stage.terms(job);
  }

  private get view(): Promise<TaskView> {
    return this.stage.task(this.id);
  }

  async post(): Promise<void> {
    const { stage, terms } = this;
    const { deployment, token } = stage.session;
    heading("A client posts a job");
    this.id = taskIdOf(deployment, terms);
    await stage.send("client", "token", "approve", [deployment.vault, maxUint256]);
    await stage.send("client", "manager", "post", [terms]);
    const shown = termsFields(terms, token, "").filter(([name]) => ["job", "providers", "committee"].includes(name));
    writeLine(
      `${this.job.name}: ${terms.steps} training steps of a GPT. Each provider with the right result gets ${this.stage.money(terms.reward)}.`,
    );
    writeLine(...formatFields([["task", this.id], ...shown]));
  }

  async accept(): Promise<void> {
    const { stage, terms, id } = this;
    heading("Three providers take a seat each, with a stake");
    for (const name of PROVIDERS) {
      await stage.send(name, "token", "approve", [stage.session.deployment.vault, maxUint256]);
      await stage.send(name, "vault", "deposit", [terms.stake]);
      await stage.send(name, "manager", "accept", [id]);
    }
    writeLine(
      `${PROVIDERS.join(", ")} have ${this.stage.money(terms.stake)} each at stake. The task is ${stateName(await this.view)}.`,
    );
  }

  async train(lie: Fault): Promise<void> {
    for (const [seat, name] of PROVIDERS.entries()) {
      const cheats = seat === CHEAT;
      heading(cheats ? `${name} cheats: ${formatFault(lie)}` : `${name} runs the job`);
      const label = cheats && lie.kind === "flip" ? labelOf(this.job, lie.step, lie.operator) : undefined;
      if (label !== undefined) writeLine(`That is one bit of one element of ${label}.`);
      const { runRoot } = await train(this.job, this.traces[seat], cheats ? lie : undefined);
      const owner = fromHex(this.stage.account(name).address, 20);
      await this.claims.record(runRoot, cheats ? "drill" : "own", owner);
      this.roots.push(toHex(runRoot) as Hex);
    }
    if (this.roots[0] === this.roots[CHEAT])
      throw new UsageError("NO_EFFECT", "the fault changed nothing, so there is nothing to find; plant another fault");
  }

  async claim(): Promise<void> {
    const { stage, id, roots } = this;
    heading("They commit, then reveal");
    const salts: Hex[] = [];
    for (const [seat, name] of PROVIDERS.entries()) {
      const salt = await stage.caller(name).salt(id);
      const commitment = commitmentOf(stage.session.deployment, id, stage.account(name).address, roots[seat], salt);
      await stage.send(name, "manager", "commit", [id, BigInt(seat), commitment]);
      salts.push(salt);
    }
    writeLine("Nobody sees a root before all have committed, so nobody can copy one.");
    for (const [seat, name] of PROVIDERS.entries()) {
      await stage.send(name, "manager", "reveal", [id, BigInt(seat), roots[seat], salts[seat]]);
      const line = `  ${name.padEnd(4)}  ${roots[seat]}`;
      writeLine(roots[seat] === roots[0] ? colors.green(line) : colors.red(line));
    }
    await stage.send("client", "manager", "compare", [id]);
    writeLine(`The claims differ. The task is ${stateName(await this.view)}.`);
  }

  async judge(): Promise<void> {
    const { stage, id, terms, traces } = this;
    heading("The committee's referee compares the runs");
    const result = await dispute(traces[0], traces[CHEAT], { claims: this.claims });
    if (result.outcome !== "divergence")
      throw new UsageError("NO_EFFECT", "the fault changed nothing, so there is nothing to find; plant another fault");
    writeLine(...describeDivergence(result));
    await writeResult(this.verdict, `${JSON.stringify(result.verdict, null, 2)}\n`);

    heading("Two of its three members sign the verdict");
    const bench = { chainId: stage.session.deployment.chainId, committee: terms.committee, task: id };
    const files: SignatureFile[] = [];
    for (const name of ["first referee", "second referee"] as const) {
      // Each member checks the file itself, and compares it with the claims of the task's seats.
      const file = { bytes: new Uint8Array(await readFile(this.verdict)) };
      const { ruling } = rulingFrom(await this.view, [file]);
      const account = stage.account(name);
      const signature = await signRuling(account, bench, ruling);
      files.push({ ...bench, ruling, signer: account.address, signature, what: name });
      writeLine(`  The ${name} has checked ${this.verdict}, and signs: ${signature.slice(0, 22)}…`);
    }
    writeLine("  The third referee is absent; two signatures are enough.");
    const { ruling, signers, signatures } = await gatherSignatures(bench, files);
    await stage.send("client", "committee", "submit", [terms, ruling, signers, signatures]);
    const [winners, referees] = [(terms.stake * 40n) / 100n, (terms.stake * 10n) / 100n];
    writeLine(
      `${PROVIDERS[CHEAT]} loses ${this.stage.money(terms.stake)}: ${this.stage.money(winners)} for those who were right, ${this.stage.money(referees)} for the committee, the rest is burned.`,
    );
  }

  async deliver(): Promise<void> {
    const { stage, terms } = this;
    heading("The client asks for a chunk of the weights");
    const types = stateTypes(this.job);
    const tensor = randomTensor(types);
    const count = chunkCount(types[tensor]);
    const chunk = randomInt(count);
    const demanded = demandCall(terms, types, tensor, chunk);
    await stage.send("client", demanded.contract, demanded.functionName, demanded.args);
    const trace = await openTrace(this.traces[0]);
    const state = await readCheckpoint(trace, terms.steps);
    const { waiting } = await this.view;
    const answer = await deliverFrom(terms, trace, state, waiting[0]);
    await stage.send("Ada", answer.contract, answer.functionName, answer.args);
    writeLine(
      `Chunk ${formatCount(chunk)} of ${formatCount(count)} of ${types[tensor].name}, drawn at random: ${PROVIDERS[0]} delivers it with a proof, for ${this.stage.money(terms.chunkPrice)}.`,
    );
  }

  async pay(): Promise<void> {
    const { stage, terms } = this;
    const { toChallenge } = terms.periods;
    heading("Nobody challenges the claim that stands, so it is paid");
    await stage.skip(toChallenge + 1);
    await stage.send("client", "manager", "finalize", [terms]);
    for (const name of ["Ada", "Cleo", "client"] as const)
      await stage.send(name, "vault", "claim", [stage.account(name).address]);
    await stage.send("client", "vault", "burn", []);
    writeLine(`${formatDuration(toChallenge)} have passed on the chain. The task is ${stateName(await this.view)}.`);
  }
}
