/** What is measured on a lent device ends in time, whatever the device does: here a stand-in, which is slow. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { standIn } from "../cuda/stand-in.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment } from "../fixtures/verde.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const at = temporaryFolder();
const device = standIn();

// The certificate and the steps take the interpreter minutes.
test.skipIf(!device)(
  "a slow card is stopped after its minutes, and the results say so",
  async () => {
    const args = ["--disable-warning=ExperimentalWarning", path("../../bench/device.ts"), "--backend", "cuda"];
    const env = {
      ...cliEnvironment(at(".")),
      NODE_OPTIONS: `--import=${path("../cuda/preload.ts")}`,
      VERDE_LIBCUDA: device!.library,
      VERDE_CACHE: at("cache"),
    };
    const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
      execFile(process.execPath, [...args, "--out", at("results"), "--minutes", "0.1"], { env }, (error, out) =>
        resolve({ code: error?.code ?? 0, stdout: out }),
      );
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ equal: false });
    const results = JSON.parse(readFileSync(at("results/results.json"), "utf8")) as Record<string, { error?: string }>;
    const late = "stopped: the time was over";
    expect(results).toMatchObject({
      device: "Stand-in for a GPU",
      backend: "cuda",
      steps: { steps: 200 },
      error: late,
    });
    // On a fast machine the certificate may end in time.
    expect(results.certificate.error ?? late).toBe(late);
    expect(results.steps.error).toBe(late);
  },
  600_000,
);
