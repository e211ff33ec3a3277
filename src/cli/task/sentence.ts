/** A task's state, and what is due, in words. */
import { awaitsReveals, type TaskView } from "../../settlement/task.ts";
import { formatDuration } from "../../settlement/duration.ts";

/** `Disputed, Judging`, or a state alone. */
export function stateName({ state, phase }: Pick<TaskView, "state" | "phase">): string {
  return phase === "None" ? state : `${state}, ${phase}`;
}

/** `2 h 3 m left`, or `over since 2 h 3 m` */
export function timeLeft(deadline: number, now: number): string {
  return now <= deadline ? `${formatDuration(deadline - now)} left` : `over since ${formatDuration(now - deadline)}`;
}

/** Whether the state has a deadline that has an effect. */
export function hasDeadline({ state }: Pick<TaskView, "state">): boolean {
  return !["None", "Revealed", "Final", "Refunded"].includes(state);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** What has to happen next, and which command does it. */
export function whatIsDue(task: TaskView, now: number): string {
  const { terms, seats, committed, deadline } = task;
  const late = hasDeadline(task) && now > deadline;
  const silent = seats.filter(({ root, out }) => root === undefined && !out).length;
  switch (task.state) {
    case "Open":
      return late
        ? "nobody took the last seats: `verde task expire`"
        : `${counted(terms.providers - seats.length, "free seat")}: \`verde task accept\``;
    case "Accepted":
      if (late) return "commitments are missing: `verde task expire`";
      return committed < terms.providers
        ? `${counted(terms.providers - committed, "commitment")} missing: \`verde task commit\``
        : "all have committed: `verde task reveal`";
    case "Committed":
      return late
        ? "claims are missing: `verde task expire`"
        : `${counted(silent, "claim")} to be revealed: \`verde task reveal\``;
    case "Revealed":
      return "the claims have to be compared: `verde task compare`";
    case "Challengeable":
    case "Settled":
      return standingDue(task, now, late);
    case "Disputed":
      return disputeDue(task, late);
    case "Final":
      return "paid: `verde task claim` withdraws credits";
    case "Refunded":
      return "the client has the rewards back: `verde task claim` withdraws credits";
    case "None":
      return "nobody has posted it";
  }
}

function standingDue(task: TaskView, now: number, late: boolean): string {
  const { state, waiting, challengers } = task;
  const challenged = awaitsReveals(task);
  if (challenged && late)
    return `${counted(challengers.length, "challenge")} to be revealed: \`verde task expire\` opens that`;
  if (!challenged && waiting.some(({ demand }) => now > demand.deadline))
    return "a demanded chunk is overdue: `verde task expire --demand N`";
  if (waiting.length > 0) return `${counted(waiting.length, "demanded chunk")} to be delivered: \`verde task deliver\``;
  if (state === "Settled")
    return late
      ? "one claim stands: `verde task finalize`"
      : "one claim stands for good; its chunks may be demanded: `verde task demand`";
  const known = challenged ? `; ${counted(challengers.length, "challenge")} so far` : "";
  return late
    ? "the window is over: `verde task finalize`"
    : `one claim stands; it may be challenged: \`verde task challenge\`${known}`;
}

function disputeDue({ phase, challengers }: TaskView, late: boolean): string {
  switch (phase) {
    case "Revealing":
      return late
        ? "challengers are silent: `verde task expire`"
        : `${counted(challengers.length, "challenger")} to reveal: \`verde task reveal\``;
    case "Judging":
      return late
        ? "there was no verdict: `verde task expire`"
        : "the committee has to judge: `verde referee sign`, `verde referee submit`";
    case "Ruled":
      return late
        ? "nobody escalated: `verde task expire`"
        : "a loser may take the dispute to the game: `verde task escalate`";
    default:
      return late ? "the game did not decide: `verde task expire`" : "the game has to decide: `verde defend`";
  }
}
