/**
 * The longest disputes about models from a million to a trillion parameters, as a plot: `node
 * bench/dispute.ts FILE.svg` (`verde simulate dispute` prints the figures).
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Dispute {
  model: string;
  steps: number;
  transactions: number;
  gas: number;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 360, 56, 160, 44, 44];
/** Readable on white and on dark paper. */
const COLORS = ["#1a7f37", "#d2691e", "#2f81f7"];
const INK = "#768390";
const STEPS = [100, 10_000, 1_000_000];

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const output = execFileSync(process.execPath, [main, "simulate", "dispute", "--steps", STEPS.join(), "--json"]);
const { disputes } = JSON.parse(String(output)) as { disputes: Dispute[] };
const models = [...new Set(disputes.map(({ model }) => model))];
const top = Math.ceil(Math.max(...disputes.map(({ gas }) => gas)) / 1e6);

const x = (model: string): number => LEFT + (models.indexOf(model) / (models.length - 1)) * (WIDTH - LEFT - RIGHT);
const y = (gas: number): number => HEIGHT - BOTTOM - (gas / (top * 1e6)) * (HEIGHT - TOP - BOTTOM);
const text = (at: [number, number], content: string, attributes = ""): string =>
  `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${attributes}>${content}</text>`;

const grid = Array.from({ length: top + 1 }, (_, million) => [
  `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(million * 1e6)}" y2="${y(million * 1e6)}" stroke="${INK}" stroke-opacity="0.25"/>`,
  text([LEFT - 8, y(million * 1e6) + 4], `${million}M`, 'text-anchor="end"'),
]).flat();
const names = models.map((model) => text([x(model), HEIGHT - BOTTOM + 20], model, 'text-anchor="middle"'));
/** From below upwards, so that none covers the one before. */
let labelTop = Infinity;
const curves = STEPS.flatMap((steps, i) => {
  const own = disputes.filter((dispute) => dispute.steps === steps);
  const last = own[own.length - 1];
  const points = own.map(({ model, gas }) => `${x(model).toFixed(1)},${y(gas).toFixed(1)}`);
  labelTop = Math.min(y(last.gas) + 4, labelTop - 14);
  const label = `${steps.toLocaleString("en-US")} steps, ${last.transactions} tx`;
  return [
    `<polyline points="${points.join(" ")}" fill="none" stroke="${COLORS[i]}" stroke-width="2"/>`,
    ...points.map(
      (point) => `<circle cx="${point.split(",")[0]}" cy="${point.split(",")[1]}" r="3" fill="${COLORS[i]}"/>`,
    ),
    text([x(last.model) + 10, labelTop], label, `style="fill:${COLORS[i]}"`),
  ];
});
const lines = [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
  `<style>text{fill:${INK}}</style>`,
  text([LEFT, 22], "Gas of the longest dispute, by parameters of the model and steps of the run", 'font-size="14"'),
  ...grid,
  ...names,
  ...curves,
  "</svg>",
];
writeFileSync(process.argv[2], `${lines.join("\n")}\n`);
