/**
 * What `verde doctor` looks at in backends: whether each can be opened here, and has the bits of the
 * specification.
 */
import { memoryStore } from "../../certify/store.ts";
import { openBackend } from "../../certify/open-backend.ts";
import { BackendError, DeviceError, messageOf } from "../../errors/index.ts";
import { BACKENDS, DEFAULT } from "../../repops/backends/index.ts";
import { native, tileHere } from "../../repops/backends/native/backend.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** @param onBegin is called before a backend is opened, which may take seconds */
export async function* backendChecks(onBegin: (name: string) => void): AsyncGenerator<Check> {
  const devices = new Map<string, { name: string; software: boolean }>();
  for (const backend of Object.keys(BACKENDS)) {
    onBegin(backend);
    const name = `backend ${backend}`;
    try {
      // What is kept may be old. It is tested now, and nothing is written.
      const { device } = await openBackend(backend, { say: () => {}, store: memoryStore() });
      // Native code runs on the processor.
      if (device && backend !== native.name) devices.set(backend, device);
      const on = device ? ` on ${device.name}${device.software ? " (a software device)" : ""}` : "";
      const tile = backend === native.name ? await tileHere() : undefined;
      yield ok(
        name,
        `${device ? "certified" : "works"}${on}${tile ? `; products in tiles of ${tile.tile}, ${tile.why}` : ""}`,
      );
    } catch (error) {
      // Without the default backend nothing runs. All others are a choice.
      const make = backend === DEFAULT.name ? fail : warn;
      yield make(name, messageOf(error), remedyFor(error));
    }
  }
  const gpu = [...devices.values()].find(({ software }) => !software);
  yield gpu
    ? ok("GPU", gpu.name)
    : warn(
        "GPU",
        "none that a backend can use",
        "Install its driver (docs/gpu.md), or run on the processor: --backend wasm.",
      );
}

function remedyFor(error: unknown): string {
  if (error instanceof DeviceError)
    return "Do not use it here; `verde certify` with this --backend shows all differences.";
  if (error instanceof BackendError) return "Do what the message says (docs/gpu.md), or use --backend wasm.";
  return "Install Verde and its packages again.";
}
