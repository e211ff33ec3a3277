/** A big-endian machine would hash other bytes (spec 6.1), so nothing starts there. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkByteOrder } from "../../src/encoding/byte-order.ts";

test("the order of this machine is accepted, and the other one is refused", () => {
  checkByteOrder();
  expect(() => checkByteOrder(0)).toThrow(expect.objectContaining({ code: "VERDE_BACKEND_BYTE_ORDER" }));
});

/** Makes a process see the number 1 as a big-endian machine has it. */
const BIG_ENDIAN = `data:text/javascript,${encodeURIComponent(
  "Uint32Array.of = () => new Uint32Array(Uint8Array.from([0, 0, 0, 1]).buffer);",
)}`;

test.each(["encoding", "graph", "job", "trace", "referee", "formats"])(
  "the library's %s does not load there",
  (folder) => {
    const entry = new URL(`../../src/${folder}/index.ts`, import.meta.url).href;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", BIG_ENDIAN, "--input-type=module", "-e", `import ${JSON.stringify(entry)}`],
      {
        encoding: "utf8",
      },
    );
    expect(stderr).toContain("use a little-endian machine");
    expect(status).not.toBe(0);
  },
);

test("the command says so, and exits as for a failure", () => {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--import", BIG_ENDIAN, main, "--version"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
  expect(stderr).toContain("use a little-endian machine");
});
