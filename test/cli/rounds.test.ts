/** `verde rounds`: a drill from the command line, its picture, and what is said where nothing can be found. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { Commands } from "../fixtures/commands.ts";
import { cliEnvironment, verdeIn } from "../fixtures/verde.ts";

const PLAN = fileURLToPath(new URL("../rounds/small-plan.ts", import.meta.url));
const path = temporaryFolder();
let commands: Commands;
const verde = (...args: string[]) => commands.run(["rounds", ...args], cliEnvironment(path(".")));
const FAULT = "participant=client-1,round=2,flip:step=1,operator=2,bit=22";

afterAll(() => commands.close());
beforeAll(async () => {
  commands = new Commands(path("."));
  expect(await verde("run", PLAN, "--out", "a", "--rows", "5")).toMatchObject({ code: 0, stderr: "" });
  expect(await verde("run", PLAN, "--out", "b", "--rows", "5", "--participants", "processes", "--fault", FAULT)).toMatchObject({ code: 0 }); // prettier-ignore
});

describe("verde rounds", () => {
  test("says of a drill whether the record shows it", async () => {
    const masked = "participant=client-1,round=2,flip:step=2,operator=1,element=0,bit=0";
    const ran = await verde("run", PLAN, "--out", "d", "--rows", "5", "--fault", FAULT, "--fault", "participant=server-0,round=1,message:entry=0"); // prettier-ignore
    expect(ran.stdout).toContain(`The fault ${FAULT}: local-1 of round 2 is wrong (a drill: this record is not honest).`); // prettier-ignore
    expect(ran.stdout).toContain("message:entry=0: merge-0 of round 1 is wrong");
    const none = await verde("run", PLAN, "--out", "e", "--rows", "5", "--fault", masked, "--json");
    const [last] = none.stdout.trim().split("\n").slice(-1);
    expect(JSON.parse(last)).toMatchObject({ faults: [{ fault: masked, leaf: "local-1", round: 2, changed: false }] });
    expect(await verde("dispute", "a", "e")).toMatchObject({ code: 0 });
  });

  test("finds the participant, the round and the operator", async () => {
    const disputed = await verde("dispute", "a", "b", "--json");
    expect(disputed.code).toBe(1);
    expect(JSON.parse(disputed.stdout)).toMatchObject({
      outcome: "divergence",
      losers: ["b"],
      participant: "client-1",
      round: 2,
      leaf: "local-1",
      reason: "operator",
      step: 1,
      operator: { number: 2 },
      blames: [{ record: "b", participant: "client-1", address: expect.stringMatching(/^0x[0-9a-fA-F]{40}$/) }],
    });
    const { stdout } = await verde("dispute", "b", "a");
    expect(stdout).toContain("b and a differ first in round 2 of 2, at local-1.");
    expect(stdout).toContain("b: client-1 computed another value in step 1");
    expect(stdout).toContain("b is wrong.");
    expect(await verde("dispute", "a", "a")).toMatchObject({
      code: 0,
      stdout: "a and a agree in 3 rounds, round 0 included.\n",
    });
  });

  test("has the same leaves from participants on a network, one of which lies", async () => {
    // The participants are processes of the same program, so this one has to be that program.
    const ran = await verdeIn(path("."))(["rounds", "run", PLAN, "--out", "c", "--rows", "5", "--participants", "nats", "--patience", "5m", "--fault", FAULT]); // prettier-ignore
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/the participants find each other over (NATS|a hub)/);
    expect(await verde("dispute", "b", "c")).toMatchObject({ code: 0 });
    const alone = await verde("run", PLAN, "--out", "d", "--participants", "nats", "--network", "http://127.0.0.1:9", "--patience", "1s"); // prettier-ignore
    expect(alone.stderr).toContain("client-0 can't be asked");
    const absent = await verde("join", PLAN, "--as", "client-0", "--network", "http://127.0.0.1:9", "--fault", FAULT);
    expect(absent.stderr).toContain("--fault is about client-1, and this is client-0");
  });

  test("plays the dispute on a chain in this process", async () => {
    const played = await verde("dispute", "b", "a", "--on-chain", "--json");
    expect(played.code).toBe(1);
    const { losers, transactions, ...rest } = JSON.parse(played.stdout) as { losers: unknown; transactions: { what: string }[] }; // prettier-ignore
    expect(rest).toMatchObject({ outcome: "divergence", round: 2, leaf: "local-1" });
    expect(losers).toMatchObject([{ participant: "client-1", reason: "operator", step: 1, operator: { number: 2 } }]);
    expect(transactions.at(-1)).toMatchObject({ what: "prove", by: "challenger" });
    const { stdout } = await verde("dispute", "a", "b", "--on-chain", "--hardfork", "cancun");
    expect(stdout).toContain("The records differ first in round 2, at local-1.");
    expect(stdout).toContain("challenger has lost: it computed another value in step 1");
    expect(await verde("dispute", "a", "a", "--on-chain")).toMatchObject({ code: 0 });
    expect(await verde("dispute", "a", "b", "--hardfork", "cancun")).toMatchObject({ code: 2 });
  });

  test("audits a record without another one", async () => {
    const audited = await verde("audit", "b", "--json");
    expect(audited.code).toBe(1);
    expect(JSON.parse(audited.stdout)).toMatchObject({ outcome: "divergence", leaves: 12, liars: [{ participant: "client-1", round: 2, reason: "operator" }] }); // prettier-ignore
    expect(await verde("audit", "b", "--rounds", "0..1")).toMatchObject({ code: 0 });
    expect((await verde("audit", "a")).stdout).toContain("12 leaves, 12 executed again, none of them wrong.");
    expect(await verde("audit", "a", "--rounds", "1..7")).toMatchObject({ code: 2 });
    expect(await verde("dispute", "a", "a", "--evidence", "b")).toMatchObject({ code: 0 });
    const nothing = await verde("audit", "a", "--evidence", "b", "--evidence", "nothing");
    expect(nothing.stderr).toContain("nothing has no leaves, so it shows nothing");
  });

  test("draws a record, with the leaf that differs in red", async () => {
    const shown = await verde("inspect", "b", "--svg", "b.svg", "--against", "a");
    expect(shown.stdout).toContain("line: 2 rounds of local (3 clients), merge (1 server).");
    const picture = readFileSync(path("b.svg"), "utf8");
    expect(picture.startsWith("<svg ") && picture.endsWith("</svg>\n")).toBe(true);
    // Twelve boxes, the red one once; red arrows lead from it alone: to the server, and to nothing after the last round.
    expect(picture.match(/<rect x=/g)).toHaveLength(12);
    expect(picture.match(/<rect [^>]*stroke="#c62828"/g)).toHaveLength(1);
    expect(picture.match(/<path d="M[^"]*C[^>]*stroke="#c62828"/g)).toHaveLength(1);
    await verde("inspect", "a", "--svg", "a.svg");
    expect(readFileSync(path("a.svg"), "utf8")).not.toMatch(/<rect [^>]*stroke="#c62828"/);
    const { leaves, statements, participants } = JSON.parse((await verde("inspect", "a", "--json")).stdout) as Record<string, unknown[]>; // prettier-ignore
    expect(leaves).toBe(12);
    expect(statements).toHaveLength(12);
    expect(participants).toHaveLength(4);
    expect(await verde("inspect", "a", "--against", "b")).toMatchObject({ code: 2 });
  });

  test("continues, and says what it can't use", async () => {
    expect(await verde("run", PLAN, "--out", "a", "--rows", "5")).toMatchObject({ code: 2 });
    expect(await verde("run", PLAN, "--out", "a", "--rows", "5", "--resume", "--json")).toMatchObject({ code: 0 });
    const other = await verde("run", PLAN, "--out", "a", "--resume");
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("VERDE_ROUNDS_FOREIGN");
    for (const fault of ["flip", "participant=client-9,round=1,steps:1", "participant=client-0,round=9,steps:1", "participant=client-0,round=1,steps:2", "participant=client-0,round=1,aggregate:1", "participant=client-0,round=1,stale:0", "participant=client-0,round=1,flip:step=1,operator=999", "participant=client-0,round=1,what:1"]) {
      const { code, stderr } = await verde("run", PLAN, "--out", "c", "--fault", fault);
      expect({ fault, code, is: /VERDE_ROUNDS_FAULT/.test(stderr) }).toEqual({ fault, code: 2, is: true });
    } // prettier-ignore
    const unknown = await verde("run", PLAN, "--out", "c", "--row", "5");
    expect(unknown.stderr).toContain("did you mean --rows?");
    expect(await verde("dispute", "a", "nothing")).toMatchObject({ code: 2 });
  });

  test("lists the options of a plan", async () => {
    const { code, stdout } = await verde("run", PLAN, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("Options of the plan line (defaults: --rounds 2, --seed 3):");
    expect(stdout).toMatch(/--clients <number>\s+\(default: 3\)/);
    expect((await verde("run", "missing.ts", "--help")).stdout).toContain("can't be listed");
  });

  test("keeps the names of its own options from plans", async () => {
    const { defineRounds } = await import("../../src/rounds/index.ts");
    const program = await buildProgram();
    const run = program.commands.find((one) => one.name() === "rounds")!.commands.find((one) => one.name() === "run")!;
    for (const { long } of run.options) {
      const named = { [long!.slice(2)]: 1 };
      const plan = () =>
        defineRounds({ name: "named", rounds: 1, options: named, members: () => ({}), turns: () => ({}) });
      expect(plan, long).toThrow(expect.objectContaining({ code: "VERDE_JOB_OPTION_NAME" }));
    }
  });
});
