/** Handwritten digits of 8 by 8 pixels, as the examples train on them. */
import { readFileSync } from "node:fs";
import { intTensor, tensor } from "@verde-ml/verde/job";

/** Every so many examples, one is for validation. */
const VALIDATION = 5;

/**
 * Images f32 [rows, 1, 8, 8] with pixels from -1 to 1, and labels i32 [rows]: 1,437 for training, and 360 for
 * validation.
 */
export function digits() {
  const text = readFileSync(new URL("data/digits.txt", import.meta.url), "utf8");
  const rows = text.split("\n").filter((line) => /^[0-9a-g]{64} \d$/.test(line));
  const take = (isTaken: (row: number) => boolean) => {
    const taken = rows.filter((_, row) => isTaken(row));
    const pixels = taken.flatMap((line) => Array.from(line.slice(0, 64), (pixel) => parseInt(pixel, 17) / 8 - 1));
    return {
      images: tensor([taken.length, 1, 8, 8], pixels),
      labels: intTensor(
        [taken.length],
        taken.map((line) => Number(line.at(-1))),
      ),
    };
  };
  const [training, validation] = [take((row) => row % VALIDATION > 0), take((row) => row % VALIDATION === 0)];
  return { ...training, testImages: validation.images, testLabels: validation.labels };
}
