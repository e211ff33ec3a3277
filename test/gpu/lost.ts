/**
 * A run whose device is lost in the middle, and the same run resumed, as a program of its own:
 *
 *     node test/gpu/lost.ts FOLDER
 *
 * Prints what the run said and both roots: the root of the resumed run, and the root from WASM.
 */
import { join } from "node:path";
import { toHex } from "../../src/encoding/bytes.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { webgpu } from "../../src/repops/backends/webgpu/backend.ts";
import { openDevice } from "../../src/repops/backends/webgpu/device.ts";
import { run } from "../../src/trace/index.ts";
import line from "../fixtures/line.ts";

const out = join(process.argv[2], "lost.trace");
const { device } = await openDevice();
let seen = 0;
const failure = await run(await line.close(), {
  out,
  backend: webgpu,
  onStep: ({ step }) => {
    seen = step;
    if (step === 3) device.destroy();
  },
}).catch((error: unknown) => error);
const { runRoot } = await run(await line.close(), { out, backend: webgpu, resume: true });
const expected = await run(await line.close(), { backend: wasm });
console.log(
  JSON.stringify({
    code: failure instanceof VerdeError ? failure.code : String(failure),
    message: failure instanceof Error ? failure.message : "",
    seen,
    runRoot: toHex(runRoot),
    expected: toHex(expected.runRoot),
  }),
);
