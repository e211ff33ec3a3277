/**
 * Time that passes only when everybody waits: an hour of it takes seconds. What is asked of the chain in this process is
 * work, and time stands still meanwhile.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../../src/settlement/transactions/clock.ts";

interface Sleeper {
  readonly at: number;
  wake(): void;
}

export class SimulatedTime implements Clock {
  private millis = 0;
  private sleepers: Sleeper[] = [];
  private working = 0;
  /** Changes with everything that happens, so that a silence can be told. */
  private events = 0;

  now(): number {
    return this.millis;
  }

  get seconds(): number {
    return this.millis / 1_000;
  }

  sleep(millis: number): Promise<void> {
    this.events++;
    return new Promise((wake) => this.sleepers.push({ at: this.millis + Math.max(millis, 0), wake }));
  }

  /** Work during which no time passes. */
  async work<T>(work: () => Promise<T>): Promise<T> {
    this.working++;
    this.events++;
    try {
      return await work();
    } finally {
      this.working--;
      this.events++;
    }
  }

  /** Lets time pass until all of these have ended. */
  async until<T>(ended: Promise<T>): Promise<T> {
    let over = false;
    const ending = ended.finally(() => (over = true));
    ending.catch(() => undefined);
    for (;;) {
      await this.silence();
      if (over) return ending;
      const next = this.sleepers.reduce<Sleeper | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined);
      if (!next) throw new Error("nobody sleeps, and nothing happens");
      this.sleepers = this.sleepers.filter((one) => one !== next);
      this.millis = Math.max(this.millis, next.at);
      next.wake();
    }
  }

  private async silence(): Promise<void> {
    for (let before = -1; this.working > 0 || before !== this.events; ) {
      before = this.events;
      await turn();
      await turn();
    }
  }
}
