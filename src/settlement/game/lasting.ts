/** Whether something that a chain shows will last: several looks, and enough blocks, have shown it. */

/** Something that looks in a row have shown. */
export class Lasting {
  looks = 0;
  private first = 0n;

  /** @returns whether `confirmations` blocks show it, with the one that showed it first */
  lasts(head: bigint, confirmations: number): boolean {
    if (this.looks++ === 0 || head < this.first) this.first = head;
    return head - this.first >= BigInt(confirmations - 1);
  }

  reset(): void {
    this.looks = 0;
  }
}
