/** Whether a backend's reports are correct, as a program of its own: `node test/gpu/reports.ts NAME`. */
import { backendByName } from "../../src/repops/backends/index.ts";
import { prepareWebGpu } from "../../src/repops/backends/webgpu/session.ts";
import { checkNotes } from "../repops/notes.ts";
import { checkReports } from "../repops/reports.ts";

const [name] = process.argv.slice(2);
let checked = 0;
if (name === "webgpu")
  for (const hashing of ["device", "host"] as const) {
    await checkReports({ name, prepare: (list, { keep }) => prepareWebGpu(list, keep, { hashing }) });
    checked++;
  }
await checkReports(backendByName(name));
await checkNotes(backendByName(name));
console.log(JSON.stringify({ checked: checked + 1 }));
process.exit();
