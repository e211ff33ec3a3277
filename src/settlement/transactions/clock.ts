/** The time of this machine, as what waits for a chain needs it. Tests have a clock that nobody waits for. */

/** A clock, and how to wait by it. */
export interface Clock {
  /** Milliseconds since some moment. They never decrease. */
  now(): number;
  /** Waits for so many milliseconds. */
  sleep(millis: number): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
};
