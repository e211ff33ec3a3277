/**
 * Makes the tables and plots of docs/benchmarks.md from the results in bench/results: `node
 * scripts/benchmarks.ts`; with `--measure` it makes the results before that. What it makes stands between two
 * comments for each section; the words around them are written by hand.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { GrowthResult } from "../bench/growth.ts";
import type { Machine } from "../bench/measure.ts";
import type { Comparison } from "../bench/peers/compare.ts";
import type { NetworkResult } from "../bench/network/sweep.ts";
import type { PeersResult } from "../bench/peers.ts";
import { type Kind, KINDS, ofKind, plots, type Results } from "./benchmark-plots.ts";
import { GOALS, outcomeOf } from "./goals.ts";

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const PAGE = "docs/benchmarks.md";
const RESULTS = {
  peers: "bench/results/peers.json",
  growth: "bench/results/growth.json",
  network: "bench/results/network.json",
} as const;

export function readResults(): Results {
  const read = (path: string): unknown => JSON.parse(readFileSync(at(path), "utf8"));
  return {
    peers: read(RESULTS.peers) as PeersResult,
    growth: read(RESULTS.growth) as GrowthResult,
    network: read(RESULTS.network) as NetworkResult,
  };
}

/** Three digits, or all of a whole number. */
function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return `${Number(value.toPrecision(3))}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "Nothing was measured.";
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

const comparisonTable = (comparisons: readonly Comparison[]): string =>
  table(
    ["what", "Verde", "the other", "ratio", "quartiles", "threads"],
    comparisons.map(({ name, ours, peer, peerName, unit, ratio, spread, threads }) => [
      name,
      `${figure(ours)} ${unit}`,
      `${peerName}: ${figure(peer)} ${unit}`,
      `${ratio.toFixed(2)}×`,
      spread.map((value) => value.toFixed(2)).join(" to "),
      `${threads}`,
    ]),
  );

function describe({ cpu, cores, memoryGiB, node, compiler, tile, load, date }: Machine): string {
  const products = tile === undefined ? "" : `, products in tiles of ${tile}`;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, ${compiler}${products}; ${date}, with a load of ${load} when it began.`;
}

/** The plots that stand before the table of a section, each with what it shows. */
const PLOTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  products: { "products.svg": "Ratios of matrix products" },
  operators: { "operators.svg": "Ratios of operators and training steps" },
  threads: { "itself.svg": "Ratios of Verde to itself" },
  parameters: { "speed.svg": "Speed against parameters", "memory.svg": "Memory against parameters" },
  steps: { "long-runs.svg": "Time of long runs", "long-runs-memory.svg": "Memory of long runs" },
  operators_growth: {
    "rounds.svg": "Rounds of disputes",
    "bytes.svg": "Bytes shown in disputes",
    "dispute-operators.svg": "Time of a dispute against operators",
  },
  network: {
    "network.svg": "Throughput and latency of a network against tasks",
    "network-providers.svg": "Throughput and latency of a network against providers",
    "network-parameters.svg": "Throughput and latency of a network against parameters",
  },
  elements_growth: { "dispute-elements.svg": "Time of a dispute against elements" },
};

/** A section with those of its plots that there are. */
function withPlots(section: string, content: string, drawn: Readonly<Record<string, string>>): string {
  const images = Object.entries(PLOTS[section] ?? {}).filter(([file]) => drawn[file] !== undefined);
  return [...images.map(([file, what]) => `![${what}](benchmarks/${file})`), content].join("\n\n");
}

