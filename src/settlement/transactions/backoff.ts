/** Pauses between attempts: longer after each failure, up to a cap, and never quite the same. */

/** A number from 0 up to, but without, 1. */
export type Random = () => number;

/** From the system's generator. Nothing that is committed to depends on it. */
export const systemRandom: Random = () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;

/** The pauses after failures that follow each other. */
export class Backoff {
  /** How many failures there were since the last success. */
  failures = 0;
  private readonly first: number;
  private readonly longest: number;
  private readonly random: Random;

  /**
   * @param first milliseconds of the pause after the first failure, at most
   * @param longest the cap, in milliseconds
   * @param random varies each pause between its half and its whole, so that many parties that failed together
   *   do not come back together
   */
  constructor(first: number, longest: number, random: Random = systemRandom) {
    this.first = first;
    this.longest = longest;
    this.random = random;
  }

  /** The pause after one more failure, in milliseconds. */
  next(): number {
    const whole = Math.min(this.first * 2 ** Math.min(this.failures++, 30), this.longest);
    return (whole * (1 + this.random())) / 2;
  }

  succeeded(): void {
    this.failures = 0;
  }
}
