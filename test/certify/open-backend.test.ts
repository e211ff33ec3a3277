/** Certificates: made before a device's first job, kept, checked, and what a device without one is told. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  certificateOf,
  deviceProblems,
  parseCertificate,
  specificationProblems,
} from "../../src/certify/certificate.ts";
import { ensureCertified, type GateOptions } from "../../src/certify/gate.ts";
import { chooseBackend, type Load } from "../../src/certify/choose.ts";
import { findBackend, openBackend } from "../../src/certify/open-backend.ts";
import { folderStore, memoryStore } from "../../src/certify/store.ts";
import { BackendError, DeviceError } from "../../src/errors/index.ts";
import type { Backend, DeviceDescription } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { casesNamed, SHORT_FORM } from "../../src/certify/vectors/short.ts";
import { certify } from "../../src/certify/certify.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";
import { programKey } from "../../src/repops/programs/program.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const path = temporaryFolder();

/** WASM as a device of its own, which counts what it prepares; one kind of instruction may come out wrong. */
class Device implements Backend {
  readonly name = "device";
  prepared = 0;
  driver = "1.0";
  software = false;
  private readonly wrong: string | undefined;
  constructor(wrong?: string) {
    this.wrong = wrong;
  }
  async describe(): Promise<DeviceDescription> {
    return { name: "Device X", software: this.software, driver: { version: this.driver }, limits: {} };
  }
  async prepare(...[list, options]: Parameters<Backend["prepare"]>) {
    this.prepared++;
    const session = await wasm.prepare(list, options);
    const [kernel] = list.kernels;
    const planted = "program" in kernel && kernel.program.steps.some(({ name }) => name === this.wrong);
    if (!planted || kernel.kind !== "map" || programKey(kernel.program).length > 60) return session;
    const read = session.read.bind(session);
    session.read = async (tensor) => {
      const output = await read(tensor);
      new Uint32Array(output.data.buffer, output.data.byteOffset)[7] ^= 1;
      return output;
    };
    return session;
  }
}

/** What was said, and what came of it. */
function listener(): { say: (line: string) => void; said: string[] } {
  const said: string[] = [];
  return { said, say: (line) => void said.push(line) };
}

/** As for one of Verde's own backends, with certificates in a folder. */
const ours = (folder: string, say: GateOptions["say"] = () => {}): GateOptions => ({
  say,
  store: folderStore(folder),
  own: true,
});

