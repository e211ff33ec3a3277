/** How many requests each address may send: a bucket that fills up again with time. */

/** The most addresses that are remembered. */
const MOST_ADDRESSES = 10_000;

export class RateLimit {
  private readonly perMinute: number;
  private readonly now: () => number;
  private readonly buckets = new Map<string, { left: number; at: number }>();

  /** @param now milliseconds; only tests give another clock */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.perMinute = perMinute;
    this.now = now;
  }

  /** Whether one more request of an address is allowed. It counts if it is. */
  take(address: string): boolean {
    const now = this.now();
    const known = this.buckets.get(address);
    const refill = known ? ((now - known.at) * this.perMinute) / 60_000 : 0;
    const left = known ? Math.min(known.left + refill, this.perMinute) : this.perMinute;
    // The one that was seen longest ago is forgotten first. Its bucket has filled up most.
    this.buckets.delete(address);
    if (this.buckets.size >= MOST_ADDRESSES) this.buckets.delete(this.buckets.keys().next().value!);
    const isAllowed = left >= 1;
    this.buckets.set(address, { left: isAllowed ? left - 1 : left, at: now });
    return isAllowed;
  }
}
