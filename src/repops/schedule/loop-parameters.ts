/**
 * The parameters of a generated loop (loop-shape.ts). All but the addresses of tensors and constants are
 * known before memory is laid out.
 */

/** The origin of an address. */
export type Origin = { kind: "tensor"; tensor: number } | { kind: "constant"; bits: number };

/** The parameters of a call. Sizes and strides of memory are in bytes. */
export interface LoopParameters {
  /** The output: its tensor, and the first byte of it that is written. */
  output: { tensor: number; offset: number };
  /** Elements along each loop, the vectorized one last. */
  extents: readonly number[];
  /** Of the output, one for each outer loop. */
  outStrides: readonly number[];
  reduceExtents: readonly number[];
  start: number;
  args: readonly LoopArg[];
  /** Of fused maps: their outputs, whose kernels note something each; absent: the output. */
  counted?: readonly number[];
}

export interface LoopArg {
  /** The origin of an operand's first address; absent for a coordinate or an index. */
  origin?: Origin;
  /** The distance from the origin in bytes, or the first coordinate. */
  base: number;
  strides: readonly number[];
  reduceStrides: readonly number[];
}

/** Byte addresses: of a tensor, and of a word that holds a constant. */
export interface Addresses {
  tensor(number: number): number;
  constant(bits: number): number;
}

/** The words of a call, in the order in which generated code reads them. */
export function parameterWords(parameters: LoopParameters, addresses: Addresses): number[] {
  const { output, extents, outStrides, reduceExtents, start, args } = parameters;
  const out = addresses.tensor(output.tensor) + output.offset;
  return [out, start, ...extents, ...outStrides, ...reduceExtents].concat(
    args.flatMap(({ origin, base, strides, reduceStrides }) => [
      base + (origin ? addressOf(origin, addresses) : 0),
      ...strides,
      ...reduceStrides,
    ]),
  );
}

function addressOf(origin: Origin, { tensor, constant }: Addresses): number {
  return origin.kind === "tensor" ? tensor(origin.tensor) : constant(origin.bits);
}

/** The constants from which arguments are read. */
export function constantsOf({ args }: LoopParameters): number[] {
  return args.flatMap(({ origin }) => (origin?.kind === "constant" ? [origin.bits] : []));
}

/** The number of the words of a call. */
export function parameterCount({ extents, outStrides, reduceExtents, args }: LoopParameters): number {
  const ofArgs = args.reduce((sum, { strides, reduceStrides }) => sum + 1 + strides.length + reduceStrides.length, 0);
  return 2 + extents.length + outStrides.length + reduceExtents.length + ofArgs;
}
