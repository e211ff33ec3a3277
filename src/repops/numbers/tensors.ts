/** The gate for tensors from outside: type, shape, length, and every bit (spec 2.1, 2.3). */
import { hex32 } from "../../encoding/bytes.ts";
import { type DType, DTYPES } from "../../encoding/dtypes.ts";
import { checkShape, elementCount, formatType, type Tensor } from "../../encoding/tensor.ts";
import { describe } from "../../errors/arguments.ts";
import { ShapeError, ValueError } from "../../errors/index.ts";
import { elementOf, firstInvalid } from "./elements.ts";
import { lengthOf, numberAt } from "./vf32.ts";

/**
 * Checks the type and the length of a tensor, and no element. Its time does not depend on the length.
 * @param what the tensor's name in messages; "the tensor"
 * @throws {ValueError} when it is no tensor, or its data has another type
 * @throws {ShapeError} when its shape is no shape, or does not fit the length
 */
export function checkTensorType(tensor: unknown, what = "the tensor"): asserts tensor is Tensor {
  if (typeof what !== "string") throw typeError("the tensor", `its name is ${describe(what)}; pass a text`);
  if (typeof tensor !== "object" || tensor === null || !("dtype" in tensor && "shape" in tensor && "data" in tensor))
    throw typeError(what, `${describe(tensor)} is no tensor; make one with tensor or intTensor`);
  const { dtype, shape, data } = tensor as Record<keyof Tensor, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype))
    throw typeError(what, `its dtype is ${describe(dtype)}; take ${Object.keys(DTYPES).join(" or ")}`);
  checkShape(shape as number[], what);
  const { name } = DTYPES[dtype as DType].array;
  // By its tag: an array may be from another realm.
  if (Object.prototype.toString.call(data) !== `[object ${name}]`)
    throw typeError(what, `the data of its type ${dtype} is ${describe(data)}; it has to be a ${name}`);
  const { length } = data as Tensor["data"];
  const expected = elementCount(shape as number[]);
  if (length !== expected)
    throw new ShapeError(
      "COUNT",
      `${what}: ${formatType(tensor as Tensor)} has ${length} elements; give one value for each of its ${expected}`,
      { expected, found: length },
    );
}

/**
 * Checks a tensor from outside with all its elements.
 * @param what the tensor's name in messages; "the tensor"
 * @throws {ValueError} when it is no tensor, or an element is not a vf32; it names the index and the value
 * @throws {ShapeError} when its shape is no shape, or does not fit the length
 */
export function checkTensor(tensor: unknown, what = "the tensor"): asserts tensor is Tensor {
  checkTensorType(tensor, what);
  const { dtype, data } = tensor;
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const index = firstInvalid(dtype, words);
  if (index < 0) return;
  const value = elementOf(dtype, words[index]);
  throw new ValueError(
    "NOT_CANONICAL",
    `${what}: element ${index} is ${describe(value)} (${hex32(words[index])}), which is not a vf32; import the data with tensor or importFloats`,
    { name: what, index, value },
  );
}

/**
 * Whole numbers as the elements of an i32 tensor.
 * @throws {ValueError} for a number that is not whole or does not fit 32 bits; it names the index and value
 */
export function importInts(values: ArrayLike<number>, name = "array"): Int32Array {
  const out = new Int32Array(lengthOf(values, name));
  for (let i = 0; i < out.length; i++) {
    const value = numberAt(values, i, name);
    if ((value | 0) !== value)
      throw new ValueError(
        "INTEGER",
        `${name}: element ${i} is ${value}, which is no whole number from -2^31 to 2^31 - 1; round or scale the data`,
        { name, index: i, value },
      );
    out[i] = value;
  }
  return out;
}

function typeError(what: string, problem: string): ValueError {
  return new ValueError("TYPE", `${what}: ${problem}`, { name: what });
}
