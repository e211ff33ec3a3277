/** Which card a process uses. */

/** Names the card of a process, by its number among those that the driver shows; default: the first. */
export const CARD_VARIABLE = "VERDE_CUDA_DEVICE";
