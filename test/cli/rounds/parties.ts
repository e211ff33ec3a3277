/** The parties of a plan on a chain, and what they do with the commands, or more quickly without. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createPublicClient, http, maxUint256, parseEther } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { beforeAll, expect, onTestFinished } from "vitest";
import { parseDeployment } from "../../../src/settlement/deployment.ts";
import { sealKey } from "../../../src/settlement/keystore.ts";
import { parsePostedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import { type Session, sessionOf } from "../../../src/settlement/session.ts";
import { Caller, type ContractCall } from "../../../src/settlement/transactions/caller.ts";
import { addressOf, keyOf, type Person, type Settlement } from "../../fixtures/settlement.ts";
import { cliEnvironment, type Ended, MAIN } from "../../fixtures/verde.ts";

const fileOf = (plan: string): string => fileURLToPath(new URL(`../../rounds/${plan}.ts`, import.meta.url));

/** A plan, its options, and who has the account of each participant. The recorder is the owner of the contracts. */
interface Played {
  /** The module, and the plan's options. */
  readonly plan: readonly [file: string, ...options: string[]];
  readonly parties: Readonly<Record<string, Person>>;
}

const SMALL = {
  plan: [fileOf("small-plan")],
  parties: { "client-0": "ada", "client-1": "ben", "client-2": "cleo", "server-0": "passer" },
} as const satisfies Played;
export const [PLAN] = SMALL.plan;
/** With three stores, of which two hold a leaf. */
export const STORED: Played = {
  plan: [fileOf("membership-plan"), "--rounds", "2", "--stores", "3"],
  parties: { ...SMALL.parties, "store-0": "referee1", "store-1": "referee2", "store-2": "referee3" },
};

const accountsOf = ({ parties }: Played): string[] => Object.entries(parties).flatMap(([name, person]) => ["--account", `${name}=${addressOf(person)}`]); // prettier-ignore
export const ACCOUNTS = accountsOf(SMALL);

const PASSWORD = "of the tests";

export class RoundsFiles {
  session!: Session;
  /** The participants and the recorder. */
  readonly everybody: readonly Person[];
  private readonly on: Settlement;
  private readonly played: Played;

  /** @param played default: the small plan */
  constructor(on: Settlement, played: Played = SMALL) {
    this.on = on;
    this.played = played;
    this.everybody = [...Object.values(played.parties), "owner"];
    beforeAll(async () => {
      const client = createPublicClient({ transport: http(on.url), cacheTime: 0, pollingInterval: 20 });
      const deployment = parseDeployment(readFileSync(on.at("deployment.json"), "utf8"), "the file");
      this.session = await sessionOf(client, deployment);
      writeFileSync(on.at("password"), PASSWORD);
      for (const person of ["client", ...this.everybody] as const) {
        writeFileSync(on.at(`${person}.key`), sealKey(keyOf(person), PASSWORD, 2));
        await this.call(person, "token", "mint", addressOf(person), parseEther("1000"));
        if (person !== "ada" && person !== "client") {
          await this.call(person, "token", "approve", deployment.roundVault, maxUint256);
          await this.call(person, "roundVault", "deposit", parseEther("100"));
        }
      }
    });
  }

  /** A call without a command, which waits less. */
  async call(person: Person, contract: ContractCall["contract"], functionName: string, ...args: unknown[]) {
    const caller = Caller.shortLived(this.session, privateKeyToAccount(keyOf(person)));
    return caller.call({ contract, functionName, args });
  }

  postWords(file: string): string[] {
    return [
      "rounds",
      "post",
      ...this.played.plan,
      ...accountsOf(this.played),
      "--recorder",
      addressOf("owner"),
      "--reward",
      "1",
      "--out",
      file,
    ];
  }

  post(file: string, ...more: string[]): Promise<Record<string, unknown>> {
    return this.on.json("client", ...this.postWords(file), ...more);
  }

  show(file: string): Promise<Record<string, unknown>> {
    return this.on.json(undefined, "rounds", "show", file);
  }

  /** Joins without a command. */
  async join(file: string, people: readonly Person[]): Promise<void> {
    const { terms } = parsePostedRounds(readFileSync(this.on.at(file), "utf8"), file);
    const numbers = new Map([...terms.participants, terms.recorder].map((account, i) => [account, BigInt(i)]));
    for (const person of people) await this.call(person, "roundManager", "join", terms, numbers.get(addressOf(person)));
  }

  keystores(people: readonly Person[] = this.everybody): string[] {
    return [...people.flatMap((person) => ["--keystore", this.on.at(`${person}.key`)]), "--password-file", this.on.at("password")]; // prettier-ignore
  }

  /** Performs the plan with all keys. */
  async perform(file: string, out: string, ...drills: string[]): Promise<void> {
    const words = ["rounds", "run", ...this.played.plan, "--terms", file, "--out", out, ...drills];
    await this.on.ok(undefined, ...words, ...this.keystores());
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let looks = 0; !(await holds()); looks++) {
      if (looks > 200) expect.unreachable(`it never came to this: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Begins a command in a process of its own. */
  begin(person: Person, ...args: string[]): Begun {
    const { on } = this;
    const env = { ...cliEnvironment(on.at(".")), ...on.environment(person) };
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], { cwd: on.at("."), env, stdio: ["ignore", "pipe", "pipe"] }); // prettier-ignore
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].on("data", (piece) => (texts[name] += String(piece)));
    const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code: code ?? -1, ...texts })));
    onTestFinished(() => void child.kill("SIGKILL"));
    return {
      ended,
      line: (wanted) => this.until(`${args[1]} of ${person} writes ${wanted}: ${texts.stderr}`, async () => wanted.test(texts.stdout)), // prettier-ignore
      kill: async () => {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }
}

/** A command that runs. */
export interface Begun {
  readonly ended: Promise<Ended>;
  /** Waits until it has written something. */
  line(wanted: RegExp): Promise<void>;
  /** Ends it as nothing can prevent. */
  kill(): Promise<void>;
}