describe("a device's first job", () => {
  test("is preceded by the short form, whose vectors all exist", async () => {
    const names = (await casesNamed(SHORT_FORM)).flatMap(({ outputs }) => outputs.map(({ name }) => name));
    expect(new Set(names)).toEqual(new Set(SHORT_FORM));
    const { say, said } = listener();
    const device = new Device();
    await ensureCertified(device, ours(path("first"), say));
    expect(device.prepared).toBe(SHORT_FORM.length);
    expect(said).toEqual([`certifying device on Device X before its first job: ${SHORT_FORM.length} vectors`]);
  });

  test("is not preceded by it a second time, but is after a change of the driver", async () => {
    const { say, said } = listener();
    const device = new Device();
    await ensureCertified(device, ours(path("cache"), say));
    await ensureCertified(device, ours(path("cache"), say));
    expect(device.prepared).toBe(SHORT_FORM.length);
    device.driver = "1.1";
    await ensureCertified(device, ours(path("cache"), say));
    expect(device.prepared).toBe(2 * SHORT_FORM.length);
    expect(said).toHaveLength(2);
  });

  test("does not rely on a certificate that was cut or changed", async () => {
    const folder = path("changed");
    await ensureCertified(new Device(), ours(folder));
    const [name] = readdirSync(join(folder, "certificates"));
    const file = join(folder, "certificates", name);
    const text = readFileSync(file, "utf8");
    for (const broken of [text.slice(0, 100), text.replace(/"0x../, '"0x__')]) {
      writeFileSync(file, broken);
      const device = new Device();
      await ensureCertified(device, ours(folder));
      expect(device.prepared).toBe(SHORT_FORM.length);
    }
  });

  test("goes on where nothing can be kept, and says so", async () => {
    writeFileSync(path("a-file"), "");
    for (const folder of [join(path("a-file"), "cache"), ...(process.platform === "linux" ? ["/proc/verde"] : [])]) {
      const { say, said } = listener();
      const device = new Device();
      await ensureCertified(device, ours(folder, say));
      await ensureCertified(new Device(), ours(folder, say));
      expect(device.prepared).toBe(SHORT_FORM.length);
      expect(said.filter((line) => line.includes(`can't be kept in ${folder}`))).toHaveLength(2);
    }
  });

  for (const wrong of ["fdiv", "fadd", "i2f"])
    test(`does not begin where ${wrong} has other bits, which are named, each time`, async () => {
      const device = new Device(wrong);
      for (let time = 0; time < 2; time++) {
        const error = await ensureCertified(device, ours(path(`wrong-${wrong}`))).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(DeviceError);
        const { evidence, message } = error as DeviceError;
        expect(evidence).toMatchObject({ operator: `instruction ${wrong}`, element: 7, device: "Device X" });
        expect(message).toContain(`instruction ${wrong}: element 7 is ${String(evidence.actual)}`);
        expect(message).toContain(`should be ${String(evidence.expected)}`);
      }
    });
});

describe("the choice of a backend", () => {
  const missing: Backend = {
    name: "absent",
    describe: () => Promise.reject(new BackendError("DEVICE_MISSING", "there is no adapter")),
    prepare: () => Promise.reject(new Error("not reached")),
  };

  /** One map over as many elements as give this many instructions, executed `times` times. */
  const load = (elements: number, times: number): Load => ({
    list: {
      inputs: [{ dtype: "f32", shape: [elements] }],
      kernels: [
        {
          kind: "map",
          type: { dtype: "f32", shape: [elements] },
          program: defineProgram("f", (x) => x.add(x)),
          args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides: [1] }, clampRange: "none" }],
        },
      ],
    },
    times,
  });

  test("auto takes a device with the right bits", async () => {
    const { say, said } = listener();
    const device = new Device();
    const candidates = [missing, device];
    const choice = await chooseBackend({ candidates, last: wasm }, { say, store: memoryStore(), asked: true });
    expect(choice).toMatchObject({ backend: device, device: { name: "Device X" }, why: "it has a good certificate" });
    expect(choice.passedOver).toEqual([{ backend: "absent", reason: "there is no adapter" }]);
    expect(said).toContain("not absent: there is no adapter");
    expect(said.at(-1)).toBe("auto takes device on Device X");
  });

  test("auto takes wasm where there is no other, and says why", async () => {
    const software = new Device();
    software.software = true;
    const { say, said } = listener();
    const candidates = [missing, software, new Device("fmul")];
    const choice = await chooseBackend({ candidates, last: wasm }, { say, store: memoryStore(), asked: true });
    expect(choice.backend).toBe(wasm);
    expect(choice.device).toBeUndefined();
    expect(choice.why).toBe("no other backend can run it here");
    expect(choice.passedOver.map(({ reason }) => reason)).toEqual([
      "there is no adapter",
      expect.stringContaining("is a software device"),
      expect.stringContaining("instruction fmul: element 7"),
    ]);
    expect(said.filter((line) => line.startsWith("not "))).toHaveLength(3);
    expect(said.at(-1)).toBe("auto takes wasm");
  });

  test("where nobody asked, only wrong bits are told", async () => {
    const { say, said } = listener();
    const candidates = [missing, new Device("fmul")];
    await chooseBackend({ candidates, last: wasm }, { say, store: memoryStore() });
    expect(said).toEqual([
      expect.stringMatching(/^certifying/),
      expect.stringMatching(/^not device: .*instruction fmul: element 7/),
    ]);
  });

  test("a short job runs on wasm, and nothing is asked of other backends", async () => {
    const device = new Device();
    const choice = await chooseBackend(
      { candidates: [device, missing], last: wasm },
      { load: load(1000, 1000), store: memoryStore(), own: true },
    );
    expect(choice).toEqual({ backend: wasm, passedOver: [], why: "the job is short" });
    expect(device.prepared).toBe(0);
  });

  test("a job of some seconds is not worth a certificate, but takes a device that has one", async () => {
    const { say, said } = listener();
    const device = new Device();
    const options = { say, load: load(1000, 3e8), store: memoryStore(), own: true };
    const without = await chooseBackend({ candidates: [device], last: wasm }, options);
    expect(without.backend).toBe(wasm);
    expect(without.passedOver).toEqual([{ backend: "device", reason: expect.stringContaining("no certificate") }]);
    expect(device.prepared).toBe(0);
    await ensureCertified(device, options);
    const { backend, passedOver } = await chooseBackend({ candidates: [device], last: wasm }, options);
    expect([backend, passedOver]).toEqual([device, []]);
    expect(said).toHaveLength(1);
  });

  test("the faster of two devices is taken, by the time of a training step", async () => {
    const slow = new Device();
    const { prepare } = slow;
    slow.prepare = async (...args) => {
      const session = await prepare.apply(slow, args);
      const execute = session.execute.bind(session);
      if (args[0].inputs[0]?.shape[0] !== 1000) return session;
      session.execute = async (options) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return execute(options);
      };
      return session;
    };
    const fast = Object.assign(new Device(), { name: "fast" });
    const options = { say: () => {}, load: load(1000, 1e10), store: memoryStore() };
    const choice = await chooseBackend({ candidates: [slow, fast], last: wasm }, options);
    expect(choice.backend).toBe(fast);
    expect(choice.why).toMatch(/^fast takes \S+ s for a training step$/);
    expect(choice.passedOver).toEqual([{ backend: "device", reason: expect.stringMatching(/^device takes 0\.3/) }]);
    // Without a load there is nothing to measure, and the order decides.
    const { backend } = await chooseBackend({ candidates: [slow, fast], last: wasm }, { ...options, load: undefined });
    expect(backend).toBe(slow);
  });

  test("a device that can't hold the job is passed over", async () => {
    const small = new Device();
    const { prepare } = small;
    small.prepare = async (...args) => {
      if (args[0].inputs[0]?.shape[0] === 1234) throw new BackendError("MEMORY", "it is too large");
      return prepare.apply(small, args);
    };
    const { say, said } = listener();
    const other = Object.assign(new Device(), { name: "other" });
    const options = { say, load: load(1234, 1e10), store: memoryStore() };
    const choice = await chooseBackend({ candidates: [small, other], last: wasm }, options);
    expect(choice.backend).toBe(other);
    expect(said).toContain("not device: it is too large");
  });

  test("one of Verde's own without a device needs no certificate", async () => {
    const { say, said } = listener();
    const store = memoryStore();
    expect(await openBackend("wasm", { say, store })).toEqual({ backend: wasm, passedOver: [] });
    expect(await openBackend(reference, { say, store })).toEqual({ backend: reference, passedOver: [] });
    expect(said).toEqual([]);
  });

  test("a software device is named, once", async () => {
    const device = new Device();
    device.software = true;
    const { say, said } = listener();
    await openBackend(device, { say, store: memoryStore() });
    expect(said).toEqual([expect.stringMatching(/^certifying/)]);
  });

  test("strict arithmetic is a mode that a backend has or not", async () => {
    expect((await findBackend("webgpu", true)).name).toBe("webgpu:strict");
    expect((await findBackend("webgpu:strict", true)).name).toBe("webgpu:strict");
    const family: Backend = { ...missing, strict: wasm };
    expect(await findBackend(family, true)).toBe(wasm);
    await expect(findBackend("wasm", true)).rejects.toThrow(
      /the backend wasm has no strict arithmetic, but webgpu has/,
    );
    await expect(findBackend("gpujs", true)).rejects.toThrow(/no strict arithmetic/);
  });

  test("a name that there is not is told what there is", async () => {
    await expect(openBackend("abacus")).rejects.toMatchObject({ family: "VERDE_USAGE" });
    await expect(openBackend(path("missing.ts"))).rejects.toThrow(/missing.ts can't be loaded/);
  });
});

