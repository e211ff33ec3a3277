/**
 * The CUDA backend's session on a stand-in for the driver: what it tells a card, in which order, and what it
 * says when something fails. The kernels run on the interpreter.
 */
import { afterEach, describe, expect, test } from "vitest";
import { chooseBackend } from "../../src/certify/choose.ts";
import { openBackend } from "../../src/certify/open-backend.ts";
import { memoryStore } from "../../src/certify/store.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { elementCount, type Tensor, tensorRoot } from "../../src/encoding/tensor.ts";
import { cuda } from "../../src/repops/backends/cuda/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { floatTensor, intTensor } from "../../src/repops/conformance/data.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import { run } from "../../src/trace/run.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { conformanceSuite, sessionSuite, withoutWaiting } from "../repops/backends/conformance.ts";
import { checkNotes } from "../repops/notes.ts";
import { checkReports } from "../repops/reports.ts";
import { double, f32 } from "../repops/schedule/lists.ts";
import { standIn } from "./stand-in.ts";

const device = standIn();
const list: KernelList = { inputs: [f32(40)], kernels: [double(0, 40), double(1, 40)] };
const input: Tensor = { ...f32(40), data: Float32Array.from({ length: 40 }, (_, i) => i) };
const NOTHING = { bytes: 0, events: 0, graphs: 0 };

