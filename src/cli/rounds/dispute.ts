/** `verde rounds dispute`: the first leaf in which two records differ, and who is wrong there. */
import { formatAddress } from "../../claims/claim.ts";
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import { UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { disputeRecords, type RecordBlame, type RecordDispute, type RecordDivergence } from "../../rounds/dispute.ts";
import { type Blame, ownerOf } from "../../rounds/judge.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { colors, formatBytes, writeJson, writeLine } from "../output.ts";
import { meanwhile } from "../progress.ts";
import { endOf } from "./ending.ts";

interface Flags {
  backend?: string;
  onChain?: boolean;
  hardfork?: string;
  evidence?: string[];
  json?: boolean;
}

const IDS = ["a", "b"] as const;

export async function disputeRounds(a: string, b: string, flags: Flags): Promise<void> {
  const { backend, onChain, hardfork, evidence, json } = flags;
  // The chain is a large module, and loaded only when it is needed.
  if (onChain) return (await import("./on-chain.ts")).disputeRoundsOnChain(a, b, flags);
  if (hardfork !== undefined)
    throw new UsageError("CONFLICT", "--hardfork chooses the rules of a chain; add --on-chain, or omit it");
  const records = [await RoundsRecord.open(a, evidence), await RoundsRecord.open(b, evidence)] as const;
  const options = backend === undefined ? {} : { backend };
  const result = await meanwhile(`the dispute of ${a} and ${b}`, () => disputeRecords(...records, options));
  const ends = records.map((record) => endOf(record));
  const isWhole = ends.every((end) => end === undefined);
  if (json) writeJson(disputeJson(result, records, [a, b], isWhole));
  else if (result.outcome === "agree")
    writeLine(
      `${a} and ${b} agree in ${result.rounds} rounds, round 0 included.`,
      ...ends.flatMap((end, side) => (end === undefined ? [] : [`${[a, b][side]} ${end}`])),
    );
  else if (result.outcome === "undecided") writeLine(`${result.why}.`);
  else writeLine(...describe(result, records, [a, b]));
  exitWith(exitOf(result, isWhole));
}

function exitOf(result: RecordDispute, isWhole: boolean): number {
  if (result.outcome === "agree") return isWhole ? EXIT.agree : EXIT.undecided;
  if (result.outcome === "undecided") return EXIT.undecided;
  return result.losers.length === 0 && result.blames.length === 0 ? EXIT.undecided : EXIT.divergence;
}

/** The address of a participant, or of the recorder, in a record's own instance. */
function addressIn({ plan, instance }: RoundsRecord, participant: string): Bytes {
  return instance.owners[plan.participants.findIndex(({ name }) => name === participant)] ?? instance.recorder;
}

/** The place below a leaf, and the values there. */
export function blameJson(record: RoundsRecord, { participant, reason, location, claimed, recomputed }: Blame) {
  return {
    participant,
    address: formatAddress(addressIn(record, participant)),
    reason,
    step: location?.step ?? null,
    node: location?.operator?.label ?? null,
    operator: location?.operator ?? null,
    element: location?.element ?? null,
    fold: location?.fold ?? null,
    claimed: claimed ? toHex(claimed) : null,
    recomputed: recomputed ? toHex(recomputed) : null,
  };
}

function disputeJson(
  result: RecordDispute,
  records: readonly RoundsRecord[],
  names: readonly string[],
  whole: boolean,
) {
  const parties = names.map((name, side) => ({ id: IDS[side], name }));
  const head = { schemaVersion: 1, parties };
  if (result.outcome === "agree")
    return { ...head, outcome: whole ? "agree" : "undecided", losers: [], rounds: result.rounds };
  if (result.outcome === "undecided") return { ...head, outcome: result.outcome, losers: [], why: result.why };
  const { round, name, losers, blames, absent, figures } = result;
  const [first] = blames;
  const idOf = ({ record }: RecordBlame) => (record === undefined ? null : IDS[record]);
  return {
    ...head,
    outcome: blames.length === 0 ? "undecided" : "divergence",
    losers: losers.map((side) => IDS[side]),
    round,
    leaf: name,
    absent: absent.map((side) => IDS[side]),
    ...(first ? blameJson(records[first.record ?? 0], first) : { participant: null, reason: null }),
    blames: blames.map((blame) => ({ record: idOf(blame), ...blameJson(records[blame.record ?? 0], blame) })),
    referee: { ...figures },
  };
}

/** Where a participant is wrong, in words. */
export function describeBlame({ participant, reason, location }: Blame): string {
  const operator = location?.operator
    ? ` at ${quote(location.operator.label)} (operator ${location.operator.number})`
    : "";
  const at =
    location?.step === null || location?.step === undefined ? operator : ` in step ${location.step}${operator}`;
  const why = {
    unsigned: "lists a leaf that its owner has not signed",
    inputs: "did not read what the plan says, so its job is another one",
    equivocation: "signed two statements for this place",
    operator: `computed another value${at}`,
    message: `handed on another state than it had computed${operator}`,
    record: "signed another list than the record has, or none from which seeds follow",
    receipts: "lists a leaf without receipts of enough stores, or calls a member absent without their notes",
    roll: "closed a turn by no roll that fits: one is missing, has too few members, or contradicts the leaves it lists",
  }[reason];
  return `${participant} ${why}.`;
}

function describe(
  { round, name, seat, blames, losers, absent, figures }: RecordDivergence,
  [a]: readonly RoundsRecord[],
  names: readonly string[],
): string[] {
  const { questions, bytes } = figures;
  return [
    `${names.join(" and ")} differ first in round ${round} of ${a.plan.rounds}, at ${name}.`,
    "",
    ...blames.map(
      (blame) => `  ${blame.record === undefined ? "" : `${names[blame.record]}: `}${describeBlame(blame)}`,
    ),
    ...absent.map((side) => `  ${names[side]} says that ${ownerOf(a.plan, { round, seat })} was absent.`),
    ...(blames.length > 0 ? [] : [absent.length > 0 ? "  Performances may differ in who was there. Audit each of them: what follows can't be compared." : "  Nobody can be named: what both have read is not at hand."]), // prettier-ignore
    "",
    colors.bold(losers.length === 0 ? "Neither record is wrong by what is at hand." : `${losers.map((side) => names[side]).join(" and ")} ${losers.length === 2 ? "are" : "is"} wrong.`), // prettier-ignore
    `The leaf was found in ${questions.record} questions, the place in it in ${questions.leaf}; ${formatBytes(bytes)} were read.`,
  ];
}
