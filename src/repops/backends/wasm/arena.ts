/** The tensors of a schedule in one stretch of memory, which WebAssembly bounds. */
import { byteLength } from "../../../encoding/tensor.ts";
import { BackendError } from "../../../errors/index.ts";
import { typeOf } from "../../kernels/kernel.ts";
import { allocate, Stretch } from "../../schedule/memory.ts";
import type { Schedule } from "../../schedule/schedule.ts";

const ALIGNMENT = 64;

/** Bytes from the start of the arena, and how large it gets. */
export interface Layout {
  offsets: readonly number[];
  bytes: number;
}

/**
 * @param schedule of which every output is in memory
 * @param room the bytes that may be used
 * @throws {BackendError} saying how much is needed, and for what most
 */
export function layOut(schedule: Schedule, room: number): Layout {
  const arena = new Stretch(ALIGNMENT);
  const bytesOf = (tensor: number): number => byteLength(typeOf(schedule.list, tensor));
  const places = allocate(schedule, bytesOf, arena);
  if (arena.bytes > room) {
    const lasting = schedule.lasting.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
    throw new BackendError(
      "MEMORY",
      `the wasm backend has ${megabytes(room)}, and this graph needs ${megabytes(arena.bytes)}: ` +
        `${megabytes(lasting)} for inputs and state, the rest for what lies between; take a smaller batch or model`,
      { expected: arena.bytes, found: room, lasting },
    );
  }
  return { offsets: places.map((place) => place!), bytes: arena.bytes };
}
