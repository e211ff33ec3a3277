import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** The package's own name stands for the sources here, so that tests need no build. */
const SOURCES = "verde-source";
/** As Node resolves packages: it does not know "module", and some packages have files there that only bundlers load. */
const NODE_CONDITIONS = defaultServerConditions.filter((name) => name !== "module");

/**
 * Tests in these folders leave nothing behind in their process, so several files share one, and the engine is
 * loaded once for them. Loading takes a third of the time of a short file. Backends are not among them: devices,
 * compiled objects and certificates that have passed belong to a process.
 */
const SHARED = ["audit", "blobs", "claims", "encoding", "errors", "files", "formats", "game", "graph", "job", "property", "repops", "rounds", "trace"]; // prettier-ignore
const BACKENDS = ["test/repops/backends/**/*.test.ts"];

export default defineConfig({
  resolve: { conditions: [SOURCES, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [SOURCES, ...NODE_CONDITIONS], externalConditions: [SOURCES] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: SHARED.map((folder) => `test/${folder}/**/*.test.ts`),
          exclude: BACKENDS,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ["test/*.test.ts", `test/!(${SHARED.join("|")})/**/*.test.ts`, ...BACKENDS],
        },
      },
    ],
    // On two busy cores a device in software takes minutes.
    testTimeout: 480_000,
    hookTimeout: 480_000,
    // Each needs up to 2 GB, and the tests of the contracts run beside them.
    maxWorkers: Math.max(2, Math.min(4, availableParallelism())),
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
