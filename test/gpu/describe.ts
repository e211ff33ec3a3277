/** Prints the adapter of this process as JSON, `{ "adapter": … }`, or why there is none, `{ "none": … }`. */
import { BackendError } from "../../src/errors/index.ts";
import { openDevice } from "../../src/repops/backends/webgpu/device.ts";

try {
  const { adapter, device } = await openDevice();
  console.log(JSON.stringify({ adapter: adapter.info.description }));
  device.destroy();
} catch (error) {
  // An adapter without a device is a failure, not an absence.
  if (!(error instanceof BackendError) || !/no adapter/.test(error.message)) throw error;
  console.log(JSON.stringify({ none: error.message }));
}
process.exit();
