/** Progress where stderr is no terminal: lines with a pause between them, also while the command computes. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../fixtures/folder.ts";
import { verdeIn } from "../fixtures/verde.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const at = temporaryFolder();
const verde = verdeIn(at("."));

describe("progress without a terminal", () => {
  it("is a line now and then, for people and for programs", async () => {
    for (const json of [[], ["--json"]]) {
      const { code, stderr } = await verde(["run", JOB, "--steps", "3000", "--progress", "0.1", ...json]);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^verde: step \d+\/3000 · loss \d\.\d{3} · [\d,]+ samples\/s · .* left( · .*)?$/m);
      for (const line of stderr.trim().split("\n")) expect(line).toMatch(/^verde: \S/);
    }
  });

  it("tells what takes long, even if nothing else happens in the process", async () => {
    // While it compiles, the process is busy, and nothing else happens in it.
    const lines = [
      'import { wasm } from "@verde-ml/verde/repops";',
      "const busy = { ...wasm, name: 'busy', prepare: (...all) => {",
      "  for (const end = performance.now() + 1500; performance.now() < end; );",
      "  return wasm.prepare(...all);",
      "} };",
      "export default busy;",
    ];
    writeFileSync(at("busy.ts"), lines.join("\n"));
    const { code, stderr } = await verde(["run", JOB, "--backend", "busy.ts", "--progress", "0.2"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^verde: compiling \d+ operators \(for \d+ s\)$/m);
  });

  it("can be turned off, and is silent in the first seconds", async () => {
    for (const options of [["--progress", "off"], []])
      expect(await verde(["run", JOB, ...options])).toMatchObject({ code: 0, stderr: "" });
  });
});
