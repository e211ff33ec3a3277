/**
 * Peers of the npm registry as contenders: `node bench/peers/javascript.ts NAME FOLDER`, where FOLDER has the
 * installed packages.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Ready, serve, Unable } from "./contender.ts";
import { operand } from "./graphs.ts";
import { productModel } from "./onnx-model.ts";
import { places, type ProductTask, type Task, titleOf } from "./tasks.ts";

const [name, folder] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));

function operandsOf({ batch, m, n, k, transpose }: ProductTask) {
  const outer = batch > 1 ? [batch] : [];
  return [
    operand([...outer, ...(transpose === "a" ? [k, m] : [m, k])], 1),
    operand([...outer, ...(transpose === "b" ? [n, k] : [k, n])], 2),
  ];
}

const shown = (data: ArrayLike<number>): number[] => places(data.length).map((i) => data[i]);

/** What of onnxruntime's packages is used here; both have the same interface. */
interface Onnx {
  env: { wasm: { numThreads: number }; logLevel: string };
  Tensor: new (type: string, data: unknown, shape: readonly number[]) => { data: Float32Array };
  InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: object): Promise<{ c: { data: Float32Array } }> }>;
  };
}

async function onnxProduct(onnx: Onnx, task: ProductTask): Promise<Ready> {
  if (task.batch > 1 && task.transpose !== "") throw new Unable("ONNX has no batched product of transposed operands");
  const session = await onnx.InferenceSession.create(productModel(task), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    ...(name === "onnxruntime-web" && { executionProviders: ["wasm"] }),
  });
  const [a, b] = operandsOf(task).map(({ shape, data }) => new onnx.Tensor("float32", data, shape));
  const { c } = await session.run({ a, b });
  return { check: shown(c.data), call: () => session.run({ a, b }) };
}

interface TensorFlow {
  version: { tfjs: string };
  setBackend(name: string): Promise<boolean>;
  tensor(data: unknown, shape: readonly number[]): object;
  matMul(a: object, b: object, transposeA: boolean, transposeB: boolean): { dataSync(): Float32Array; dispose(): void };
}

function tensorFlowProduct(tf: TensorFlow, task: ProductTask): Ready {
  const [a, b] = operandsOf(task).map(({ shape, data }) => tf.tensor(data, shape));
  const call = () => tf.matMul(a, b, task.transpose === "a", task.transpose === "b");
  const result = call();
  const check = shown(result.dataSync());
  result.dispose();
  return { check, call: () => call().dispose() };
}

function expectProduct(task: Task): ProductTask {
  if (task.kind === "product") return task;
  throw new Unable(`${name} is compared by products only, not by ${titleOf(task)}`);
}

if (name === "tfjs-wasm") {
  const tf = require("@tensorflow/tfjs") as TensorFlow;
  const wasm = require("@tensorflow/tfjs-backend-wasm") as { setWasmPaths(path: string): void };
  wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  await tf.setBackend("wasm");
  const hello = { name: `tfjs-wasm ${tf.version.tfjs}`, threads: 1 };
  await serve(hello, async (task) => tensorFlowProduct(tf, expectProduct(task)));
} else {
  const onnx = require(name) as Onnx;
  onnx.env.logLevel = "error";
  if (name === "onnxruntime-web") onnx.env.wasm.numThreads = 1;
  // Not every package lets its own description be required.
  const about = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
  const { version } = JSON.parse(about) as { version: string };
  await serve({ name: `${name} ${version}`, threads: 1 }, (task) => onnxProduct(onnx, expectProduct(task)));
}
process.exit();
