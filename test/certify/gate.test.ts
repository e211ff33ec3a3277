/** `run` and `certify` agree: what the full form refuses is refused before the next job, and the short form has every kind. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { certificateOf, parseCertificate, specificationProblems } from "../../src/certify/certificate.ts";
import { type CaseResult, certify } from "../../src/certify/certify.ts";
import { ensureCertified } from "../../src/certify/gate.ts";
import { keepCertificate } from "../../src/certify/kept.ts";
import { openBackend } from "../../src/certify/open-backend.ts";
import { memoryStore } from "../../src/certify/store.ts";
import { conformanceCases } from "../../src/certify/vectors/all.ts";
import { everyCase } from "../../src/certify/vectors/operators.ts";
import { casesNamed, SHORT_FORM } from "../../src/certify/vectors/short.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import type { ConformanceCase } from "../../src/repops/conformance/case.ts";
import { DOT_STEP, operandsOf, SUM_STEP } from "../../src/repops/kernels/kernel.ts";
import { programKey } from "../../src/repops/programs/program.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const path = temporaryFolder();
const quiet = (): void => {};
const everything = everyCase();
const vectors = everything.flatMap((one) => one.outputs.map(({ name, tensor }) => ({ name, tensor, one })));

/** WASM, but for one bit of one vector's output. */
class Planted implements Backend {
  readonly name = "planted";
  prepared = 0;
  private readonly list: string;
  private readonly tensor: number;
  constructor({ one, tensor }: { one: ConformanceCase; tensor: number }) {
    this.list = JSON.stringify(one.list);
    this.tensor = tensor;
  }
  async prepare(...[list, options]: Parameters<Backend["prepare"]>) {
    this.prepared++;
    const session = await wasm.prepare(list, options);
    if (JSON.stringify(list) !== this.list) return session;
    const read = session.read.bind(session);
    session.read = async (tensor) => {
      const output = await read(tensor);
      if (tensor === this.tensor) new Uint32Array(output.data.buffer, output.data.byteOffset)[0] ^= 1;
      return output;
    };
    return session;
  }
}

