/**
 * A record as a picture: participants are rows, turns of rounds are columns, and an arrow is a leaf that is
 * read.
 */
import { type LeafPlace, type Plan, seatName, sourcesOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRolled, turnOf } from "../../rounds/roll.ts";

/** Sizes in pixels. */
const BOX = { width: 92, height: 30 } as const;
const COLUMN = 150;
const ROW = 62;
const LEFT = 120;
const TOP = 64;
/** The most rounds that are drawn: the last ones, or those around a leaf that is wrong. */
const MOST_ROUNDS = 8;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]!);

/** @param wrong the leaf that is drawn in red, with what it hands on */
export function drawRecord(record: RoundsRecord, wrong?: LeafPlace): string {
  const { plan } = record;
  const last = Math.min(plan.rounds, (wrong?.round ?? plan.rounds) + MOST_ROUNDS / 2);
  const first = Math.max(0, last - MOST_ROUNDS + 1);
  const rounds = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const centre = ({ round, seat }: LeafPlace) => ({
    x: LEFT + COLUMN * ((round - first) * plan.turns.length + plan.seats[seat].turn) + COLUMN / 2,
    y: TOP + ROW * plan.seats[seat].participant + ROW / 2,
  });
  const width = LEFT + COLUMN * rounds.length * plan.turns.length + 20;
  // Stores have no leaves, and stand last.
  const rows = plan.participants.slice(0, plan.participants.length - (plan.storage?.members ?? 0));
  const height = TOP + ROW * rows.length + 24;
  const isWrong = (place: LeafPlace): boolean => place.round === wrong?.round && place.seat === wrong.seat;
  const places = rounds.flatMap((round) => plan.seats.map((_, seat) => ({ round, seat })));
  const arrows = places.flatMap((place) =>
    distinct(readIn(record, place))
      .filter(({ round }) => round >= first)
      .map((source) => arrow(centre(source), centre(place), isWrong(source))),
  );
  // Red ones are drawn last, above the others.
  arrows.sort((a, b) => Number(a.includes("#c62828")) - Number(b.includes("#c62828")));
  const boxes = places.map((place) => box(plan, place, centre(place), { isThere: record.at(place) !== undefined, isAbsent: record.isAbsent(place), isWrong: isWrong(place) })); // prettier-ignore
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<defs>${["#8a94a6", "#c62828"].map(marker).join("")}</defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="22" font-size="14" fill="#1c2430">${escaped(plan.name)}${first > 0 || last < plan.rounds ? `, rounds ${first} to ${last} of ${plan.rounds}` : ""}</text>`,
    ...rounds.flatMap((round, i) => roundFrame(plan, round, i, height)),
    ...rows.map(({ name }, i) => `<text x="12" y="${TOP + ROW * i + ROW / 2 + 4}" fill="#1c2430">${escaped(name)}</text>`), // prettier-ignore
    ...arrows,
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}

function roundFrame({ turns }: Plan, round: number, i: number, height: number): string[] {
  const x = LEFT + COLUMN * turns.length * i;
  const label = round === 0 ? "round 0: initial states" : `round ${round}`;
  return [
    `<line x1="${x}" y1="36" x2="${x}" y2="${height - 12}" stroke="#d5dae3"/>`,
    `<text x="${x + 8}" y="48" fill="#5b6678">${label}</text>`,
  ];
}

const marker = (color: string): string =>
  `<marker id="to-${color.slice(1)}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="${color}"/></marker>`;

function arrow(from: { x: number; y: number }, to: { x: number; y: number }, isRed: boolean): string {
  const color = isRed ? "#c62828" : "#8a94a6";
  const [x1, x2] = [from.x + BOX.width / 2, to.x - BOX.width / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  // What passes a column of boxes in its own row goes around them.
  const around = from.y === to.y && to.x - from.x > COLUMN ? ROW / 2 : 0;
  const path = around
    ? `M${x1} ${from.y} C${x1 + 30} ${from.y + around}, ${x2 - 30} ${to.y + around}, ${x2} ${to.y}`
    : `M${x1} ${from.y} C${x1 + bend} ${from.y}, ${x2 - bend} ${to.y}, ${x2} ${to.y}`;
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${isRed ? 2 : 1}" marker-end="url(#to-${color.slice(1)})"/>`;
}

function box(
  plan: Plan,
  { seat }: LeafPlace,
  { x, y }: { x: number; y: number },
  { isThere, isAbsent, isWrong }: { isThere: boolean; isAbsent: boolean; isWrong: boolean },
): string {
  if (isAbsent) return away(seatName(plan, seat), { x, y }, isWrong);
  const [fill, stroke, text] = isWrong ? ["#fdecea", "#c62828", "#8e1b1b"] : ["#eef4ff", "#3f6fb5", "#1c2430"];
  const frame = `x="${x - BOX.width / 2}" y="${y - BOX.height / 2}" width="${BOX.width}" height="${BOX.height}" rx="5"`;
  const dashes = isThere ? "" : ' stroke-dasharray="4 3"';
  return (
    `<rect ${frame} fill="${isThere ? fill : "#ffffff"}" stroke="${stroke}" stroke-width="${isWrong ? 2 : 1}"${dashes}/>` +
    `<text x="${x}" y="${y + 4}" text-anchor="middle" fill="${text}">${escaped(seatName(plan, seat))}</text>`
  );
}

/** A member that was away has a place without a frame. */
const away = (name: string, { x, y }: { x: number; y: number }, isWrong: boolean): string =>
  `<text x="${x}" y="${y + 4}" text-anchor="middle" font-style="italic" fill="${isWrong ? "#c62828" : "#8a94a6"}">${escaped(name)} absent</text>`;

/** What a leaf reads, where it is known: who is absent reads nothing, and hands on its last leaf. */
function readIn(record: RoundsRecord, place: LeafPlace): readonly LeafPlace[] {
  if (record.isAbsent(place)) return [];
  const isKnown = sourcesOf(record.plan, place).every(({ round, seat }) => {
    const turn = turnOf(record.plan, { round, seat });
    return !isRolled(record.plan, turn) || record.rolls.at(turn) !== undefined;
  });
  return isKnown ? record.reads(place).places : [];
}

function distinct(places: readonly LeafPlace[]): LeafPlace[] {
  return [...new Map(places.map((place) => [`${place.round}/${place.seat}`, place])).values()];
}
