/** How many parameters a job has, in words. */
import type { ParameterCount } from "../job/parameters.ts";
import { formatCount } from "./output.ts";

/** `136,960 parameters`, or `136,960 parameters, 4,096 of them frozen` */
export function formatParameters({ trained, frozen }: ParameterCount): string {
  const all = `${formatCount(trained + frozen)} parameters`;
  return frozen === 0 ? all : `${all}, ${formatCount(frozen)} of them frozen`;
}
