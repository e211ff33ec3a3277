import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // Certificates that this machine has for its own jobs are no matter of the tests.
    env: { VERDE_CACHE: join(tmpdir(), `verde-tests-${process.pid}`) },
    sequence: { shuffle: false },
  },
});
