/**
 * `verde demo --network`: a client, three providers and two referees, each in a process of its own, on a
 * network and a local chain. One provider cheats.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bytesToHex, type Hex, maxUint256 } from "viem";
import { TransportError, UsageError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import type { ClosedJob } from "../../job/closed.ts";
import { loadJob } from "../../job/load.ts";
import { drawProviders } from "../../services/client/draw-providers.ts";
import { statementBy } from "../../services/network/statement.ts";
import { NetworkKey } from "../../services/network/key.ts";
import { Notes } from "../../services/network/notes.ts";
import { Networks } from "../../services/network/open.ts";
import { taskIdOf } from "../../settlement/commitment.ts";
import { formatDuration } from "../../settlement/duration.ts";
import type { Statement } from "../../settlement/identity.ts";
import { drawSaltOf } from "../../settlement/secrets.ts";
import type { TaskView, Terms } from "../../settlement/task.ts";
import { formatFault, parseFault } from "../../trace/fault.ts";
import { writeJobFile } from "../../trace/job-file.ts";
import { colors, formatSeconds, writeLine } from "../output.ts";
import { formatFields } from "../table.ts";
import { stateName } from "../task/sentence.ts";
import { Crew } from "./crew.ts";
import { defaultFault, heading, JOB, labelOf } from "./job.ts";
import { type Person, PROVIDERS, Stage } from "./stage.ts";

const CHEAT = "Ben";
const JUDGES = ["first referee", "second referee"] as const;
/** Seconds that offers are waited for, and longer on a machine that is so busy that too few come. */
const OFFERS = [5, 20, 60, 180];

interface Flags {
  text?: string;
  steps?: string;
  fault?: string;
}