describe("a full certificate that says no", () => {
  let sound: CaseResult[];
  beforeAll(async () => void (sound = await certify(wasm, everything)));

  /** What `verde certify` keeps of a planted backend; only the one case is executed on it. */
  async function certified(backend: Planted, one: ConformanceCase, isOwn: boolean) {
    const store = memoryStore();
    const own = new Map((await certify(backend, [one])).map((result) => [result.name, result]));
    const results = sound.map((result) => own.get(result.name) ?? result);
    await keepCertificate(certificateOf(backend, "full", undefined, results, []), backend, isOwn, store);
    return { store, wrong: results.filter(({ conforms }) => !conforms).map(({ name }) => name) };
  }

  test("makes the next job refuse, whichever vector it is about, and names it", async () => {
    expect(vectors.length).toBe(sound.length);
    expect(new Set(everything.map(({ list }) => JSON.stringify(list))).size).toBe(everything.length);
    // A part in the gate, all with VERDE_SWEEP=1.
    const some = vectors.filter((_, i) => process.env.VERDE_SWEEP !== undefined || i % 3 === 0);
    for (const vector of some) {
      const backend = new Planted(vector);
      const { store, wrong } = await certified(backend, vector.one, true);
      // Several outputs of one graph may be one tensor.
      const same = vector.one.outputs.filter(({ tensor }) => tensor === vector.tensor).map(({ name }) => name);
      expect(wrong).toEqual(same);
      const before = backend.prepared;
      await expect(ensureCertified(backend, { say: quiet, store, own: true }), vector.name).rejects.toMatchObject({
        code: "VERDE_DEVICE_BITS",
        message: expect.stringContaining(`${same[0]}: element 0 is `),
        evidence: { operator: same[0], element: 0 },
      });
      expect(backend.prepared).toBe(before);
    }
  });

  test("makes code from elsewhere face what it failed on, until that is mended", async () => {
    for (const name of ["operator softmax", "function silu", "fold dot: A·B"]) {
      const vector = vectors.find((other) => other.name === name)!;
      const backend = new Planted(vector);
      const { store } = await certified(backend, vector.one, false);
      for (let time = 0; time < 2; time++)
        await expect(ensureCertified(backend, { say: quiet, store }), name).rejects.toMatchObject({
          evidence: { operator: name },
        });
      const mended: Backend = { name: backend.name, prepare: wasm.prepare };
      await ensureCertified(mended, { say: quiet, store });
      await ensureCertified({ ...mended }, { say: quiet, store });
    }
  });

  test("of foreign code never counts for a backend of Verde's own, whatever its name", async () => {
    const store = memoryStore();
    const impostor = new Planted(vectors.find(({ name }) => name === "instruction fadd")!);
    Object.assign(impostor, { name: "wasm" });
    await expect(openBackend(impostor, { say: quiet, store })).rejects.toMatchObject({ code: "VERDE_DEVICE_BITS" });
    expect((await openBackend("wasm", { say: quiet, store })).backend).toBe(wasm);
    // Nor does a caller decide what is Verde's own.
    const claims = { say: quiet, store, own: true };
    await expect(openBackend(impostor, claims)).rejects.toMatchObject({ code: "VERDE_DEVICE_BITS" });
  });

  test("is for the code that passed: another one in the same object runs the vectors again", async () => {
    const backend: { name: string; prepare: Backend["prepare"] } = { name: "changing", prepare: wasm.prepare };
    await openBackend(backend, { say: quiet, store: memoryStore() });
    const other = new Planted(vectors.find(({ name }) => name === "instruction fadd")!);
    backend.prepare = (...args) => other.prepare(...args);
    await expect(openBackend(backend, { say: quiet, store: memoryStore() })).rejects.toMatchObject({
      code: "VERDE_DEVICE_BITS",
    });
  });

  test("is refused where there is no backend at all", async () => {
    for (const nothing of [{}, { name: "x" }, null, 5])
      await expect(openBackend(nothing as never)).rejects.toMatchObject({ code: "VERDE_USAGE_VALUE" });
  });

  test("that names no vector, or no difference, counts as none", async () => {
    const certificate = certificateOf(wasm, "short", undefined, [], []);
    expect(specificationProblems(certificate)).not.toEqual([]);
    const { differences: _, ...cut } = { ...certificate, conforms: false };
    expect(() => parseCertificate(JSON.stringify(cut), "it")).toThrow("it is no certificate");
  });

  test("holds for WASM and the reference too", async () => {
    const store = memoryStore();
    const results = sound.map((result, i) => (i === 3 ? { ...result, digest: "0x00", conforms: false } : result));
    for (const backend of [wasm, reference]) {
      await keepCertificate(certificateOf(backend, "full", undefined, results, []), backend, true, store);
      await expect(openBackend(backend.name, { say: quiet, store })).rejects.toThrow(
        /instruction fdiv: the digest differs/,
      );
      await keepCertificate(certificateOf(backend, "full", undefined, sound, []), backend, true, store);
      await openBackend(backend.name, { say: quiet, store });
    }
  });
});

describe("code from elsewhere", () => {
  test("is put to the short form once in a process, whatever is kept", async () => {
    const store = memoryStore();
    const said: string[] = [];
    const backend: Backend = { name: "mine", prepare: wasm.prepare };
    for (const one of [backend, backend, { ...backend }])
      await openBackend(one, { say: (line) => said.push(line), store });
    expect(said).toEqual(Array(2).fill(`certifying mine before its first job: ${SHORT_FORM.length} vectors`));
  });

  test("is refused by what the short form shows", async () => {
    for (const name of ["fold sum: 2^18 times one value", "gather from nothing"]) {
      const vector = vectors.find((other) => other.name === name)!;
      await expect(openBackend(new Planted(vector), { say: quiet, store: memoryStore() })).rejects.toMatchObject({
        evidence: { operator: name },
      });
    }
  });
});