/** The tables by section, as Markdown. */
function tables({ peers, growth, network }: Results): Record<string, string> {
  const skipped = peers.skipped.map(({ what, why }) => `- ${what}: ${why}`);
  const points = (name: string) => growth.series[name] ?? [];
  const growthTable = (name: string, columns: Record<string, string>): string =>
    table(
      Object.keys(columns),
      points(name).map((point) => Object.values(columns).map((key) => figure(point[key]))),
    );
  return {
    machine: describe(peers.machine),
    goals: table(
      ["measure", "at least", "found", "reached", "why not"],
      GOALS.map((goal) => [goal.measure, goal.bound, ...outcomeOf(goal, peers.comparisons)]),
    ),
    ...Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, comparisonTable(ofKind(peers, kind as Kind))])),
    skipped: skipped.length > 0 ? ["Not compared:", "", ...skipped].join("\n") : "All comparisons were made.",
    growthMachine: describe(growth.machine),
    networkMachine: describe(network.machine),
    network: networkTable(network),
    parameters: growthTable("parameters", {
      parameters: "parameters",
      "tokens/s": "tokensPerSecond",
      MiB: "memoryMiB",
      threads: "threads",
    }),
    steps: growthTable("steps", {
      steps: "steps",
      "bytes of the trace": "traceBytes",
      "run, s": "runSeconds",
      "run, MiB": "runMiB",
      "inspect, s": "inspectSeconds",
      "inspect, MiB": "inspectMiB",
      "dispute, s": "disputeSeconds",
      "dispute, MiB": "disputeMiB",
      rounds: "rounds",
      "bytes shown": "bytes",
      "referee, ms": "refereeMillis",
    }),
    operators_growth: growthTable("operators", DISPUTE("operators")),
    elements_growth: growthTable("elements", DISPUTE("elements")),
    answers: growthTable("answers", {
      "steps after a checkpoint": "distance",
      "executed, in steps": "stepsExecuted",
      "roots of its operators, ms": "operatorRootsMillis",
      "a tensor's first chunk, ms": "tensorMillis",
      "an opening, ms": "openingMillis",
      "slowest opening, ms": "slowestOpeningMillis",
      "first one-step proof, ms": "firstProofMillis",
      "later ones, ms": "laterProofMillis",
    }),
  };
}

const networkTable = ({ runs }: NetworkResult): string =>
  table(
    ["tasks", "providers, of which lie", "parameters", "killed", "results paid", "lies slashed", "books", "disputes", "tasks/min", "dispute, s (most)", "task, s (most)"], // prettier-ignore
    runs.map((run) => [
      run.complete ? `${run.tasks}` : `${run.posted} of ${run.tasks}`,
      `${run.providers}, ${run.liars}`,
      figure(run.parameters),
      `${run.kills}`,
      `${run.paid} of ${run.honest}`,
      `${run.slashed} of ${run.lies}`,
      run.wrong.length === 0 ? "agree" : `${run.wrong.length} errors`,
      `${run.disputes}`,
      figure(run.tasksPerMinute),
      `${figure(run.disputeSeconds.median)} (${figure(run.disputeSeconds.most)})`,
      `${figure(run.taskSeconds.median)} (${figure(run.taskSeconds.most)})`,
    ]),
  );

const DISPUTE = (count: string): Record<string, string> => ({
  [count]: count,
  rounds: "rounds",
  "bytes shown": "bytes",
  "referee, ms": "refereeMillis",
  "a prover, ms": "proverMillis",
});

/**
 * The page with its sections made anew. @throws {Error} for a section that the page has and no result makes
 */
export function pageFrom(page: string, results: Results): string {
  const [made, drawn] = [tables(results), plots(results)];
  return page.replace(/<!-- made: (\w+) -->\n[\s\S]*?<!-- end -->/g, (_, name: string) => {
    if (made[name] === undefined)
      throw new Error(`${PAGE} has a section ${name}, which scripts/benchmarks.ts does not make`);
    return `<!-- made: ${name} -->\n\n${withPlots(name, made[name], drawn)}\n\n<!-- end -->`;
  });
}

/** All files that are made, by their paths in the project. */
export function made(results: Results): Map<string, string> {
  const files = new Map([[PAGE, pageFrom(readFileSync(at(PAGE), "utf8"), results)]]);
  for (const [name, svg] of Object.entries(plots(results))) files.set(`docs/benchmarks/${name}`, svg);
  return files;
}

/** Measures everything anew on this machine, which should have nothing else to do. */
function measure(): void {
  for (const flags of [
    ["--peers", "--out", at(RESULTS.peers)],
    ["--growth", "--size", "full", "--out", at(RESULTS.growth)],
  ]) {
    const { status } = spawnSync(process.execPath, [at("src/cli/main.ts"), "bench", ...flags], { stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
}

if (import.meta.main) {
  if (process.argv.includes("--measure")) measure();
  for (const [path, content] of made(readResults())) {
    if (existsSync(at(path)) && readFileSync(at(path), "utf8") === content) continue;
    writeFileSync(at(path), content);
    console.log(path);
  }
}
