import { expect, test } from "vitest";
import type { Tensor } from "../../../src/encoding/tensor.ts";
import type { Backend, ExecuteOptions, ExecuteReport, Session } from "../../../src/repops/backends/backend.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm, wasmAlways } from "../../../src/repops/backends/wasm/backend.ts";
import { checkNotes } from "../notes.ts";
import { checkReports } from "../reports.ts";

test.each([reference, wasm, wasmAlways])("$name reports roots and outputs of any kernels, as data", (backend) =>
  checkReports(backend),
);

/** WASM with another `execute`. */
const bent = (execute: (session: Session, options: ExecuteOptions) => Promise<ExecuteReport>): Backend => ({
  name: "bent",
  prepare: async (list, options) => {
    const session = await wasm.prepare(list, options);
    const own: Partial<Session> = { execute: (wanted = {}) => execute(session, wanted) };
    return Object.assign(Object.create(session) as Session, own);
  },
});

test("the check sees roots of other kernels' outputs", () => {
  const late = bent(async (session, options) => {
    const report = await session.execute(options);
    const roots = [...report.roots.values()];
    return { ...report, roots: new Map([...report.roots.keys()].map((kernel, i) => [kernel, roots.at(i - 1)!])) };
  });
  return expect(checkReports(late)).rejects.toThrow("of when the kernel had run");
});

test("the check sees tensors that are no copies", () => {
  const shared = new Map<number, Tensor>();
  const views = bent(async (session, options) => {
    const report = await session.execute(options);
    for (const [kernel, tensor] of report.captured) if (!shared.has(kernel)) shared.set(kernel, tensor);
    return { ...report, captured: new Map([...report.captured.keys()].map((kernel) => [kernel, shared.get(kernel)!])) };
  });
  return expect(checkReports(views)).rejects.toThrow("the next report is the same");
});

test("the check sees values that are no data", () => {
  const live = bent(async (session, options) => ({ ...(await session.execute(options)), again: () => undefined }));
  return expect(checkReports(live)).rejects.toThrow("could not be cloned");
});

test("the check sees that kernels which do not exist are skipped", () => {
  const lenient = bent((session, { rootsOf = [], capture }) =>
    session.execute({
      ...(capture && { capture }),
      rootsOf: rootsOf === "all" ? "all" : rootsOf.filter((k) => k < 14),
    }),
  );
  return expect(checkReports(lenient)).rejects.toThrow("Missing expected rejection");
});

test.each([reference, wasm, wasmAlways])("$name notes saturations and operands outside of a domain", (backend) =>
  checkNotes(backend),
);
