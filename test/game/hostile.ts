/** What a prover may give that is anybody's code: wrong types, values that lie about themselves, and throws. */
import fc from "fast-check";

/** Says of itself that it has 32 elements, whatever it holds. */
class Lying extends Uint8Array {
  override get length(): number {
    return 32;
  }
  override get byteLength(): number {
    return 32;
  }
}

const fail = (): never => {
  throw new Error("a trap was touched");
};
const traps = { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail };

function revoked(of: object): unknown {
  const { proxy, revoke } = Proxy.revocable(of, {});
  revoke();
  return proxy;
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(32);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** A list that has another length at each look. */
const restless = (): unknown => {
  let looks = 0;
  return new Proxy([], { get: (_, member) => (member === "length" ? looks++ : new Uint8Array(looks)) });
};

/** Values that are valid nowhere, by name. */
const WRONG: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  NaN: () => Number.NaN,
  "minus one": () => -1,
  fraction: () => 1.5,
  infinity: () => Number.POSITIVE_INFINITY,
  "2^53": () => 2 ** 53,
  text: () => "0x00",
  "long text": () => "x".repeat(1e6),
  symbol: () => Symbol("x"),
  bigint: () => 1n,
  true: () => true,
  function: () => fail,
  object: () => ({}),
  "no prototype": () => Object.create(null),
  "list of null": () => [null, null],
  "sparse list": () => Object.assign([], { length: 2 ** 32 - 1 }),
  "list of lists": () => [[[[]]]],
  "large bytes": () => new Uint8Array(1 << 20),
  words: () => Uint16Array.of(1, 2, 3),
  floats: () => new Float32Array(32).fill(Number.NaN),
  view: () => new DataView(new ArrayBuffer(32)),
  buffer: () => new ArrayBuffer(32),
  "lying bytes": () => new Lying(3),
  "list of lying bytes": () => [new Lying(3), new Lying(64)],
  "detached bytes": detached,
  "looks like bytes": () => ({ length: 32, byteLength: 32, [Symbol.toStringTag]: "Uint8Array" }),
  "inherits from bytes": () => Object.create(new Uint8Array(32)),
  "proxy of bytes": () => new Proxy(new Uint8Array(32), {}),
  "revoked proxy": () => revoked([]),
  "restless list": restless,
  "traps everywhere": () => new Proxy({}, traps),
  "getters that throw": () => ({ get operands() { return fail(); }, get inputs() { return fail(); }, get dtype() { return fail(); } }), // prettier-ignore
};

/** A name in a constant: no object is made into a promise by mistake. */
const THEN = "then" as string;
const withThen = (then: PropertyDescriptor): object => Object.defineProperty({}, THEN, then);

/** Ways not to give a value at all. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  "throws an error": fail,
  "throws null": () => {
    throw null;
  },
  "throws nothing": () => {
    throw undefined;
  },
  "throws a symbol": () => {
    throw Symbol("x");
  },
  "throws an error that throws": () => {
    throw Object.defineProperty(new Error(), "message", { get: fail });
  },
  "throws a trap": () => {
    throw new Proxy(new Error(), traps);
  },
  "throws an essay": () => {
    throw new Error("\u001b[31m".repeat(1e5));
  },
  rejects: () => Promise.reject(new Error("no")),
  "thenable that throws": () => withThen({ value: fail }),
  "getter of then": () => withThen({ get: fail }),
  "never answers": () => new Promise(() => undefined),
  silent: () => undefined,
};

/** One value of what a prover gives is replaced: all of it, or one somewhere inside. */
export interface Mischief {
  readonly name: string;
  /** Which member to enter at each depth; empty for the whole value. */
  readonly way: readonly number[];
}

/** Any mischief. */
export const mischief: fc.Arbitrary<Mischief> = fc.record({
  name: fc.constantFrom(...Object.keys(WRONG), ...Object.keys(THROWN)),
  way: fc.array(fc.nat(7), { maxLength: 5 }),
});

/** Every mischief once, with the whole value. */
export const everyMischief: readonly Mischief[] = [...Object.keys(WRONG), ...Object.keys(THROWN)].map((name) => ({
  name,
  way: [],
}));

/** What a hostile prover gives instead of `honest`. */
export function spoilt(honest: unknown, { name, way }: Mischief): unknown {
  const make = WRONG[name] ?? THROWN[name];
  if (name in THROWN || way.length === 0 || typeof honest !== "object" || honest === null || ArrayBuffer.isView(honest))
    return make();
  const keys = Object.keys(honest);
  if (keys.length === 0) return make();
  const key = keys[way[0] % keys.length];
  const copy = Array.isArray(honest) ? [...honest] : { ...honest };
  const within = copy as Record<string, unknown>;
  within[key] = spoilt(within[key], { name, way: way.slice(1) });
  return copy;
}
