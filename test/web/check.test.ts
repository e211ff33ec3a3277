/** A check as the page's worker makes it: what it says on the way, and whom it blames. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { checkTrace } from "../../src/web/page/check.ts";
import { factsOf } from "../../src/web/page/facts.ts";
import type { Outcome, Report } from "../../src/web/page/protocol.ts";
import { openTrace, parseFault, run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const GRADIENT = 6;
const job = regression({ steps: 8 });

/** A device whose states are wrong from a step on. */
function bent(from: number): Backend {
  let asked = 0;
  return {
    name: "bent",
    describe: async () => ({ name: "a bent device", software: true, driver: {}, limits: {} }),
    prepare: async (list, options) => {
      const session = await wasm.prepare(list, options);
      return {
        write: (input, tensor) => session.write(input, tensor),
        read: (tensor) => session.read(tensor),
        move: (pairs) => session.move(pairs),
        execute: (wanted) => session.execute(wanted),
        close: () => session.close(),
        roots: async (tensors) => {
          const roots = await session.roots(tensors);
          if (asked++ >= from) roots[0][0] ^= 1;
          return roots;
        },
      };
    },
  };
}

async function check(name: string, backend: Backend): Promise<{ outcome: Outcome; said: string[] }> {
  const said: string[] = [];
  const say = (report: Report): void =>
    void said.push(report.kind === "step" ? `${report.line.step} ${report.line.agrees}` : JSON.stringify(report));
  const outcome = await checkTrace(await openTrace(path(name)), { backend, from: 0, to: 8 }, say);
  return { outcome, said: said.filter((line) => /^\d/.test(line)) };
}

beforeAll(async () => {
  await run(job, { detail: "operators", out: path("honest.trace") });
  await run(job, {
    detail: "operators",
    fault: parseFault(`flip:step=5,operator=${GRADIENT},element=0,bit=20`),
    out: path("flip.trace"),
  });
  await run(job, { detail: "operators", fault: parseFault("skip:step=6"), out: path("skip.trace") });
});

describe("a check", () => {
  test("says every step, and that all is right", async () => {
    const { outcome, said } = await check("honest.trace", wasm);
    expect(outcome).toMatchObject({ from: 0, to: 8, last: 8, compared: 9, device: "WebAssembly" });
    expect(outcome.mismatch).toBeUndefined();
    expect(said).toEqual(Array.from({ length: 9 }, (_, step) => `${step} true`));
  });

  test("blames the trace, and names the operator", async () => {
    const { outcome, said } = await check("flip.trace", wasm);
    expect(outcome.mismatch).toMatchObject({ step: 5, operator: { step: 5, kernel: GRADIENT, label: "gradient" } });
    expect(said.at(-1)).toBe("5 false");
    expect((await check("skip.trace", wasm)).outcome.mismatch).toMatchObject({ step: 6, operatorsAgree: true });
  });

  test("blames the device where WASM agrees with the trace", async () => {
    const { outcome } = await check("honest.trace", bent(3));
    expect(outcome.device).toBe("WebGPU (a bent device)");
    expect(outcome.mismatch).toMatchObject({ step: 3, deviceDiffers: true });
    expect(outcome.mismatch?.operator).toBeUndefined();
  });

  test("blames the trace where WASM does not agree with it either", async () => {
    const { outcome } = await check("flip.trace", bent(5));
    expect(outcome.mismatch).toMatchObject({ step: 5, operator: { kernel: GRADIENT } });
    expect(outcome.mismatch?.deviceDiffers).toBeUndefined();
  });
});

describe("the facts of a trace", () => {
  test("say what it is, and what it lacks", async () => {
    const trace = await openTrace(path("flip.trace"));
    expect(await factsOf(trace)).toMatchObject({
      job: "regression",
      steps: 8,
      recorded: 8,
      parameters: 3,
      detail: "operators",
      committed: 9,
      losses: Array.from({ length: 8 }, (_, i) => ({ step: i + 1, loss: expect.any(Number) })),
      fault: `flip:step=5,operator=${GRADIENT},element=0,bit=20`,
      checkpoints: Array.from({ length: 9 }, (_, step) => step),
    });
    const source = { ...trace.source, names: async () => ["step-00000000.safetensors"] };
    const bare = Object.create(trace, { source: { value: source } });
    expect((await factsOf(bare)).missing).toMatch(/flip\.data\/dataset\.safetensors$/);
  });
});
