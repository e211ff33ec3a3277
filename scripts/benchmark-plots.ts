/** The plots of docs/benchmarks.md, and the kinds of comparisons that they and its tables show. */
import type { GrowthResult } from "../bench/growth.ts";
import type { Comparison } from "../bench/peers/compare.ts";
import type { NetworkResult, SweepRun } from "../bench/network/sweep.ts";
import type { PeersResult } from "../bench/peers.ts";
import { type Curve, curvePlot, ratioPlot, type Row } from "./plot.ts";

/** The results that the page is made from. */
export interface Results {
  peers: PeersResult;
  growth: GrowthResult;
  network: NetworkResult;
}

/** The kinds of comparisons, each with a table of its own. The first that fits counts. */
export const KINDS = {
  tracing: ({ name }: Comparison) => name.endsWith("over not traced"),
  threads: ({ name }: Comparison) => name.endsWith("over one thread"),
  starts: ({ name }: Comparison) => / start for /.test(name),
  products: ({ name }: Comparison) => name.startsWith("product "),
  gpt: ({ name }: Comparison) => name.startsWith("GPT step "),
  operators: () => true,
} as const;
export type Kind = keyof typeof KINDS;

export function ofKind({ comparisons }: PeersResult, kind: Kind): Comparison[] {
  const kindOf = (one: Comparison): string => Object.entries(KINDS).find(([, fits]) => fits(one))![0];
  return comparisons.filter((one) => kindOf(one) === kind);
}

/** The name of a library without its version. */
const library = ({ peerName }: Comparison): string => peerName.replace(/ [\d(].*$/, "");

/** What a row of a plot need not say, because its dots' group or the page does. */
const SHORTER: readonly (readonly [long: RegExp, short: string])[] = [
  [/^product /, ""],
  [/, two threads over one thread$/, ""],
  [/ over not traced$/, ""],
  [/, traced with roots at every step$/, ", traced"],
  [/, traced with the cadence auto$/, ", traced, auto"],
  [/, against the bandwidth of a copy$/, ", bandwidth"],
];

function ratioRows(comparisons: readonly Comparison[]): Row[] {
  return [...Map.groupBy(comparisons, ({ name }) => name)].map(([name, own]) => ({
    name: SHORTER.reduce((text, [long, short]) => text.replace(long, short), name),
    dots: own.map((one) => ({ group: groupOf(one), value: one.ratio, spread: one.spread })),
  }));
}

/** The other contender, as the legend of a plot names it. */
function groupOf(one: Comparison): string {
  const { peerName, threads } = one;
  if (peerName === "one thread") return "two threads over one";
  if (peerName === "not traced") return "tracing over not tracing";
  if (peerName.startsWith("Verde")) return "a copy";
  return `${library(one)}${threads > 1 ? `, ${threads} threads` : ""}`;
}

/** The plots by file name. */
export function plots({ peers, growth, network }: Results): Record<string, string> {
  const curve = (series: string, name: string, x: string, y: string): Curve => ({
    name,
    points: (growth.series[series] ?? []).map((point) => [point[x], point[y]]),
  });
  const made: Record<string, string> = {};
  const curves = (file: string, title: string, x: string, y: string, list: readonly Curve[], log = true): void => {
    const drawn = list.filter(({ points }) => points.length > 0);
    if (drawn.length > 0) made[file] = curvePlot(title, { label: x, log: true }, { label: y, log }, drawn);
  };
  const ratios = (file: string, title: string, kinds: readonly Kind[]): void => {
    const rows = ratioRows(kinds.flatMap((kind) => ofKind(peers, kind)).filter(({ unit }) => unit !== "GiB"));
    if (rows.length > 0) made[file] = ratioPlot(title, "Verde's speed over the other's (bars: quartiles)", rows);
  };
  ratios("products.svg", "Matrix products: Verde's fixed order beside other libraries", ["products"]);
  ratios("operators.svg", "Operators and training steps beside other libraries", ["operators", "gpt"]);
  ratios("itself.svg", "Verde beside itself: threads and tracing", ["threads", "tracing"]);
  curves("speed.svg", "Speed of training with a root after every step", "parameters", "speed (tokens/s)", [
    curve("parameters", "native", "parameters", "tokensPerSecond"),
  ]);
  curves("memory.svg", "Most memory of a run", "parameters", "memory (MiB)", [
    curve("parameters", "native", "parameters", "memoryMiB"),
  ]);
  curves("long-runs.svg", "Runs of cheap steps", "training steps", "time (s)", [
    curve("steps", "run", "steps", "runSeconds"),
    curve("steps", "dispute", "steps", "disputeSeconds"),
    curve("steps", "inspect", "steps", "inspectSeconds"),
  ]);
  curves("long-runs-memory.svg", "Most memory for runs of cheap steps", "training steps", "memory (MiB)", [
    curve("steps", "run", "steps", "runMiB"),
    curve("steps", "dispute", "steps", "disputeMiB"),
    curve("steps", "inspect", "steps", "inspectMiB"),
  ]);
  const kinds = ["steps", "operators", "elements"] as const;
  curves(
    "rounds.svg",
    "Rounds of a dispute",
    "training steps, operators in a step, or elements of the disputed tensor",
    "rounds",
    kinds.map((kind) => curve(kind, kind, kind, "rounds")),
    false,
  );
  curves(
    "bytes.svg",
    "What both parties show in a dispute",
    "training steps, operators in a step, or elements of the disputed tensor",
    "bytes",
    kinds.map((kind) => curve(kind, kind, kind, "bytes")),
    false,
  );
  for (const kind of ["operators", "elements"])
    curves(
      `dispute-${kind}.svg`,
      `Time of a dispute against ${kind}`,
      kind === "operators" ? "operators in a step" : "elements of the disputed tensor",
      "time (ms)",
      [curve(kind, "a prover", kind, "proverMillis"), curve(kind, "the referee", kind, "refereeMillis")],
    );
  for (const by of ["tasks", "providers", "parameters"] as const)
    curves(
      by === "tasks" ? "network.svg" : `network-${by}.svg`,
      `A network under liars and crashes, against ${by}`,
      by,
      "tasks a minute, or seconds",
      [
        networkCurve(network, by, "tasks a minute", ({ tasksPerMinute }) => tasksPerMinute),
        networkCurve(network, by, "s for a dispute", ({ disputeSeconds }) => disputeSeconds.median),
        networkCurve(network, by, "s for a task", ({ taskSeconds }) => taskSeconds.median),
      ],
    );
  return made;
}

/** A figure of the complete runs that differ in one thing alone: the largest such group. */
function networkCurve(
  { runs }: NetworkResult,
  by: "tasks" | "providers" | "parameters",
  name: string,
  figure: (run: SweepRun) => number,
): Curve {
  const rest = ({ tasks, providers, seats, parameters, byzantine, crash }: SweepRun): string =>
    JSON.stringify({ tasks, providers, seats, parameters, byzantine, crash, [by]: undefined });
  const groups = [
    ...Map.groupBy(
      runs.filter(({ complete }) => complete),
      rest,
    ).values(),
  ];
  const [alike = []] = groups.sort((a, b) => b.length - a.length);
  const points = alike.map((run): [number, number] => [run[by], figure(run)]);
  // One point shows no growth.
  return { name, points: points.length < 2 ? [] : points.sort(([a], [b]) => a - b) };
}
