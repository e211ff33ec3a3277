/** `verde task show` and `list`: what the chain knows about tasks. */
import { type Address, type Hex, zeroAddress } from "viem";
import { plainJson } from "../../encoding/json.ts";
import { UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import type { Session } from "../../settlement/session.ts";
import { type Committee, type Hearing, readCommittee } from "../../settlement/committee.ts";
import { readDraw, seatKind } from "../../settlement/seats.ts";
import { readTask, STATES, taskEvents, type TaskView } from "../../settlement/task.ts";
import { formatAmount, formatTime, type Token } from "../../settlement/amount.ts";
import { colors, writeJson, writeLine } from "../output.ts";
import { openSession } from "../session.ts";
import type { ChainFlags } from "../session-options.ts";
import { formatFields, formatTable } from "../table.ts";
import { bondOf } from "../../settlement/game/bond.ts";
import { withGameFields } from "./game.ts";
import { parseTaskId } from "./scene.ts";
import { hasDeadline, stateName, timeLeft, whatIsDue } from "./sentence.ts";
import { seatsText } from "./seats.ts";
import { termsFields } from "./terms.ts";

export async function show(id: string, flags: ChainFlags): Promise<void> {
  const parsed = parseTaskId(id);
  const session = await openSession(flags);
  const [task, { timestamp }] = await Promise.all([readTask(session.source, parsed), session.client.getBlock()]);
  const gasBond = await bondOf(session.client, task.terms.game);
  const committee = await readCommittee(session.client, task);
  if (flags.json) {
    const bond = plainJson(gasBond ?? null);
    return writeJson({ ...taskJson(task, Number(timestamp)), gasBond: bond, committee: committee ?? null });
  }
  const seats = await seatsOf(session, task);
  writeLine(...describeTask(task, Number(timestamp), session.token, committeeText(task, committee), gasBond, seats));
  const { drawn = [], spoken = [] } = committee?.hearing ?? {};
  if (drawn.length > 0) writeLine("", ...memberTable(drawn, spoken));
}

/** A task as `--json` prints it. All commands call its id `task`. */
function taskJson({ id: task, ...view }: TaskView, now: number): object {
  return { schemaVersion: 3, task, ...(plainJson(view) as object), now };
}

/** `0x…, of an unknown kind` for a contract of another kind; nothing without a committee. */
function committeeText(task: TaskView, found: Committee | undefined): string | undefined {
  const { committee } = task.terms;
  if (committee === zeroAddress) return undefined;
  if (found === undefined) return `${committee}, of an unknown kind`;
  const { threshold, members, hearing } = found;
  return `${committee}, ${threshold} of ${members} members${hearing ? `, ${hearingText(task, hearing)}` : ""}`;
}

/** How far the draw of the members is. */
function hearingText({ phase }: TaskView, { round, number, plain, until, drawn }: Hearing): string {
  if (round === 0) return phase === "Judging" ? "not drawn yet: `verde referee draw`" : "drawn for each dispute";
  if (drawn.length > 0) return `drawn in round ${round}${phase === "Judging" ? `, until ${formatTime(until)}` : ""}`;
  return `to be drawn in round ${round} by block ${number}${plain ? "" : " and the client's secret"}`;
}

/** Who may take the seats, and how far their draw is. */
async function seatsOf(session: Session, task: TaskView): Promise<string> {
  const text = seatsText(session.deployment, task.terms);
  if (task.state !== "Open" || seatKind(session.deployment, task.terms) !== "draw") return text;
  const { offers, drawn, closes } = await readDraw(session, task);
  return `${text} (${offers} so far, ${drawn ? "drawn" : `until ${formatTime(closes)}`})`;
}

/** Several lines. @param now the chain's time, seconds */
function describeTask(
  task: TaskView,
  now: number,
  token: Token,
  committee: string | undefined,
  gasBond: bigint | undefined,
  seats: string,
): string[] {
  const { deadline, pot } = task;
  const fields: [string, string][] = [
    ["task", task.id],
    ["state", colors.bold(stateName(task))],
    ...(hasDeadline(task)
      ? [["deadline", `${formatTime(deadline)}, ${timeLeft(deadline, now)}`] satisfies [string, string]]
      : []),
    ["due", whatIsDue(task, now)],
    ...(pot > 0n ? [["pot", `${formatAmount(pot, token)} for the winners`] satisfies [string, string]] : []),
  ];
  const terms = withGameFields(termsFields(task.terms, token, seats), gasBond).map(([name, text]): [string, string] =>
    name === "committee" ? [name, committee ?? text] : [name, text],
  );
  const lines = formatFields([...fields, ...terms]);
  if (task.seats.length > 0) lines.push("", ...seatTable(task));
  if (task.challengers.length > 0) lines.push("", ...challengerTable(task));
  if (task.waiting.length > 0) lines.push("", ...demandTable(task, now));
  return lines;
}

function seatTable({ seats, claims }: TaskView): string[] {
  const rows = seats.map(({ seat, owner, role, commitment, root, out }) => {
    const claim = root ?? (commitment ? "committed" : "–");
    const mark = out ? colors.red("slashed") : root === undefined ? "" : `claim ${claims.indexOf(root) + 1}`;
    return [`seat ${seat}`, role, owner, claim, mark];
  });
  return formatTable(["", "role", "owner", "claim", ""], rows);
}

function challengerTable({ challengers }: TaskView): string[] {
  const rows = challengers.map(({ owner, challenge }) => ["challenge", owner, challenge]);
  return formatTable(["", "owner", "commitment"], rows);
}

function memberTable(drawn: readonly Address[], spoken: readonly Address[]): string[] {
  const rows = drawn.map((member, i) => [`member ${i + 1}`, member, spoken.includes(member) ? "has signed" : ""]);
  return formatTable(["", "drawn", ""], rows);
}

function demandTable({ waiting, terms }: TaskView, now: number): string[] {
  const rows = waiting.map(({ index, demand }) => [
    `demand ${index}`,
    `tensor ${demand.tensor} of ${terms.tensors}`,
    `chunk ${demand.chunk}`,
    timeLeft(demand.deadline, now),
  ]);
  return formatTable(["", "", "", ""], rows);
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError("VALUE", `--limit ${quote(text)} is not a number from 1 to 999999999; write only digits`, {
    found: text,
  });
}

export async function list(flags: ChainFlags & { state?: string; limit: string }): Promise<void> {
  const wanted = STATES.find((state) => state.toLowerCase() === flags.state?.toLowerCase());
  if (flags.state !== undefined && wanted === undefined)
    throw new UsageError("UNKNOWN", `--state ${flags.state} is not a state; choose from ${STATES.slice(1).join(", ")}`);
  const session = await openSession(flags);
  const { source, token } = session;
  const last = new Map<Hex, number>();
  // A task's newest move tells its state.
  for (const event of await taskEvents(source, null))
    if (event.eventName === "TaskMoved") last.set(event.args.task, event.args.state);
  const ids = [...last].filter(([, state]) => wanted === undefined || STATES[state] === wanted).map(([id]) => id);
  const newest = ids.reverse().slice(0, parseLimit(flags.limit));
  const tasks = await Promise.all(newest.map((id) => readTask(source, id)));
  const { timestamp } = await session.client.getBlock();
  const now = Number(timestamp);
  if (flags.json) {
    for (const task of tasks) writeJson(taskJson(task, now));
    return;
  }
  if (tasks.length === 0) return writeLine(wanted ? `There is no task in the state ${wanted}.` : "There are no tasks.");
  const rows = tasks.map((task) => [
    task.id,
    stateName(task),
    hasDeadline(task) ? timeLeft(task.deadline, now) : "",
    formatAmount(task.terms.reward, token),
    formatAmount(task.terms.stake, token),
    `${Math.min(task.seats.length, task.terms.providers)}/${task.terms.providers}`,
  ]);
  writeLine(...formatTable(["task", "state", "", "reward", "stake", "seats"], rows));
}
