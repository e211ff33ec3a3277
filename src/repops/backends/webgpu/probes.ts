/** The device's arithmetic as WGSL exposes it, one small shader for each operation (see certify/probe.ts). */
import type { Probe } from "../backend.ts";
import { probeArithmetic, RAW_OPERATIONS, type RawOperation } from "../probe.ts";
import { openDevice } from "./device.ts";

const EXPRESSIONS: Readonly<Record<RawOperation, string>> = {
  "a + b": "a + b",
  "a * b": "a * b",
  "a / b": "a / b",
  "sqrt(a)": "sqrt(a)",
  "a * b + c": "a * b + c",
  "guarded a * b + c": "bitcast<f32>(bitcast<u32>(a * b) ^ zero[0]) + c",
  "float of int a": "f32(a)",
};
const WORKGROUP = 64;

function probeShader(operation: RawOperation): string {
  const type = operation === "float of int a" ? "bitcast<i32>" : "bitcast<f32>";
  const loads = ["a", "b", "c"]
    .slice(0, RAW_OPERATIONS[operation])
    .map((name, i) => `let ${name} = ${type}(given[3u * id.x + ${i}u]);`);
  return `
@group(0) @binding(0) var<storage, read> zero: array<u32>;
@group(0) @binding(1) var<storage, read> given: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= arrayLength(&out)) { return; }
  ${loads.join("\n  ")}
  out[id.x] = bitcast<u32>(${EXPRESSIONS[operation]}) ^ zero[0];
}`;
}

async function evaluateRaw(operation: RawOperation, rows: readonly (readonly number[])[]): Promise<Uint32Array> {
  const device = await openDevice();
  const given = new Uint32Array(rows.flatMap(([a, b = 0, c = 0]) => [a, b, c]));
  const bytes = 4 * rows.length;
  const buffers = await device.buffers([4, given.byteLength, bytes]);
  try {
    device.device.queue.writeBuffer(buffers[0], 0, new Uint32Array(1));
    device.device.queue.writeBuffer(buffers[1], 0, given);
    const pipeline = await device.pipeline(probeShader(operation), `the probe ${operation}`);
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.ceil(rows.length / WORKGROUP));
    pass.end();
    device.device.queue.submit([encoder.finish()]);
    const [data] = await device.download([{ buffer: buffers[2], offset: 0, bytes }]);
    return new Uint32Array(data);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

export const probeWebGpu = (): Promise<Probe[]> => probeArithmetic(evaluateRaw);
