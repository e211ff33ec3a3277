/** Notes that stand on boards for as long as their author is there. */
import type { Body, Board } from "./messages.ts";
import type { Notes } from "./notes.ts";

/** Milliseconds until a note is posted again: a hub that was started anew has lost it. */
const AGAIN_MILLIS = 15_000;

export class KeptNotes {
  private readonly kept = new Map<string, { readonly text: string; readonly until: number }>();

  /** Posts a note, unless the same one was posted a short while ago. */
  async post<B extends Board>(
    notes: Notes,
    board: B,
    topic: string | undefined,
    body: Body<B>,
    seconds: number,
  ): Promise<void> {
    const [place, text] = [placeOf(board, topic), JSON.stringify(body)];
    const known = this.kept.get(place);
    if (known && known.text === text && performance.now() < known.until) return;
    await notes.post(board, topic, body, seconds);
    this.kept.set(place, { text, until: performance.now() + AGAIN_MILLIS });
  }

  /** The note need not stand any longer. */
  forget(board: Board, topic: string | undefined): void {
    this.kept.delete(placeOf(board, topic));
  }
}

const placeOf = (board: Board, topic: string | undefined): string => `${board} ${topic ?? ""}`;