/** What a backend has to tell apart to execute a kernel: its kind, how it reads, and how long its loop is. */
function kindsOf({ list: { kernels, inputs } }: ConformanceCase): string[] {
  const [kernel] = kernels;
  const kinds: string[] = [
    `${kernel.kind} of ${kernel.type.dtype}`,
    `${kernel.kind} of ${operandsOf(kernel).length} operands`,
  ];
  if (kernel.type.shape.length === 0) kinds.push(`${kernel.kind} of a scalar`);
  if (kernel.type.shape.length > 3) kinds.push(`${kernel.kind} of many axes`);
  if (operandsOf(kernel).some((tensor) => inputs[tensor].shape.includes(0))) kinds.push(`${kernel.kind} from nothing`);
  if (kernel.kind === "gather") return [...kinds, `gather of ${inputs[kernel.source].shape.length} axes`];
  if (kernel.kind === "fold") {
    const step = [DOT_STEP, SUM_STEP].find((known) => programKey(known) === programKey(kernel.program));
    const what = step === DOT_STEP ? "dot" : step === SUM_STEP ? "sum" : "other";
    const length = kernel.reduce.reduce((product, extent) => product * extent, 1);
    const size =
      length === 0 ? "nothing" : length === 1 ? "one" : length < 1000 ? "some" : length < 65536 ? "many" : "very many";
    kinds.push(
      `fold ${what} of ${size}`,
      `fold ${what} over ${kernel.reduce.length} axes`,
      `fold ${what} to ${kernel.type.dtype}`,
    );
    if (kernel.start !== 0) kinds.push("fold that starts elsewhere");
  }
  for (const arg of kernel.args) {
    kinds.push(`${kernel.kind} with ${arg.kind}`);
    if (arg.kind !== "operand") continue;
    const { view, clampRange } = arg;
    kinds.push(`${kernel.kind} with clampRange ${clampRange}`);
    const { strides, bounds } = view;
    if (bounds) kinds.push(`${kernel.kind} with bounds, fill ${view.fill ? "given" : "0"}`);
    if (bounds?.some(([from, to]) => from === to)) kinds.push("a view that reads nothing");
    if (strides.some((stride) => stride < 0)) kinds.push(`${kernel.kind} backwards`);
    if (strides.includes(0)) kinds.push(`${kernel.kind} broadcasting`);
  }
  return kinds;
}

describe("the short form", () => {
  test("has every kind of kernel and loop that the full form has", async () => {
    const all = new Set(conformanceCases().flatMap(kindsOf));
    const short = new Set((await casesNamed(SHORT_FORM)).flatMap(kindsOf));
    expect([...all].filter((kind) => !short.has(kind))).toEqual([]);
    expect(all.size).toBeGreaterThan(40);
  });
});

describe("on the command line", () => {
  const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const LINE = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
  const verde = (...args: string[]): Promise<{ code: number; stderr: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, NO_COLOR: "1", VERDE_CACHE: path("cli") };
      execFile(process.execPath, [MAIN, ...args], { env, maxBuffer: 2 ** 26 }, (error, _stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stderr }),
      );
    });
  const source = (wrong: boolean): string => `import { wasm } from "@verde-ml/verde/repops";
export default {
  name: "mine",
  prepare: async (list, options) => {
    const session = await wasm.prepare(list, options);
    if (list.kernels.length < 40) return session;
    const read = session.read.bind(session);
    session.read = async (tensor) => {
      const output = await read(tensor);
      ${wrong ? "output.data[0] += 1;" : ""}
      return output;
    };
    return session;
  },
};
`;

  test("run refuses what certify refused, and takes a module that certify took", async () => {
    mkdirSync(path("cli"));
    const file = path("mine.ts");
    const train = ["run", LINE, "--steps", "4", "--backend", file, "--out", path("mine.trace"), "--force"];
    writeFileSync(file, source(true));
    // The kernels are right; the graphs of many operators are not, and the short form has none.
    expect((await verde(...train)).code).toBe(0);
    expect((await verde("certify", "--backend", file)).code).toBe(1);
    expect(readdirSync(path("cli/certificates"))).toHaveLength(1);
    const refused = await verde(...train);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/operator [a-z]+: element 0 is 0x/) });
    expect(refused.stderr).toContain("VERDE_DEVICE");
    writeFileSync(file, source(false));
    expect((await verde("certify", "--backend", file)).code).toBe(0);
    expect((await verde(...train)).code).toBe(0);
    // What a trace says leads to no file: the run is replayed on a backend that is the reader's own.
    const again = path("again.trace");
    await verde("run", LINE, "--steps", "4", "--fault", "skip:step=3", "--out", again);
    expect(await verde("dispute", path("mine.trace"), again)).toMatchObject({ code: 1, stderr: "" });
    expect((await verde("dispute", path("mine.trace"), again, "--backend", file)).code).toBe(1);
  });
});