describe("verde certify", () => {
  const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const certifyFile = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, NO_COLOR: "1", VERDE_CACHE: path("own") };
      execFile(process.execPath, [MAIN, "certify", ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

  test("puts a backend of one's own to the vectors, and names what is wrong with it", async () => {
    const file = path("mine.ts");
    writeFileSync(
      file,
      `import { reference } from "@verde-ml/verde/repops";
const flushed = (x: number): number => (Math.abs(x) < 2 ** -124 ? 0 : x);
export default {
  name: "mine",
  prepare: async (list, options) => {
    const session = await reference.prepare(list, options);
    const read = session.read.bind(session);
    session.read = async (tensor) => {
      const output = await read(tensor);
      return output.dtype === "f32" ? { ...output, data: output.data.map(flushed) } : output;
    };
    return session;
  },
};
`,
    );
    const { code, stdout, stderr } = await certifyFile("--backend", file, "--out", path("mine.json"));
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^✗ instruction fadd: element \d+ is 0x00000000, and should be 0x[08]1[0-9a-f]{6}$/m);
    expect(stdout).toMatch(/^mine must not be used here: \d+ of \d+ vectors have the right bits$/m);
    const made = parseCertificate(readFileSync(path("mine.json"), "utf8"), "mine.json");
    expect(made.conforms).toBe(false);
    expect(specificationProblems(made).map((line) => line.split(":")[0])).toContain("instruction fadd");
  });

  test("refuses a module that is no backend, and a certificate that is none", async () => {
    writeFileSync(path("nothing.ts"), "export default {};");
    expect(await certifyFile("--backend", path("nothing.ts"))).toMatchObject({ code: 2 });
    expect(await certifyFile("--check", path("nothing.ts"))).toMatchObject({ code: 2 });
  });

  test("checks a certificate without running anything", async () => {
    await certifyFile("--out", path("wasm.json"));
    expect(await certifyFile("--check", path("wasm.json"))).toMatchObject({ code: 0 });
    writeFileSync(path("other.json"), readFileSync(path("wasm.json"), "utf8").replace(process.version, "v0.0.1"));
    const { code, stdout } = await certifyFile("--check", path("other.json"));
    expect(code).toBe(1);
    expect(stdout).toContain(`✗ not this device: engine: v0.0.1 there, ${process.version} here`);
  });
});

