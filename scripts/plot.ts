/** Plots as SVG: curves over labelled axes, and dots beside names. Readable on white and on dark paper. */

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 380, 76, 150, 44, 56];
const COLORS = ["#1a7f37", "#d2691e", "#2f81f7", "#a371f7", "#bf4b8a"];
const INK = "#768390";

interface Axis {
  /** With the unit: `time (s)`. */
  label: string;
  log?: boolean;
}

/** Points that belong together, from left to right. */
export interface Curve {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

/** One row of a dot plot: dots by the names of their groups, each with the ends of its spread. */
export interface Row {
  name: string;
  dots: readonly { group: string; value: number; spread: readonly [number, number] }[];
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x: number, y: number, content: string, attributes = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes && ` ${attributes}`}>${escape(content)}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, attributes: string): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${attributes}/>`;
const GRID = `stroke="${INK}" stroke-opacity="0.25"`;

/** `1.5k`, `20M`, `0.01` */
function short(value: number): string {
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (value >= size) return `${Number((value / size).toPrecision(3))}${letter}`;
  return `${Number(value.toPrecision(3))}`;
}

/** Where an axis has its marks, and how far along each value is: from 0 to 1. */
interface Scale {
  ticks: number[];
  at(value: number): number;
}

function scaleOf(values: readonly number[], log: boolean): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (log) {
    const [low, high] = [Math.log10(least) - 0.1, Math.log10(most) + 0.1];
    const marks = (times: readonly number[]): number[] =>
      Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => 10 ** (Math.floor(low) + i))
        .flatMap((power) => times.map((time) => time * power))
        .filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
    const decades = marks([1]);
    const ticks = decades.length > 2 ? decades : marks([1, 2, 5]);
    return { ticks, at: (value) => (Math.log10(value) - low) / (high - low) };
  }
  // Four to ten marks at 1, 2 or 5 times a power of ten.
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  const top = Math.ceil(most / step) * step;
  return { ticks: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step), at: (value) => value / top };
}

function page(height: number, title: string, lines: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<style>text{fill:${INK}}</style>`,
    text(16, 24, title, 'font-size="14"'),
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

/** Curves over two axes, each named at its end. */
export function curvePlot(title: string, xAxis: Axis, yAxis: Axis, curves: readonly Curve[]): string {
  const points = curves.flatMap((curve) => curve.points);
  const [xs, ys] = [
    scaleOf(
      points.map(([x]) => x),
      xAxis.log ?? false,
    ),
    scaleOf(
      points.map(([, y]) => y),
      yAxis.log ?? false,
    ),
  ];
  const x = (value: number): number => LEFT + xs.at(value) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - ys.at(value) * (HEIGHT - TOP - BOTTOM);
  const middle = TOP + (HEIGHT - TOP - BOTTOM) / 2;
  const ends = namePlaces(curves.map((curve) => y(curve.points[curve.points.length - 1][1])));
  return page(HEIGHT, title, [
    ...ys.ticks.flatMap((tick) => [
      line(LEFT, y(tick), WIDTH - RIGHT, y(tick), GRID),
      text(LEFT - 8, y(tick) + 4, short(tick), 'text-anchor="end"'),
    ]),
    ...xs.ticks.flatMap((tick) => [
      line(x(tick), TOP, x(tick), HEIGHT - BOTTOM, GRID),
      text(x(tick), HEIGHT - BOTTOM + 18, short(tick), 'text-anchor="middle"'),
    ]),
    text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 12, xAxis.label, 'text-anchor="middle"'),
    text(20, middle, yAxis.label, `text-anchor="middle" transform="rotate(-90 20 ${middle.toFixed(1)})"`),
    ...curves.flatMap(({ name, points: own }, i) => {
      const color = COLORS[i % COLORS.length];
      const places = own.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`);
      const [lastX] = own[own.length - 1];
      return [
        `<polyline points="${places.join(" ")}" fill="none" stroke="${color}" stroke-width="2"/>`,
        ...own.map(([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3" fill="${color}"/>`),
        text(Math.max(x(lastX), 0) + 10, ends[i] + 4, name, `style="fill:${color}"`),
      ];
    }),
  ]);
}

/** Moves names apart that would cover each other. */
function namePlaces(wanted: readonly number[]): number[] {
  const order = [...wanted.keys()].sort((a, b) => wanted[a] - wanted[b]);
  const places = [...wanted];
  for (let i = 1; i < order.length; i++) places[order[i]] = Math.max(places[order[i]], places[order[i - 1]] + 15);
  return places;
}

/** The height of a row, and the width of a letter on average. */
const [ROW, LETTER] = [24, 6.6];

/** Ratios as dots beside names, over a logarithmic axis with a line at 1. */
export function ratioPlot(title: string, label: string, rows: readonly Row[]): string {
  const names = 28 + LETTER * Math.max(...rows.map(({ name }) => name.length));
  const groups = [...new Set(rows.flatMap(({ dots }) => dots.map(({ group }) => group)))];
  const values = rows.flatMap(({ dots }) => dots.flatMap(({ value, spread }) => [value, ...spread]));
  const doubles = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
  const low = doubles.findLast((mark) => mark <= Math.min(0.5, ...values)) ?? doubles[0];
  const high = doubles.find((mark) => mark >= Math.max(2, ...values)) ?? 64;
  const ticks = doubles.filter((mark) => mark >= low && mark <= high);
  const clamped = (value: number): number => Math.min(Math.max(value, low), high);
  const x = (value: number): number =>
    names + (Math.log2(clamped(value) / low) / Math.log2(high / low)) * (WIDTH - names - 24);
  const y = (row: number): number => TOP + 34 + row * ROW;
  const bottom = y(rows.length - 1) + ROW / 2;
  const legend = Math.min(180, (WIDTH - 40) / groups.length);
  return page(bottom + 50, title, [
    ...groups.map((group, i) =>
      [
        `<circle cx="${20 + i * legend}" cy="${TOP + 4}" r="4" fill="${COLORS[i % COLORS.length]}"/>`,
        text(30 + i * legend, TOP + 8, group),
      ].join("\n"),
    ),
    ...ticks.flatMap((tick) => [
      line(x(tick), TOP + 20, x(tick), bottom, tick === 1 ? `stroke="${INK}" stroke-width="1.5"` : GRID),
      text(x(tick), bottom + 16, `${tick}×`, 'text-anchor="middle"'),
    ]),
    text(names + (WIDTH - names - 24) / 2, bottom + 38, label, 'text-anchor="middle"'),
    ...rows.flatMap(({ name, dots }, row) => [
      text(names - 12, y(row) + 4, name, 'text-anchor="end"'),
      ...dots.flatMap(({ group, value, spread }) => {
        const i = groups.indexOf(group);
        const color = COLORS[i % COLORS.length];
        const at = y(row) + (i - (groups.length - 1) / 2) * Math.min(5, 16 / groups.length);
        return [
          line(x(spread[0]), at, x(spread[1]), at, `stroke="${color}" stroke-width="2" stroke-opacity="0.5"`),
          `<circle cx="${x(value).toFixed(1)}" cy="${at.toFixed(1)}" r="4" fill="${color}"/>`,
        ];
      }),
    ]),
  ]);
}
