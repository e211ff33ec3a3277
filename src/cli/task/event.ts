/** What happened to a task: a sentence for each event. */
import { formatAmount, formatTime, type Token } from "../../settlement/amount.ts";
import { PHASES, STATES, type TaskEvent } from "../../settlement/task.ts";
import { colors } from "../output.ts";
import { hasDeadline, stateName } from "./sentence.ts";

export function eventSentence(event: TaskEvent, token: Token): string {
  const { eventName: name, args } = event;
  const money = (amount: bigint): string => formatAmount(amount, token);
  switch (name) {
    case "TaskPosted":
      return `posted by ${args.terms.client}: ${args.terms.providers} seats, a reward of ${money(args.terms.reward)} each`;
    case "TaskMoved": {
      const place = { state: STATES[args.state], phase: PHASES[args.phase] };
      return colors.bold(
        `${stateName(place)}${hasDeadline(place) ? ` until ${formatTime(Number(args.deadline))}` : ""}`,
      );
    }
    case "SeatTaken":
      return `seat ${args.seat} is taken by ${args.owner}`;
    case "SeatLeft":
      return `${args.owner} has left seat ${args.seat}`;
    case "ClaimCommitted":
      return `seat ${args.seat} has committed`;
    case "ClaimRevealed":
      return `seat ${args.seat} claims ${args.root}`;
    case "Challenged":
      return `${args.owner} challenges`;
    case "TurnedAway":
      return `the challenge of ${args.owner} takes no seat: ${args.root} stands already, or there is no place for it`;
    case "ChallengeLapsed":
      return colors.red(`the challenge of ${args.owner} was not revealed and loses ${money(args.bond)}`);
    case "SeatSlashed":
      return colors.red(`seat ${args.seat} loses ${money(args.amount)}`);
    case "Ruled": {
      const { claims, losers } = args.resolution;
      const wrong = claims.filter((_, i) => ((losers >> BigInt(i)) & 1n) === 1n);
      return `dispute ${args.dispute}: ${args.authority} rules that these are wrong: ${wrong.join(", ")}`;
    }
    case "ChunkDemanded":
      return `demand ${args.index}: chunk ${args.demand.chunk} of tensor ${args.demand.tensor}, until ${formatTime(args.demand.deadline)}`;
    case "ChunkDelivered":
      return `demand ${args.index} is delivered`;
    case "DemandVoided":
      return `${args.count} demands are void`;
    case "TaskFinal":
      return colors.green(
        `final: ${args.root} stands and earns ${args.winners === 1n ? "one seat" : `${args.winners} seats`} the reward`,
      );
    case "TaskRefunded":
      return `refunded: ${money(args.amount)} for the client`;
  }
}