export async function demoOnNetwork({ text, steps = "30", fault }: Flags): Promise<void> {
  const began = performance.now();
  const job = await loadJob(JOB, { steps, ...(text !== undefined && { text: resolve(text) }) });
  const lie = fault === undefined ? defaultFault(job) : parseFault(fault);
  const folder = await mkdtemp(join(tmpdir(), "verde-demo-"));
  const stage = await Stage.open(true);
  try {
    const crew = await Crew.gather(folder);
    try {
      const story = new Story(stage, crew, folder, job);
      await story.prepare();
      const before = await stage.holdings();
      heading("Three providers and two referees, each in a process of its own");
      writeLine(`They find each other over ${crew.carrier}, at ${crew.network}.`);
      const label = lie.kind === "flip" ? labelOf(job, lie.step, lie.operator) : undefined;
      writeLine(`${CHEAT} will cheat: ${formatFault(lie)}${label === undefined ? "" : `, one bit of ${label}`}.`);
      await story.gather(formatFault(lie));
      await story.submit();
      await story.work();
      await story.pay();
      heading("Who has what");
      writeLine(...stage.balanceTable(before, await stage.holdings()));
      writeLine("", "docs/guides/run-a-network.md does the same by hand, on machines of your own.");
      writeLine("", colors.dim(`${formatSeconds((performance.now() - began) / 1000)} in all`));
    } finally {
      await crew.close();
    }
  } finally {
    await stage.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class Story {
  private readonly stage: Stage;
  private readonly crew: Crew;
  private readonly folder: string;
  private readonly job: ClosedJob;
  private secret: Hex;
  private terms: Terms;
  private id: Hex;

  constructor(stage: Stage, crew: Crew, folder: string, job: ClosedJob) {
    this.stage = stage;
    this.crew = crew;
    this.folder = folder;
    this.job = job;
    this.secret = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
    this.terms = this.termsFor(this.secret);
    this.id = taskIdOf(stage.session.deployment, this.terms);
  }

  /** The terms of a task whose draw has this secret. */
  private termsFor(secret: Hex): Terms {
    return this.stage.terms(this.job, drawSaltOf(secret), this.stage.session.deployment.seatList);
  }

  private get view(): Promise<TaskView> {
    return this.stage.task(this.id);
  }

  /** The job as a file, which the providers have; the deployment, which all have; and the stakes. */
  async prepare(): Promise<void> {
    const { stage, folder, job } = this;
    await makeFolder(join(folder, "jobs"));
    await writeJobFile(join(folder, "jobs", "job.verde"), job);
    await writeFile(join(folder, "deployment.json"), JSON.stringify(stage.session.deployment));
    const { vault } = stage.session.deployment;
    for (const name of PROVIDERS) {
      await stage.send(name, "token", "approve", [vault, maxUint256]);
      await stage.send(name, "vault", "deposit", [this.terms.stake]);
    }
    await stage.send("client", "token", "approve", [vault, maxUint256]);
  }

  async gather(lie: string): Promise<void> {
    const { crew, folder } = this;
    for (const name of PROVIDERS) {
      const cheat = name === CHEAT ? ["--fault", lie] : [];
      await crew.start(name, ["provider", "run", "--jobs", join(folder, "jobs"), "--drawn-only", ...cheat], this.keyOf(name)); // prettier-ignore
    }
    for (const name of JUDGES) await crew.start(name, ["referee", "serve"], this.keyOf(name));
    await crew.heard(/ is on /, PROVIDERS.length + JUDGES.length);
  }

  async submit(): Promise<void> {
    const { stage, crew } = this;
    heading("A client asks for offers, and draws three providers");
    const networks = new Networks();
    try {
      const key = NetworkKey.make();
      const notes = new Notes(await networks.at(crew.network), key);
      const statement = await statementBy(stage.account("client"), stage.session, key);
      const { offers, drawn } = await this.draw(notes, statement);
      // The contracts keep the seats for those who are drawn.
      await stage.send("client", "seatList", "allow", [this.terms, drawn.map(({ owner }) => owner)]);
      await stage.send("client", "manager", "post", [this.terms]);
      const reward = `${this.stage.money(this.terms.reward)} for each provider with the right result`;
      writeLine(...formatFields([["task", this.id], ["offers", `${offers}`], ["reward", reward]])); // prettier-ignore
    } finally {
      await networks.close();
    }
  }

  private async draw(notes: Notes, statement: Statement): ReturnType<typeof drawProviders> {
    const { session } = this.stage;
    for (const [tries, seconds] of OFFERS.entries()) {
      this.secret = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
      this.terms = this.termsFor(this.secret);
      this.id = taskIdOf(session.deployment, this.terms);
      const { id: task, terms, secret } = this;
      const nudge = async (): Promise<void> => {
        await this.stage.send("client", "token", "approve", [session.deployment.vault, maxUint256]);
      };
      try {
        const asked = { session, notes, statement, task, terms, secret, seconds, together: false, nudge };
        return await drawProviders(asked);
      } catch (error) {
        if (!(error instanceof TransportError) || tries === OFFERS.length - 1) throw error;
        writeLine(`Too few have offered within ${seconds} s: the client asks again.`);
      }
    }
    return { offers: 0, drawn: [] };
  }

  async work(): Promise<void> {
    const { crew, stage } = this;
    heading("They run the job, commit, and reveal");
    await this.until(({ phase, state }) => phase === "Judging" || state === "Challengeable");
    const { seats, state } = await this.view;
    if (state === "Challengeable")
      throw new UsageError("NO_EFFECT", "the fault changed nothing, so there is nothing to find; plant another fault");
    const honest = seats.find(({ owner }) => owner === stage.account("Ada").address)?.root;
    for (const name of PROVIDERS) {
      const root = seats.find(({ owner }) => owner === stage.account(name).address)?.root ?? "";
      writeLine((root === honest ? colors.green : colors.red)(`  ${name.padEnd(4)}  ${root}`));
    }
    heading("The claims differ: the referees ask the providers, over sockets");
    await crew.heard(/referee: task .* submitted the ruling/);
    await this.until(({ state: now }) => now === "Challengeable");
    const after = await this.view;
    const slashed = after.seats.filter(({ out }) => out);
    const names = slashed.map(({ owner }) => PROVIDERS.find((name) => stage.account(name).address === owner));
    if (names.join() !== CHEAT)
      throw new UsageError("NO_EFFECT", `${names.join(", ") || "nobody"} was slashed, and not ${CHEAT}`);
    writeLine(colors.bold(`${CHEAT} cheated, and has lost its stake of ${this.stage.money(this.terms.stake)}.`));
  }

  async pay(): Promise<void> {
    const { stage, crew, terms, id } = this;
    const { toChallenge } = terms.periods;
    heading("Nobody challenges the claim that stands, so it is paid");
    await stage.skip(toChallenge + 1);
    await this.until(({ state }) => state === "Final");
    await crew.heard(/is over: paid/, 2);
    await stage.send("client", "vault", "claim", [stage.account("client").address]);
    await stage.send("client", "vault", "burn", []);
    writeLine(
      `${formatDuration(toChallenge)} have passed on the chain. The task ${id.slice(0, 10)}… is ${stateName(await this.view)}.`,
    );
    await this.collected();
  }

  /** Providers collect what the vault holds for them. */
  private async collected(): Promise<void> {
    for (const name of ["Ada", "Cleo"] as const)
      for (let credit = 1n; credit > 0n; await pause()) credit = await this.stage.creditOf(name);
  }

  private async until(isSo: (view: TaskView) => boolean): Promise<void> {
    while (!isSo(await this.view)) await pause();
  }

  private keyOf(person: Person): Record<string, string> {
    return {
      VERDE_PRIVATE_KEY: this.stage.keyOf(person),
      VERDE_RPC: this.stage.url,
      VERDE_DEPLOYMENT: join(this.folder, "deployment.json"),
    };
  }
}

const pause = (): Promise<void> => new Promise((done) => setTimeout(done, 200));