describe("a certificate", () => {
  test("holds for its device and its bits alone", async () => {
    const device = new Device();
    const description = await device.describe();
    const made = certificateOf(device, "short", description, await certify(device, await casesNamed(SHORT_FORM)), []);
    const certificate = parseCertificate(JSON.stringify(made), "a file");
    expect(certificate).toEqual(made);
    expect(specificationProblems(certificate)).toEqual([]);
    expect(deviceProblems(certificate, description)).toEqual([]);
    expect(deviceProblems(certificate, { ...description, driver: { version: "2" } })).toEqual([
      "driver version: 1.0 there, 2 here",
    ]);
    expect(deviceProblems(certificate, undefined)).toContain("device: Device X there, none here");
    const operators = { ...certificate.operators, "instruction fadd": "0x00" };
    expect(specificationProblems({ ...certificate, operators })).toEqual([
      expect.stringContaining("instruction fadd: its bits have the digest 0x00"),
    ]);
    expect(specificationProblems({ ...certificate, form: "full" }).join()).toMatch(
      /vectors of this version are not in/,
    );
    expect(specificationProblems({ ...certificate, specification: certificate.specification + 1 })).toHaveLength(1);
  });

  test("is refused when it is none", () => {
    for (const text of ["{", "null", "{}", '{"schemaVersion":1}', '{"schemaVersion":2,"specification":1}'])
      expect(() => parseCertificate(text, "a file")).toThrow(
        /a file is (cut|no certificate|a certificate of version 1)/,
      );
  });
});
