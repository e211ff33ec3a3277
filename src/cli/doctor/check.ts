/** One thing that `verde doctor` looks at. */

export interface Check {
  name: string;
  /** `fail`: no run is possible. `warn`: something does not work, or soon will not. */
  result: "ok" | "warn" | "fail";
  /** What was found, for people. */
  found: string;
  /** What to install or to do. */
  remedy: string | null;
}

export const ok = (name: string, found: string): Check => ({ name, result: "ok", found, remedy: null });
export const warn = (name: string, found: string, remedy: string): Check => ({ name, result: "warn", found, remedy });
export const fail = (name: string, found: string, remedy: string): Check => ({ name, result: "fail", found, remedy });
