/** The part of the page that shows the facts of a trace, and the curve of its loss. */
import { formatCount, formatNumber } from "../figures.ts";
import { element, make, showText } from "./elements.ts";
import type { Facts } from "./protocol.ts";

/** The size of the plot in its own coordinates, the same as in index.html. */
const [WIDTH, HEIGHT] = [1000, 240];
/** Room above and below the curve. */
const MARGIN = 12;

const plot = {
  line: element("plot-line", SVGPolylineElement),
  checked: element("plot-checked", SVGRectElement),
  wrong: element("plot-wrong", SVGLineElement),
};

export function showFacts(facts: Facts): void {
  element("facts", HTMLElement).hidden = false;
  element("facts-title", HTMLElement).textContent = facts.job;
  showText(element("notice", HTMLElement), noticeOf(facts));
  element("fact-list", HTMLElement).replaceChildren(
    ...rowsOf(facts).flatMap(([name, value]) => [
      make("dt", {}, name),
      make("dd", value.startsWith("0x") ? { className: "root" } : {}, value),
    ]),
  );
  showCurve(facts);
}

function noticeOf({ unfinished, missing, fault }: Facts): string | undefined {
  const notices = [
    missing && `${missing} is needed to execute steps: choose the data folder too.`,
    unfinished && `This run is not finished; its recorded steps can be checked. ${unfinished}.`,
    fault && `This trace is a drill: it was made with the fault ${fault}.`,
  ];
  return notices.filter((notice) => notice !== undefined).join(" ") || undefined;
}

function rowsOf(facts: Facts): [string, string][] {
  const { steps, recorded, commitEvery, checkpoints, detail } = facts;
  const recordedOf =
    recorded === steps ? formatCount(steps) : `${formatCount(Math.max(recorded, 0))} of ${formatCount(steps)}`;
  const every =
    commitEvery === 1 ? "after every training step" : `after every ${formatCount(commitEvery)} training steps`;
  return [
    ["Steps", recordedOf],
    ["Model", `${formatCount(facts.parameters)} parameters, ${formatCount(facts.kernels)} operators in each step`],
    ["Committed to", `${every}${detail === "operators" ? ", and every operator" : ""}`],
    ["Checkpoints", checkpoints.length > 0 ? `after ${listOf(checkpoints)}` : "none"],
    ["Made with", facts.backend],
    ["Run root", facts.runRoot ?? "none yet"],
    ["Last state", facts.lastRoot ?? "none yet"],
  ];
}

function listOf(steps: readonly number[]): string {
  const shown = steps.length <= 6 ? steps : [...steps.slice(0, 3), undefined, ...steps.slice(-2)];
  return `step ${shown.map((step) => step ?? "…").join(", ")}`;
}

function showCurve({ losses, steps, recorded, committed }: Facts): void {
  // A trace may claim any bit pattern, NaN included.
  const points = losses.filter(({ loss }) => Number.isFinite(loss));
  element("curve", HTMLElement).hidden = points.length < 2;
  if (points.length < 2) return;
  const low = points.reduce((least, { loss }) => Math.min(least, loss), Infinity);
  const high = points.reduce((most, { loss }) => Math.max(most, loss), -Infinity);
  const y = (loss: number): number => MARGIN + ((high - loss) / (high - low || 1)) * (HEIGHT - 2 * MARGIN);
  plot.line.setAttribute(
    "points",
    points.map(({ step, loss }) => `${((step / steps) * WIDTH).toFixed(1)},${y(loss).toFixed(1)}`).join(" "),
  );
  const [first, last] = [points[0].loss, points[points.length - 1].loss];
  element("curve-range", HTMLElement).textContent = `${formatNumber(first)} → ${formatNumber(last)}`;
  element("curve-title", HTMLElement).textContent = curveTitle(recorded, committed - 1);
  element("plot-end", HTMLElement).textContent = `step ${formatCount(steps)}`;
  markChecked(steps);
}

/** What the curve rests on: a state root proves the metrics of its step, the others are the author's word. */
function curveTitle(steps: number, proven: number): string {
  if (proven === steps) return "Loss, proven by the root of each state";
  if (proven === 0) return "Loss, as the trace claims it: no state root proves it yet";
  return `Loss, as the trace claims it: ${formatCount(proven)} of ${formatCount(steps)} steps are proven by state roots`;
}

/** Shades the steps that were found right, and marks the step that was found wrong. */
export function markChecked(steps: number, range?: { from: number; to: number }, wrong?: number): void {
  const x = (step: number): number => (step / steps) * WIDTH;
  plot.checked.setAttribute("x", String(range ? x(range.from) : 0));
  plot.checked.setAttribute("width", String(range ? Math.max(x(range.to) - x(range.from), 0) : 0));
  plot.wrong.setAttribute("visibility", wrong === undefined ? "hidden" : "visible");
  for (const end of ["x1", "x2"]) plot.wrong.setAttribute(end, String(x(wrong ?? 0)));
}