describe.skipIf(!device)("a session on a stand-in for the driver", () => {
  const driver = device!;
  afterEach(() => {
    expect(driver.faults.splice(0)).toEqual([]);
    driver.machine();
  });

  /** What a list gives whose input is `input`. */
  async function result(): Promise<number[]> {
    const session = await cuda.prepare(list, { keep: [2] });
    await session.write(0, input);
    await session.execute();
    const { data } = await session.read(2);
    await session.close();
    return [...data];
  }
  const works = async (): Promise<void> => expect(await result()).toEqual([...input.data].map((x) => 4 * x));
  const refused = (call: Promise<unknown>, code: string, message: RegExp) =>
    expect(call).rejects.toMatchObject({ code: `VERDE_BACKEND_${code}`, message: expect.stringMatching(message) });

  test("a driver that is too old, a machine without a card, and a card that is too old are named", async () => {
    driver.machine({ version: 11_020 });
    await refused(cuda.describe!(), "DRIVER_OLD", /CUDA 11\.2, and 11\.4 is the oldest that compiles PTX 7\.4/);
    driver.machine({ devices: 0 });
    await refused(cuda.describe!(), "DEVICE_MISSING", /the NVIDIA driver has no device/);
    driver.machine({ major: 6, minor: 1 });
    await refused(
      cuda.describe!(),
      "DEVICE_REFUSED",
      /Stand-in for a GPU has compute capability 6\.1, and kernels need 7\.5/,
    );
    driver.machine();
    driver.fail("cuInit", 100);
    await refused(cuda.describe!(), "DEVICE_MISSING", /CUDA_ERROR_NO_DEVICE/);
    driver.fail("cuDevicePrimaryCtxRetain", 46);
    await refused(
      cuda.describe!(),
      "DEVICE_REFUSED",
      /could not open its device.*DEVICE_UNAVAILABLE.*stop other programs/,
    );
  });

  test("without a driver nothing is replaced by another backend", async () => {
    process.env.VERDE_LIBCUDA = "/no/libcuda.so.1";
    await refused(cuda.describe!(), "DEVICE_MISSING", /no NVIDIA driver here: \/no\/libcuda\.so\.1.*or use webgpu/);
    process.env.VERDE_LIBCUDA = driver.library;
  });

  test("says what the card, the driver and the PTX are", async () => {
    expect(await cuda.describe!()).toEqual({
      name: "Stand-in for a GPU",
      software: false,
      driver: { release: expect.any(String), cuda: "12.4", capability: "9.0", ptx: "7.4" },
      limits: { memory: 2 ** 27, processors: 4 },
    });
    expect(await cuda.probe!()).toContainEqual({ name: "fuses unguarded a·b + c", finding: "no" });
  });

  /** The next session opens the card anew. */
  async function lose(): Promise<void> {
    const session = await cuda.prepare(list, { keep: [2] });
    driver.fail("cuGraphLaunch", 999);
    await refused(session.execute(), "DEVICE_LOST", /CUDA error 999/);
    await session.close();
  }

  test("is certified before its first job, and again when the driver or the card is another one", async () => {
    const store = memoryStore();
    const lines = async (): Promise<string[]> => {
      const said: string[] = [];
      await openBackend("cuda", { store, say: (line) => said.push(line) });
      return said;
    };
    const certified = [
      expect.stringMatching(/^certifying cuda on Stand-in for a GPU before its first job: 58 vectors/),
    ];
    expect(await lines()).toEqual(certified);
    expect(await lines()).toEqual([]);
    for (const other of [{ version: 12_080 }, { major: 10 }]) {
      await lose();
      driver.machine(other);
      expect(await lines()).toEqual(certified);
    }
    await lose();
    driver.machine();
    expect(await lines()).toEqual([]);
  });

  test("auto takes it for long jobs where it is there, and says why where it is not", async () => {
    const [store, said] = [memoryStore(), [] as string[]];
    const choose = () =>
      chooseBackend(
        { candidates: [cuda], last: wasm },
        { store, asked: true, say: (line) => void said.push(line), load: { list, times: 1e12 } },
      );
    expect(await choose()).toMatchObject({ backend: cuda, passedOver: [], why: "it has a good certificate" });
    expect(said.at(-1)).toBe("auto takes cuda on Stand-in for a GPU");
    await lose();
    driver.machine({ devices: 0 });
    expect(await choose()).toMatchObject({ backend: wasm, passedOver: [{ backend: "cuda" }] });
    expect(said.at(-2)).toMatch(/^not cuda: the NVIDIA driver has no device/);
  });

  test("reports roots and outputs of any kernels, hashed on the device", () => checkReports(cuda));
  test("notes saturations and operands outside of a domain", () => checkNotes(cuda));

  test("has the roots of the specification: trees of every form, alone and in one forest", async () => {
    const sizes = [
      0,
      1,
      2,
      13,
      14,
      15,
      16,
      29,
      30,
      46,
      61,
      62,
      63,
      64,
      65,
      128,
      129,
      192,
      320,
      449,
      64 * 37 + 5,
      64 * 129,
    ];
    const tensors = sizes.flatMap((size, i) => [floatTensor(i, [size]), intTensor(100 + i, [size])]);
    const session = await cuda.prepare({ inputs: tensors, kernels: [] }, { keep: [] });
    for (const [i, tensor] of tensors.entries()) await session.write(i, tensor);
    const expected = tensors.map((tensor) => toHex(tensorRoot(tensor)));
    const order = [...tensors.keys(), 3, 3, 0];
    for (let pass = 0; pass < 2; pass++)
      expect((await session.roots(order)).map(toHex)).toEqual(order.map((i) => expected[i]));
    for (const i of [0, 1, 9, 42]) expect((await session.roots([i])).map(toHex)).toEqual([expected[i]]);
    await session.close();
    expect(elementCount(tensors[1].shape)).toBe(0);
  });

  test.each<[what: string, from: RegExp, to: string]>([
    ["a word is turned by another count", /(shf\.r\.wrap\.b32 (%r\d+), (%r\d+), \3), 11;/g, "$1, 12;"],
    ["bytes stay in the card's order", /, 291;/g, ", 12816;"],
    ["a choice is a majority", /(lop3\.b32 .*), 202;/g, "$1, 232;"],
    ["no bit ends a message", /-2147483648, 0, (%p\d+);/g, "0, 0, $1;"],
    ["the length leaves out the tag", /(add\.s32 %r\d+, %r\d+), 8;(\nmov\.b32 %r\d+, 1779033703)/, "$1, 0;$2"],
    ["a leaf has a node's tag", /mov\.b32 (%r\d+), 2;/g, "mov.b32 $1, 1;"],
    ["pairs are promoted, and odd nodes hashed", /setp\.lt\.u32 (%p\d+, %r\d+, %r\d+;\nmul)/g, "setp.ge.u32 $1"],
    [
      "a row's first thread is the last of another",
      /setp\.lt\.u32 (%p\d+), (%r\d+), (%r\d+);\n@/g,
      "setp.ge.u32 $1, $3, $2;\n@",
    ],
  ])("roots show a hash in which %s", async (_, from, to) => {
    const sizes = [1, 13, 64, 65, 64 * 3, 64 * 5 + 7];
    const tensors = sizes.map((size, i) => floatTensor(i, [size]));
    const roots = async (): Promise<string[]> => {
      const session = await cuda.prepare({ inputs: tensors, kernels: [] }, { keep: [] });
      try {
        for (const [i, tensor] of tensors.entries()) await session.write(i, tensor);
        return (await session.roots([...tensors.keys()])).map(toHex);
      } finally {
        await session.close();
      }
    };
    await lose();
    let isChanged = false;
    driver.rewrite((text) => {
      const changed = text.replace(from, to);
      isChanged ||= changed !== text;
      return changed;
    });
    const found = await roots().catch((error: { code: string }) => error.code);
    driver.rewrite();
    expect(isChanged).toBe(true);
    const right = tensors.map((tensor) => toHex(tensorRoot(tensor)));
    // A digest that is not there is no word of this memory.
    if (typeof found === "string")
      expect([found, driver.faults.splice(0).length > 0]).toEqual(["VERDE_BACKEND_DEVICE_LOST", true]);
    else expect(found).not.toEqual(right);
    await lose();
    expect(await roots()).toEqual(right);
  });

  test("runs an unwatched step as one graph, and frees everything at its end", async () => {
    const session = await cuda.prepare(list, { keep: [2] });
    const launched = driver.calls("cuLaunchKernel");
    for (let step = 0; step < 3; step++) await session.execute();
    expect(driver.calls("cuLaunchKernel")).toBe(launched);
    expect(driver.alive().graphs).toBe(1);
    await session.execute({ rootsOf: "all" });
    await session.roots([0, 2]);
    await session.move([{ from: 2, to: 0 }]);
    await session.read(0);
    await session.close();
    expect(driver.alive()).toEqual(NOTHING);
    expect(driver.calls("cuGraphLaunch")).toBeGreaterThanOrEqual(3);
  });

  test("a list that does not fit is refused with figures, and others still run", async () => {
    const huge: KernelList = { inputs: [f32(2 ** 25)], kernels: [double(0, 2 ** 25)] };
    await refused(
      cuda.prepare(huge, { keep: [1] }),
      "MEMORY",
      /could not give 256 MiB of its 128 MiB, of which \d+ MiB are free \(CUDA_ERROR_OUT_OF_MEMORY\); take a smaller batch/,
    );
    driver.fail("cuMemAlloc_v2", 2, 1);
    await refused(cuda.prepare(list, { keep: [2] }), "MEMORY", /OUT_OF_MEMORY/);
    expect(driver.alive()).toEqual(NOTHING);
    driver.fail("cuMemHostAlloc", 2);
    const large: KernelList = { inputs: [f32(300_000)], kernels: [] };
    const session = await cuda.prepare(large, { keep: [] });
    await refused(session.write(0, floatTensor(1, [300_000])), "MEMORY", /pin \d+ MiB of this machine's memory/);
    await session.close();
    await works();
  });

  test("a text that the driver's compiler refuses is named, with the compiler's line", async () => {
    const other: KernelList = { inputs: [f32(43)], kernels: [double(0, 43)] };
    driver.fail("cuModuleLoadDataEx", 218);
    await refused(
      cuda.prepare(other, { keep: [1] }),
      "COMPILE",
      /could not compile 1 kernels.*INVALID_PTX.*update the driver/,
    );
    driver.fail("cuModuleLoadDataEx", 222);
    await refused(cuda.prepare(other, { keep: [1] }), "DRIVER_OLD", /UNSUPPORTED_PTX_VERSION.*newer driver/);
    await works();
  });

  test.each([
    ["an ECC error", "cuEventQuery", 214, "DEVICE_ECC", /ECC_UNCORRECTABLE.*--resume.*another card/],
    ["a lost device", "cuGraphLaunch", 999, "DEVICE_LOST", /CUDA error 999.*--resume/],
    ["a kernel that fails", "cuEventQuery", 719, "DEVICE_LOST", /CUDA error 719/],
    ["an address that is none", "cuEventQuery", 700, "DEVICE_LOST", /CUDA error 700/],
  ])("%s ends the session, and the next one opens the device anew", async (_, call, code, sub, message) => {
    const session = await cuda.prepare(list, { keep: [2] });
    await session.write(0, input);
    driver.fail(call, code);
    await refused(session.execute(), sub, message);
    await refused(session.execute(), sub, message);
    await refused(session.read(0), sub, message);
    await session.close();
    await works();
    expect(driver.alive()).toEqual(NOTHING);
  });

  const path = temporaryFolder();
  test("a run whose device is lost continues with its trace", async () => {
    const wanted = await run(await line.close(), { backend: wasm });
    const out = path("lost.trace");
    const lose = ({ step }: { step: number }): void => {
      if (step === 3) driver.fail("cuGraphLaunch", 999);
    };
    await refused(run(await line.close(), { backend: cuda, out, onStep: lose }), "DEVICE_LOST", /--resume/);
    const { runRoot } = await run(await line.close(), { backend: cuda, out, resume: true });
    expect(toHex(runRoot)).toBe(toHex(wanted.runRoot));
  });

  test.each([1, 2, 3])(
    "states are copied and hashed while the next ones are computed, whichever stream goes on, seed %i",
    async (seed) => {
      driver.seed(seed);
      expect(await withoutWaiting(cuda, 9, 700, false)).toEqual(await withoutWaiting(wasm, 9, 700, true));
    },
  );
});

if (device) {
  sessionSuite([cuda], 3000);
  if (process.env.VERDE_SWEEP !== undefined) conformanceSuite(cuda, { kernels: 200, products: 60 });
}
