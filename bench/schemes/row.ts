/** A row of the table of all schemes, and the table. */

export interface Row {
  /** How many participants there are. */
  members: number;
  /** How many weights are trained. */
  parameters: number;
  rounds: number;
  /** Steps of the optimizer in a round. */
  steps: number;
  /** Bytes that a round sends. */
  sent: number;
  /** Bytes that training in step sends for as many steps. */
  inStep: number;
  /** The held-out loss of the scheme, of AdamW on the joined batch, and of a lone member, where one can train alone. */
  loss: number;
  joined: number;
  lone: number | null;
  /** Processor time of the whole run, whose leaves one process computes one after the other. */
  seconds: number;
}

const bytes = (count: number): string => `${count.toLocaleString("en-US")} B`;

/** The table in Markdown. */
export function tableOf(rows: Readonly<Record<string, Row>>): string {
  const lines = Object.entries(rows).map(
    ([name, { members, parameters, rounds, steps, sent, inStep, loss, joined, lone, seconds }]) =>
      `| ${name} | ${members} | ${parameters.toLocaleString("en-US")} | ${rounds} of ${steps} | ${bytes(sent)} | ${bytes(inStep)} | ${loss.toFixed(3)} | ${joined.toFixed(3)} | ${lone?.toFixed(3) ?? ""} | ${seconds} s |`,
  );
  return [
    "| scheme | participants | weights | rounds of steps | sent in a round | in step | held-out loss | AdamW, joined batch | a lone member | processor time |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

const MARKS = ["<!-- made by bench/schemes.ts -->", "<!-- end -->"] as const;

/** The page with the table of these rows between its marks. */
export function pageWith(page: string, rows: Readonly<Record<string, Row>>): string {
  const [from, to] = MARKS.map((mark) => page.indexOf(mark));
  if (from < 0 || to < from) throw new Error(`the page has no ${MARKS.join(" and ")}`);
  return `${page.slice(0, from)}${MARKS[0]}\n\n${tableOf(rows)}\n\n${page.slice(to)}`;
}
