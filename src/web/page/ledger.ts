/** The part of the page that shows a check: its result, its progress, and the steps with their roots. */
import { formatCount, formatSeconds } from "../figures.ts";
import { element, make, showText } from "./elements.ts";
import type { StepLine } from "./protocol.ts";
import { type Sentence, shortRoot } from "./sentence.ts";

/** The most rows. Older rows are removed, since a table of all steps of a long run would be slow. */
const MAX_ROWS = 400;

const rows = element("rows", HTMLTableSectionElement);
const ledger = element("ledger", HTMLElement);
const sentence = element("sentence", HTMLElement);
const running = element("running", HTMLElement);
const progress = element("progress", HTMLProgressElement);

/** Lines wait for the next frame, so the table is updated at most once for each frame. */
let waiting: StepLine[] = [];
let shown = 0;
let removed = 0;

export function beginLedger(): void {
  element("result", HTMLElement).hidden = false;
  rows.replaceChildren();
  waiting = [];
  shown = 0;
  removed = 0;
  ledger.hidden = true;
  sentence.hidden = true;
  running.hidden = false;
  showStage("Opening the trace");
  progress.removeAttribute("value");
  showText(element("earlier", HTMLElement), undefined);
}

/** Shows what the check is doing. Screen readers do not read it out, since it changes with every step. */
export function showStage(text: string): void {
  element("stage", HTMLElement).textContent = text;
}

/** Shows an executed step. @param part the finished part of the check, 0 to 1 */
export function showStep(line: StepLine, part: number): void {
  progress.value = part;
  if (waiting.push(line) === 1) requestAnimationFrame(flush);
}

export function endLedger(): void {
  flush();
  running.hidden = true;
}

export function showSentence({ tone, title, text }: Sentence): void {
  sentence.hidden = false;
  sentence.dataset.tone = tone;
  element("sentence-title", HTMLElement).textContent = title;
  element("sentence-text", HTMLElement).textContent = text;
  sentence.scrollIntoView({ block: "nearest" });
}

function flush(): void {
  if (waiting.length === 0) return;
  const atEnd = ledger.scrollTop + ledger.clientHeight >= ledger.scrollHeight - 8;
  const added = waiting.splice(0);
  shown += added.length;
  rows.append(...added.slice(-MAX_ROWS).map(rowOf));
  while (rows.childElementCount > MAX_ROWS) rows.firstElementChild?.remove();
  removed = shown - rows.childElementCount;
  if (ledger.hidden) {
    ledger.hidden = false;
    element("result", HTMLElement).scrollIntoView({ block: "nearest" });
  }
  if (atEnd) ledger.scrollTop = ledger.scrollHeight;
  showText(
    element("earlier", HTMLElement),
    removed > 0 ? `${formatCount(removed)} earlier steps agree and are not listed.` : undefined,
  );
}

function rowOf({ step, seconds, claimed, recomputed, agrees }: StepLine): HTMLTableRowElement {
  const mark = make("span", { className: "mark", ariaLabel: agrees ? "matches" : "does not match", role: "img" });
  mark.textContent = agrees ? "✓" : "✗";
  const cell = make("td");
  if (claimed === undefined || recomputed === undefined) cell.append(...(agrees ? ["–"] : [mark, "its numbers"]));
  else if (claimed === recomputed) cell.append(mark, ...rootOf(claimed));
  else {
    const claims = make("span", { className: "claims" });
    claims.append(make("span", {}, ...rootOf(claimed)), make("small", {}, "claimed"));
    claims.append(make("span", {}, ...rootOf(recomputed)), make("small", {}, "here"));
    cell.append(mark, claims);
  }
  const tone = agrees ? (claimed === undefined ? "" : "agrees") : "differs";
  return make("tr", { className: tone }, make("td", {}, String(step)), cell, make("td", {}, formatSeconds(seconds)));
}

/** A root in full and shortened. The style sheet decides which one is shown. */
function rootOf(root: string): HTMLElement[] {
  return [
    make("span", { className: "long" }, root),
    make("span", { className: "short", title: root }, shortRoot(root)),
  ];
}
