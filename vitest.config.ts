import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** The package's own name stands for the sources here, so that tests need no build. */
const SOURCES = "verde-source";
/** As Node resolves packages: it does not know "module", and some packages have files there that only bundlers load. */
const NODE_CONDITIONS = defaultServerConditions.filter((name) => name !== "module");

export default defineConfig({
  resolve: { conditions: [SOURCES, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [SOURCES, ...NODE_CONDITIONS], externalConditions: [SOURCES] } },
  test: {
    include: ["test/**/*.test.ts"],
    // On two busy cores a device in software takes minutes.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    maxWorkers: 2,
    // Tests must not see the certificates and keys that this machine has for its own jobs.
    env: {
      VERDE_CACHE: join(tmpdir(), `verde-tests-${process.pid}`),
      VERDE_STATE: join(tmpdir(), `verde-tests-${process.pid}-state`),
      // On a busy machine a command may take so long that it would say what it does.
      VERDE_PROGRESS: "off",
    },
    sequence: { shuffle: false },
  },
});
