/** The device's arithmetic as PTX has it, one small kernel for each operation (see certify/probe.ts). */
import type { Probe } from "../backend.ts";
import { probeArithmetic, RAW_OPERATIONS, type RawOperation } from "../probe.ts";
import { Commands } from "./commands.ts";
import { openCuda } from "./open.ts";
import { Body, type Entry, moduleText } from "./ptx.ts";

const BLOCK = 64;
const OPERANDS = 3;

const RESULTS: Readonly<Record<RawOperation, (body: Body, a: string, b: string, c: string) => string>> = {
  "a + b": (body, a, b) => body.value("f", "add.rn.f32", a, b),
  "a * b": (body, a, b) => body.value("f", "mul.rn.f32", a, b),
  "a / b": (body, a, b) => body.value("f", "div.rn.f32", a, b),
  "sqrt(a)": (body, a) => body.value("f", "sqrt.rn.f32", a),
  "a * b + c": (body, a, b, c) => body.value("f", "add.rn.f32", body.value("f", "mul.rn.f32", a, b), c),
  // Instructions that name their rounding are never fused, so kernels have no guard either.
  "guarded a * b + c": (body, a, b, c) => body.value("f", "add.rn.f32", body.value("f", "mul.rn.f32", a, b), c),
  "float of int a": (body, a) => body.value("f", "cvt.rn.f32.s32", body.value("r", "mov.b32", a)),
};

function probeEntry(operation: RawOperation): Entry {
  const body = new Body();
  const [given, out, count] = [body.parameter("d"), body.parameter("d"), body.parameter("r")];
  const block = body.fresh("r", "mul.lo.s32", body.fresh("r", "mov.u32", "%ctaid.x"), String(BLOCK));
  const thread = body.fresh("r", "add.s32", block, body.fresh("r", "mov.u32", "%tid.x"));
  body.emit(`@${body.fresh("p", "setp.ge.u32", thread, count)} ret;`);
  const at = (base: string, bytes: number): string =>
    body.fresh("d", "add.s64", base, body.fresh("d", "mul.wide.u32", thread, String(bytes)));
  const row = at(given, 4 * OPERANDS);
  const operands = ["a", "b", "c"].map((_, i) =>
    i < RAW_OPERATIONS[operation] ? body.fresh("f", "ld.global.nc.b32", `[${row}+${4 * i}]`) : "",
  );
  body.emit(`st.global.b32 [${at(out, 4)}], ${RESULTS[operation](body, operands[0], operands[1], operands[2])};`);
  return body.finish(BLOCK);
}

/** The kernels of the probes, in the order of their operations. */
export const probeEntries = (): Entry[] => (Object.keys(RAW_OPERATIONS) as RawOperation[]).map(probeEntry);

export async function probeCuda(): Promise<Probe[]> {
  const device = await openCuda();
  const operations = Object.keys(RAW_OPERATIONS) as RawOperation[];
  const codes = device.compile(moduleText(probeEntries()), operations.length);
  return probeArithmetic(async (operation, rows) => {
    const words = Uint32Array.from(rows.flatMap(([a, b = 0, c = 0]) => [a, b, c]));
    const [given, out] = [device.allocate(words.byteLength), device.allocate(4 * rows.length)];
    await device.upload(given, new Uint8Array(words.buffer));
    const command = {
      code: codes[operations.indexOf(operation)],
      blocks: Math.ceil(rows.length / BLOCK),
      threads: BLOCK,
      values: [given, out, rows.length],
    };
    new Commands(device, [command]).tell(0);
    const results = await device.download(out, 4 * rows.length);
    device.free(given);
    device.free(out);
    return new Uint32Array(results);
  });
}
