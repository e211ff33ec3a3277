/**
 * The page of `verde serve`: it takes a trace, gives a worker its tasks, and shows what the worker reports.
 */
import { messageOf, VerdeError } from "../../errors/index.ts";
import { type ChosenFile, filesOfDrop, filesOfInput, gather } from "./chosen.ts";
import { choices } from "./devices.ts";
import { element, make, showText } from "./elements.ts";
import { beginLedger, endLedger, showSentence, showStage, showStep } from "./ledger.ts";
import { markChecked, showFacts } from "./overview.ts";
import type { Facts, Report, StepLine, Task, TraceInput } from "./protocol.ts";
import { cancelledSentence, sentenceOf } from "./sentence.ts";
import { servedListing } from "./served.ts";

const problem = element("problem", HTMLElement);
const [from, to] = [element("from", HTMLInputElement), element("to", HTMLInputElement)];
const start = element("start", HTMLButtonElement);
const cancel = element("cancel", HTMLButtonElement);
const devices = element("devices", HTMLFieldSetElement);

let input: TraceInput | undefined;
let facts: Facts | undefined;
/** Cancels the running check. */
let onCancel: (() => void) | undefined;

/** The page's only worker, and the listener to its current task. */
let worker: Worker | undefined;
let listener: ((report: Report) => void) | undefined;

/** Gives the worker a task, and drops its current one. */
function assign(task: Task, onReport: (report: Report) => void): void {
  if (listener) stop();
  worker ??= startWorker();
  listener = onReport;
  worker.postMessage(task, { transfer: [] });
}

function startWorker(): Worker {
  const started = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
  const report = (what: Report): void => {
    const to = listener;
    if (what.kind !== "stage" && what.kind !== "step") listener = undefined;
    to?.(what);
  };
  started.addEventListener("message", ({ data }: MessageEvent<Report>) => report(data));
  started.addEventListener("error", ({ message }) => {
    worker = undefined;
    const why = message || "the worker could not be loaded; is `verde serve` still running?";
    report({ kind: "failed", code: "VERDE_FAILURE", message: why });
  });
  return started;
}

/** Ends the worker during its task, which frees its memory. */
function stop(): void {
  worker?.terminate();
  worker = undefined;
  listener = undefined;
}

function showProblem(error: unknown): void {
  const code = error instanceof VerdeError ? error.code : undefined;
  showText(problem, `${messageOf(error)}${code === undefined ? "" : ` (${code})`}`);
}

function open(next: TraceInput): void {
  onCancel?.();
  input = next;
  facts = undefined;
  showText(problem, undefined);
  for (const id of ["facts", "check", "result"]) element(id, HTMLElement).hidden = true;
  const path = next.kind === "served" ? next.listing.path : next.path;
  showText(element("input-name", HTMLElement), path);
  element("input-hint", HTMLElement).hidden = true;
  document.title = `${path} · Verde`;
  assign({ kind: "open", input: next }, (report) => {
    if (report.kind === "failed") showText(problem, `${report.message} (${report.code})`);
    if (report.kind !== "opened") return;
    facts = report.facts;
    showFacts(facts);
    offerCheck(facts);
  });
}

function offerCheck({ recorded, missing }: Facts): void {
  element("check", HTMLElement).hidden = recorded < 0;
  start.disabled = missing !== undefined;
  for (const end of [from, to]) end.max = String(recorded);
  chooseAll();
}

function chooseAll(): void {
  from.value = "0";
  to.value = String(facts?.recorded ?? 0);
}

function take(files: readonly ChosenFile[]): void {
  try {
    open(gather(files, input?.kind === "chosen" ? input : undefined));
  } catch (error) {
    showProblem(error);
  }
}

function check(): void {
  const chosen = new FormData(element("form", HTMLFormElement)).get("device");
  if (!input || !facts || typeof chosen !== "string") return;
  const { steps } = facts;
  const about = facts;
  const range = { from: from.valueAsNumber, to: to.valueAsNumber };
  if (range.from > range.to) [range.from, range.to] = [range.to, range.from];
  from.value = String(range.from);
  to.value = String(range.to);
  let [first, last, compared]: [number, StepLine | undefined, number] = [0, undefined, 0];
  beginLedger();
  markChecked(steps);
  showText(problem, undefined);
  setBusy(true);
  const finish = (): void => {
    endLedger();
    setBusy(false);
    onCancel = undefined;
  };
  onCancel = () => {
    stop();
    finish();
    showSentence(cancelledSentence(compared, last));
  };
  assign({ kind: "check", input, backend: chosen, ...range }, (report) => {
    if (report.kind === "stage") showStage(report.text);
    if (report.kind === "step") {
      const { line } = report;
      const { step, agrees } = line;
      if (!last) first = step;
      last = line;
      if (line.claimed !== undefined && agrees) compared++;
      markChecked(steps, { from: Math.max(first - 1, 0), to: agrees ? step : step - 1 }, agrees ? undefined : step);
      showStep(line, (step - first + 1) / (range.to - first + 1));
      showStage(`Training step ${step} of ${range.to}`);
    }
    if (report.kind === "finished") {
      finish();
      showSentence(sentenceOf(report.outcome, about));
    }
    if (report.kind === "failed") {
      finish();
      showSentence({ tone: "bad", title: "The check failed.", text: `${report.message} (${report.code})` });
    }
  });
}

function setBusy(busy: boolean): void {
  for (const control of [from, to, devices, start, element("all", HTMLButtonElement)]) control.disabled = busy;
  (busy ? cancel : start).focus({ preventScroll: true });
  if (busy) element("result", HTMLElement).scrollIntoView({ block: "nearest" });
}

async function offerDevices(): Promise<void> {
  const offered = await choices();
  const preferred = offered.find(({ unavailable }) => unavailable === undefined);
  for (const choice of offered) {
    const { name, label, about, unavailable } = choice;
    const disabled = unavailable !== undefined;
    const radio = make("input", {
      type: "radio",
      name: "device",
      value: name,
      disabled,
      checked: choice === preferred,
    });
    devices.append(
      make(
        "label",
        { className: "device" },
        radio,
        label,
        make("small", {}, disabled ? `Not available: ${unavailable}.` : about),
      ),
    );
  }
}

function listen(): void {
  for (const id of ["choose-files", "choose-folder"]) {
    const chooser = element(id, HTMLInputElement);
    chooser.addEventListener("change", () => {
      if (chooser.files?.length) take(filesOfInput(chooser));
      // The user may choose the same file again, for example after it has changed.
      chooser.value = "";
    });
  }
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    if (event.dataTransfer) filesOfDrop(event.dataTransfer).then(take, showProblem);
  });
  element("all", HTMLButtonElement).addEventListener("click", chooseAll);
  cancel.addEventListener("click", () => onCancel?.());
  element("form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
}

listen();
await offerDevices();
try {
  const listing = await servedListing();
  if (listing) open({ kind: "served", listing });
} catch (error) {
  showProblem(error);
}
