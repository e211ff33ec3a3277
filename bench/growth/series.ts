/** The series of `verde bench --growth`, and what a measurement reports to. */

/** `small` takes minutes; `full` has the greatest sizes. */
export type Size = "small" | "full";

/** One point of a series: numbers by name. */
export type Point = Readonly<Record<string, number>>;

export interface Growth {
  say(line: string): void;
  point(series: string, point: Point): void;
}
