/**
 * Psyche's coordinator as its sources write it, statement by statement, and its shuffles with numbers of 64 bits: what
 * the graphs of the example are compared with.
 */
import { createHash } from "node:crypto";

const sha256 = (...parts: Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const MASK = 2n ** 64n - 1n;

/** swap_or_not.rs, for one index. */
function shuffledIndex(index: number, total: number, seed: Uint8Array): number {
  let current = BigInt(index);
  const count = BigInt(total);
  for (let round = 0; round < 90; round++) {
    const pivot = sha256(seed, Uint8Array.of(round)).readBigUInt64LE(0) % count;
    const flip = (pivot + count - current) % count;
    const position = current > flip ? current : flip;
    const window = Buffer.alloc(4);
    window.writeUInt32LE(Number(position / 256n));
    const byte = sha256(seed, Uint8Array.of(round), window)[Number(position % 256n) >> 3];
    if ((byte >> Number(position % 8n)) % 2 === 1) current = flip;
  }
  return Number(current);
}

/** committee_selection.rs: the positions of all clients under a salt. */
export function positions(total: number, seed: bigint, salt: string): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(seed);
  const salted = sha256(sha256(bytes), Buffer.from(salt));
  return Array.from({ length: total }, (_, index) => shuffledIndex(index, total, salted));
}

/** deterministic_shuffle.rs */
export function shuffle<T>(items: readonly T[], seed: bigint): T[] {
  const order = [...items];
  let state = seed;
  for (let i = order.length - 1; i > 0; i--) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & MASK;
    const j = Number(state % BigInt(i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The settings of a run. */
export type Settings = Record<"initMin" | "min" | "witnesses" | "steps" | "extra" | "warmup" | "train" | "witness" | "cooldown" | "epoch", number>; // prettier-ignore
/** What happens at a time. */
export interface Happening {
  now: number;
  pending: number[];
  dropped: number[];
  arrived: number;
  command: number;
}

/** coordinator.rs: the part of it that decides about states. */
export class Coordinator {
  run = 1;
  since = 0;
  step = 0;
  last = 0;
  begun = 0;
  pausing = 0;
  witnesses = 0;
  clients: number[];
  gone: number[];
  private readonly settings: Settings;

  constructor(settings: Settings, clients: number) {
    this.settings = settings;
    this.clients = Array<number>(clients).fill(0);
    this.gone = Array<number>(clients).fill(0);
  }

  tick({ now, pending, dropped, arrived, command }: Happening): void {
    const { settings } = this;
    for (const [i, is] of dropped.entries()) if (is && this.clients[i]) this.gone[i] = 1;
    if (command === 1) this.pause(now);
    if (command === 2 && this.run === 7) this.waitForMembers(now);
    this.witnesses += arrived;
    const isEnough = this.witnesses >= settings.witnesses;
    if (this.run === 1) {
      if (sum(pending) < settings.initMin || !this.isOver(now, settings.extra)) return;
      this.clients = [...pending];
      this.gone = pending.map(() => 0);
      this.last = 0;
      this.begun = now;
      this.change(now, 2);
    } else if (this.run === 2) {
      if (isEnough || this.isOver(now, settings.warmup)) this.beginRound(now);
      else this.move();
      if (sum(this.clients) < settings.min) this.waitForMembers(now);
    } else if (this.run === 3) {
      if (isEnough || this.isOver(now, settings.train)) this.change(now, 4);
    } else if (this.run === 4) this.endRound(now);
    else if (this.run === 5 && this.isOver(now, settings.cooldown)) {
      this.move();
      if (this.pausing) {
        this.gone = [...this.clients];
        this.change(now, 7);
        this.pausing = 0;
      } else this.waitForMembers(now);
    }
  }

  private endRound(now: number): void {
    const { settings } = this;
    if (!this.isOver(now, settings.witness)) return;
    this.step++;
    const came = this.witnesses;
    this.move();
    if (came === 0) {
      this.gone = [...this.clients];
      return this.coolDown(now);
    }
    const isLate = this.begun !== now && now >= this.begun + settings.epoch;
    if (isLate && this.last === 0 && this.step + 2 >= 4) this.last = this.step + 2;
    if (this.last !== 0 && this.step === this.last) return this.coolDown(now);
    const quorum = [1, 1, 2, 2][settings.witnesses] ?? Math.floor((settings.witnesses * 2) / 3);
    if (sum(this.clients) < settings.min || came < quorum || this.step >= settings.steps || this.pausing) return this.coolDown(now); // prettier-ignore
    this.beginRound(now);
  }

  private pause(now: number): void {
    if ([0, 6, 7].includes(this.run)) return;
    if ([1, 2].includes(this.run)) this.change(now, 7);
    else this.pausing = 1;
  }
  private beginRound(now: number): void {
    this.witnesses = 0;
    this.change(now, 3);
  }
  private coolDown(now: number): void {
    this.witnesses = 0;
    this.change(now, 5);
  }
  private waitForMembers(now: number): void {
    this.change(now, this.step < this.settings.steps ? 1 : 6);
  }
  private change(now: number, run: number): void {
    this.since = now;
    this.run = run;
  }
  private move(): void {
    this.clients = this.clients.map((is, i) => (this.gone[i] ? 0 : is));
    this.gone = this.gone.map(() => 0);
  }
  private isOver(now: number, seconds: number): boolean {
    return this.since !== now && now >= this.since + seconds;
  }
}

const sum = (mask: readonly number[]): number => mask.reduce((a, b) => a + b, 0);
