/**
 * A process that gets the demo's job ready on a backend, and prints in how many seconds: `node
 * bench/peers/start.ts BACKEND`
 */
import { openBackend } from "../../src/certify/open-backend.ts";
import { JOB } from "../../src/cli/demo/job.ts";
import { BackendError } from "../../src/errors/index.ts";
import { loadJob } from "../../src/job/load.ts";
import { Execution } from "../../src/trace/execution.ts";

const job = await loadJob(JOB);
const began = performance.now();
const { backend } = await openBackend(process.argv[2]).catch((error: unknown) => {
  if (!(error instanceof BackendError)) throw error;
  // The machine lacks what it needs.
  console.error(error.message);
  process.exit(2);
});
const execution = await Execution.open(job, backend);
await execution.initialise();
const seconds = (performance.now() - began) / 1000;
await execution.close();
console.log(JSON.stringify({ seconds }));
process.exit();
