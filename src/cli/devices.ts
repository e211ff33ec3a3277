/** `--devices`: which CUDA cards of this machine a run uses. */
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { CARD_VARIABLE } from "../repops/backends/cuda/card.ts";

export interface DeviceFlags {
  devices?: string;
  workers?: string;
  backend?: string;
}

/**
 * The cards of a run. This process takes the first one for itself.
 * @returns none where the run names none
 * @throws {UsageError} for what is no list of cards, and for a run that has no use for one
 * @throws {BackendError} when there is no driver, or no card
 */
export async function takeCards({ devices, workers, backend }: DeviceFlags): Promise<number[]> {
  if (devices === undefined) return [];
  if (backend !== "cuda")
    throw new UsageError("CONFLICT", "--devices names CUDA cards: write --backend cuda with it, or leave it out");
  if (workers !== undefined)
    throw new UsageError(
      "CONFLICT",
      `--devices starts a worker on each card: give --workers or --devices; workers elsewhere take ${CARD_VARIABLE}`,
    );
  const { countCards } = await import("../repops/backends/cuda/open.ts");
  const cards = cardsOf(devices, await countCards());
  process.env[CARD_VARIABLE] = `${cards[0]}`;
  return cards;
}

/** @param count of the cards that the driver shows */
export function cardsOf(list: string, count: number): number[] {
  if (list === "all") return Array.from({ length: count }, (_, card) => card);
  const cards = list.split(",").map((part) => (/^\s*\d{1,4}\s*$/.test(part) ? Number(part) : Number.NaN));
  const wrong = cards.find((card, i) => !(card < count) || cards.indexOf(card) < i);
  if (wrong === undefined) return cards;
  const problem = Number.isNaN(wrong)
    ? "is no list of cards"
    : wrong < count
      ? `names card ${wrong} twice`
      : `names card ${wrong}, and the NVIDIA driver shows ${count}`;
  const last = count - 1;
  throw new UsageError("VALUE", `--devices ${quote(list)} ${problem}; write all, or numbers from 0 to ${last} with commas between them`, { expected: count, found: list }); // prettier-ignore
}
