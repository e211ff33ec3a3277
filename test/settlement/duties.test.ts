/** What a defence does by itself in a task that nobody disputes: it reveals, delivers, and takes the steps that are anyone's. */
import { type Hex, numberToHex, zeroAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { encodeType } from "../../src/encoding/tensor.ts";
import { outlineOf, stateTypes } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { deliverCall, proveType } from "../../src/settlement/delivery.ts";
import { challengerDuties, dutiesOf, type SeatMeans } from "../../src/settlement/duties.ts";
import { defendClaim } from "../../src/settlement/game/defence.ts";
import { GameFacts } from "../../src/settlement/game/facts.ts";
import { jobTermsOf } from "../../src/settlement/job-terms.ts";
import { commitAll } from "../../src/settlement/local/dispute.ts";
import { localAccount, type LocalSettlement, openLocalSettlement } from "../../src/settlement/local/settlement.ts";
import { PROFILES } from "../../src/settlement/profile.ts";
import { readTask, type Seat, type TaskView, type Terms } from "../../src/settlement/task.ts";
import { termsOf } from "../../src/settlement/terms.ts";
import { Caller } from "../../src/settlement/transactions/caller.ts";
import { type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { SimulatedTime } from "./attacks/simulated-time.ts";

const JOB = tinyJob(3);
const SLOT_SECONDS = 12;

describe("a seat with all its means", () => {
  let settlement: LocalSettlement;
  let run: RememberedRun;
  beforeAll(async () => {
    run = await rememberedRun(JOB, 1);
    const [client] = [localAccount(0)];
    settlement = await openLocalSettlement({ members: [client.address], threshold: 1, unbondingPeriod: 86_400 });
  });
  afterAll(() => settlement.close());

  const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
    settlement.session.client.request({ method, params } as never);

  test("is paid at the end without another command, and the client has its chunk", async () => {
    const { session } = settlement;
    const [client, ...providers] = [0, 1, 2].map(localAccount);
    const { periods } = PROFILES.local;
    const job = jobTermsOf(outlineOf(JOB), 1);
    const choice = { client: client.address, committee: session.deployment.committee, reward: 1_000n, periods };
    const terms: Terms = termsOf(job, choice);
    const root = toHex(run.runRoot) as Hex;
    const task = await commitAll(session, terms, client, providers, [run.runRoot, run.runRoot]);
    await Caller.shortLived(session, client).call({
      contract: "token",
      functionName: "mint",
      args: [client.address, 10n ** 9n],
    });

    const time = new SimulatedTime();
    const { timestamp } = (await ask("eth_getBlockByNumber", "latest", false)) as { timestamp: string };
    let over = false;
    const isOver = (): boolean => over;
    const mine = async (): Promise<void> => {
      while (!isOver()) {
        await time.sleep(1_000 * SLOT_SECONDS);
        const now = Number(timestamp) + 1 + Math.floor(time.seconds);
        await time.work(() => ask("evm_setNextBlockTimestamp", numberToHex(now)).catch(() => undefined));
        await time.work(() => ask("evm_mine"));
      }
    };
    const types = stateTypes(outlineOf(JOB));
    const demand = async (): Promise<void> => {
      while ((await time.work(() => readTask(session.source, task))).state !== "Challengeable") await time.sleep(3_000);
      const args = [terms, 0, 1, toHex(encodeType(types[0])), proveType(types, 0).map(toHex)];
      await time.work(() =>
        Caller.shortLived(session, client).call({ contract: "manager", functionName: "demand", args }),
      );
    };
    const calls: string[] = [];
    const defend = (seat: number) => {
      const account = providers[seat];
      const caller = Caller.shortLived(session, account);
      const own = { address: account.address, prover: trainingProver(run) };
      return defendClaim(session, task, new GameFacts(outlineOf(JOB), 1), own, {
        everyMillis: 4_000,
        escalate: true,
        untilDecided: true,
        clock: time,
        random: () => 0.5,
        reveal: async () => ({ root, salt: task }),
        deliver: async (open) => deliverCall(terms, run.segmentRoots, run.steps[JOB.steps].state, open),
        send: (call) => time.work(() => caller.call(call)),
        onCall: ({ what }) => void calls.push(`${what} by ${seat}`),
        onTrouble: (sentence) => void calls.push(sentence),
      });
    };
    const defended = Promise.all([defend(0), defend(1)]).finally(() => (over = true));
    const [[one, other]] = await time.until(Promise.all([defended, mine(), demand()]));
    expect([one!.out, other!.out]).toEqual([false, false]);
    expect(one!.view.state).toBe("Final");
    const { seats, waiting } = one!.view;
    expect(seats.map((seat) => seat.root)).toEqual([root, root]);
    expect(waiting).toEqual([]);
    const made = calls.filter((text) => / by \d$/.test(text)).map((text) => text.split(" ")[0]);
    expect(made).toEqual(["reveal", "reveal", "compare", "deliver", "finalize"]);
  });
});

describe("the duties of a seat", () => {
  const OWN = toHex(new Uint8Array(32).fill(1)) as Hex;
  const OTHER = toHex(new Uint8Array(32).fill(2)) as Hex;
  const means: SeatMeans = {
    escalate: true,
    reveal: async () => ({ root: OWN, salt: OTHER }),
    deliver: async () => ({ contract: "manager", functionName: "deliver", args: [] }),
  };
  const claimed: Seat = { seat: 0, owner: zeroAddress, role: "provider", root: OWN, out: false };
  const committed: Seat = { seat: 0, owner: zeroAddress, role: "provider", commitment: OTHER, out: false };
  const silent: Seat = { seat: 0, owner: zeroAddress, role: "provider", out: false };
  const view = (change: Partial<TaskView>): TaskView =>
    ({
      phase: "None",
      committed: 1,
      seats: [silent, silent],
      waiting: [],
      challengers: [],
      deadline: 100,
      claims: [OWN, OTHER],
      ...change,
    }) as TaskView;
  const due = (change: Partial<TaskView>, seat: Seat, now = 50, own = means): string[] =>
    dutiesOf(view(change), seat, now, own).map(({ key }) => key);
  const ruling = (losers: bigint) => ({ dispute: 1n, claims: [OWN, OTHER], losers, verdict: OTHER });
  const waiting = [OWN, OTHER].map((root, index) => ({ index, demand: { root } })) as TaskView["waiting"];

  const challengers = [{ owner: zeroAddress, challenge: OTHER }] as const;

  test.each([
    [
      "it reveals when all have committed, and not before",
      { state: "Accepted", committed: 2 },
      committed,
      50,
      ["reveal"],
    ],
    ["one commitment is missing", { state: "Accepted" }, committed, 50, []],
    ["others have revealed", { state: "Committed" }, committed, 50, ["reveal"]],
    ["challengers reveal", { state: "Disputed", phase: "Revealing" }, claimed, 50, []],
    ["it has revealed", { state: "Committed" }, claimed, 50, []],
    ["all have revealed", { state: "Revealed" }, claimed, 50, ["compare"]],
    ["chunks of its claim are demanded", { state: "Challengeable", waiting }, claimed, 50, ["deliver 0"]],
    ["and during a dispute", { state: "Disputed", phase: "Playing", waiting }, claimed, 50, ["deliver 0"]],
    ["a ruling against it", { state: "Disputed", phase: "Ruled", ruling: ruling(1n) }, claimed, 50, ["escalate"]],
    ["a ruling for it", { state: "Disputed", phase: "Ruled", ruling: ruling(2n) }, claimed, 50, []],
    [
      "a ruling for it, that nobody escalated",
      { state: "Disputed", phase: "Ruled", ruling: ruling(2n) },
      claimed,
      101,
      ["enforce"],
    ],
    [
      "a ruling against it is not enforced by itself",
      { state: "Disputed", phase: "Ruled", ruling: ruling(1n) },
      claimed,
      101,
      ["escalate"],
    ],
    ["others did not commit", { state: "Accepted" }, committed, 101, ["expire"]],
    ["it did not commit itself", { state: "Accepted" }, silent, 101, []],
    ["others did not reveal", { state: "Committed" }, claimed, 101, ["expire"]],
    ["it did not reveal itself", { state: "Committed" }, committed, 101, ["reveal"]],
    ["nobody took the last seat", { state: "Open" }, silent, 101, ["expire"]],
    ["a challenger is silent", { state: "Disputed", phase: "Revealing" }, claimed, 101, ["expire"]],
    ["the window is over", { state: "Challengeable" }, claimed, 101, ["finalize"]],
    ["the window is over, but a chunk waits", { state: "Challengeable", waiting: waiting.slice(1) }, claimed, 101, []],
    ["the window is over, and it was challenged", { state: "Challengeable", challengers }, claimed, 101, ["expire"]],
    ["challenges are decided", { state: "Settled" }, claimed, 50, []],
    ["and the time for demands is over", { state: "Settled", challengers }, claimed, 101, ["finalize"]],
    ["chunks are demanded after challenges", { state: "Settled", waiting }, claimed, 50, ["deliver 0"]],
    ["the committee is late", { state: "Disputed", phase: "Judging" }, claimed, 101, []],
  ] as const)("%s", (_, change, seat, now, keys) => {
    expect(due(change as Partial<TaskView>, seat, now)).toEqual(keys);
  });

  test("are only those for which it has the means", () => {
    const none: SeatMeans = { escalate: false };
    expect(due({ state: "Committed" }, committed, 50, none)).toEqual([]);
    expect(due({ state: "Challengeable", waiting }, claimed, 50, none)).toEqual([]);
    expect(due({ state: "Disputed", phase: "Ruled", ruling: ruling(1n) }, claimed, 50, none)).toEqual([]);
  });

  test.each([
    ["while the window is open", { state: "Challengeable" }, 50, []],
    ["when the window is over", { state: "Challengeable" }, 101, ["expire"]],
    ["when challenges are revealed", { state: "Disputed", phase: "Revealing" }, 50, ["revealChallenge"]],
    ["when its dispute is judged", { state: "Disputed", phase: "Judging" }, 50, []],
  ] as const)("of a challenger, %s", async (_, change, now, names) => {
    const duties = challengerDuties(view({ ...change, challengers: [...challengers] }), challengers[0], now, means);
    const calls = await Promise.all(duties.map((duty) => duty.call()));
    expect(calls.map((call) => call?.functionName)).toEqual(names);
  });

  test("an escalation posts the bond for the game", async () => {
    const change = { state: "Disputed", phase: "Ruled", ruling: ruling(1n) } as const;
    const [duty] = dutiesOf(view(change), claimed, 50, { ...means, bond: async () => 7n });
    expect(await duty.call()).toMatchObject({ functionName: "escalate", value: 7n });
  });
});
