/** Places the tensors of a schedule in one stretch of memory of a limited size. */
import { byteLength } from "../../encoding/tensor.ts";
import { BackendError } from "../../errors/index.ts";
import { typeOf } from "../kernels/kernel.ts";
import { allocate, Stretch } from "./memory.ts";
import type { Schedule } from "./schedule.ts";

const ALIGNMENT = 64;
const LARGE = 2 ** 15;

/** The offset of each tensor in the arena, in bytes, and the size of the arena. */
export interface Layout {
  offsets: readonly number[];
  bytes: number;
}

/**
 * @param schedule a schedule whose outputs are all in memory
 * @param room the available memory, in bytes
 * @param backend the name of the backend, for the message
 * @param stagger bytes between large tensors, default 0
 * @param elsewhere tensors that need no room here, default none
 * @throws {BackendError} when the memory is not enough; the message says how much is needed and what needs
 * most
 */
export function layOut(
  schedule: Schedule,
  room: number,
  backend: string,
  stagger = 0,
  elsewhere: readonly number[] = [],
): Layout {
  const arena = new Stretch(ALIGNMENT);
  const bytesOf = (tensor: number): number =>
    elsewhere.includes(tensor) ? 0 : byteLength(typeOf(schedule.list, tensor));
  const apart = (tensor: number): number => bytesOf(tensor) + (bytesOf(tensor) < LARGE ? 0 : stagger);
  const places = allocate(schedule, apart, arena);
  if (arena.bytes > room) {
    const lasting = schedule.lasting.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
    throw new BackendError(
      "MEMORY",
      `the ${backend} backend has ${megabytes(room)}, but this graph needs ${megabytes(arena.bytes)}: ` +
        `${megabytes(lasting)} for inputs and state, the rest for intermediate results; take a smaller batch or model`,
      { expected: arena.bytes, found: room, lasting },
    );
  }
  return { offsets: places.map((place) => place!), bytes: arena.bytes };
}
