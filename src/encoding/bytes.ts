import { FormatError, type FormatSubCode } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { checkByteOrder } from "./byte-order.ts";

// Before anything is hashed or written. Every module that does either imports this one.
checkByteOrder();

/** Bytes of any buffer. */
export type Bytes = Uint8Array<ArrayBufferLike>;

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal with the prefix `0x`. */
export function toHex(bytes: Bytes): string {
  let text = "0x";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/**
 * The bytes of a `0x…` string.
 * @throws {FormatError} when the text is not `0x` and an even number of hexadecimal digits, or not `length`
 * bytes
 */
export function fromHex(text: string, length?: number): Bytes {
  if (typeof text !== "string" || !/^0x([0-9a-fA-F]{2})*$/.test(text))
    throw new FormatError(
      "MALFORMED",
      `not a hexadecimal byte string: ${quote(text, 80)}; it is 0x and two digits for each byte`,
      { text: quote(text) },
    );
  const bytes = new Uint8Array((text.length - 2) / 2);
  if (length !== undefined && bytes.length !== length)
    throw new FormatError(
      "MALFORMED",
      `expected ${length} bytes of hexadecimal, got ${bytes.length}; write it in full`,
      { text: quote(text), expected: length, found: bytes.length },
    );
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 + 2 * i, 4 + 2 * i), 16);
  return bytes;
}

/** A 32-bit pattern as text: `0x3f800000`. */
export function hex32(bits: number): string {
  return `0x${(bits >>> 0).toString(16).padStart(8, "0")}`;
}

/** Whether two arrays hold the same bytes. */
export function bytesEqual(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A view of any typed array as its bytes, without a copy. */
export function asBytes(data: ArrayBufferView<ArrayBufferLike>): Bytes {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Appends canonical fields: integers are big-endian; strings and byte strings begin with their length (spec
 * 6.1). Every integer is checked: one that does not fit is refused and never cut to the field's bits, because
 * then two numbers would have one encoding, and one hash. The optional `what` names the number in the error.
 */
export class Writer {
  private parts: Bytes[] = [];
  private size = 0;

  bytes(value: Bytes): this {
    this.parts.push(value);
    this.size += value.length;
    return this;
  }

  /** @throws {FormatError} RANGE for anything but a whole number from 0 to 255 */
  u8(value: number, what?: string): this {
    if ((value & 0xff) !== value) throw outOfRange(value, "from 0 to 255", what);
    return this.bytes(Uint8Array.of(value));
  }

  /** @throws {FormatError} RANGE for anything but a whole number from 0 to 65,535 */
  u16(value: number, what?: string): this {
    if ((value & 0xffff) !== value) throw outOfRange(value, "from 0 to 65535", what);
    return this.bytes(Uint8Array.of(value >>> 8, value));
  }

  /** @throws {FormatError} RANGE for anything but a whole number from 0 to 2^32 - 1 */
  u32(value: number, what?: string): this {
    if (value >>> 0 !== value) throw outOfRange(value, "from 0 to 2^32 - 1", what);
    return this.word(value);
  }

  /** @throws {FormatError} RANGE for anything but a whole number from -2^31 to 2^31 - 1 */
  i32(value: number, what?: string): this {
    if ((value | 0) !== value) throw outOfRange(value, "from -2^31 to 2^31 - 1", what);
    return this.word(value);
  }

  /** A non-negative safe integer in 8 bytes. @throws {FormatError} RANGE for anything else */
  u64(value: number, what?: string): this {
    if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(value, "from 0 to 2^53 - 1", what);
    return this.word(Math.floor(value / 2 ** 32)).word(value >>> 0);
  }

  private word(value: number): this {
    return this.bytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  }

  /** A byte string of fewer than 2^32 bytes, with its length. */
  blob(value: Bytes): this {
    return this.u32(value.length, "the length of a byte string").bytes(value);
  }

  /**
   * A text with its length in bytes.
   * @throws {FormatError} MALFORMED for half of a surrogate pair, which UTF-8 can't encode
   */
  text(value: string): this {
    if (!value.isWellFormed())
      throw new FormatError("MALFORMED", `${quote(value)} has half of a surrogate pair; remove it`, {
        found: quote(value),
      });
    return this.blob(new TextEncoder().encode(value));
  }

  finish(): Bytes {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function outOfRange(value: unknown, range: string, what = "a number to be encoded"): FormatError {
  return new FormatError("RANGE", `${what} is ${quote(value)}; it is a whole number ${range}`, { what, found: value });
}

/** Reads what `Writer` wrote. Each read is bounded, and `end` refuses extra bytes. */
export class Reader {
  private at = 0;
  private readonly data: Bytes;
  private readonly what: string;

  constructor(data: Bytes, what: string) {
    this.data = data;
    this.what = what;
  }

  get offset(): number {
    return this.at;
  }

  get remaining(): number {
    return this.data.length - this.at;
  }

  bytes(length: number): Bytes {
    if (length > this.remaining)
      throw new FormatError(
        "TRUNCATED",
        `${this.what} is cut: ${length} bytes are needed at offset ${this.at}, but ${this.remaining} are left; restore the file`,
        { what: this.what, offset: this.at, expected: length, found: this.remaining },
      );
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.bytes(1)[0];
  }

  u16(): number {
    const b = this.bytes(2);
    return (b[0] << 8) | b[1];
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    const b = this.bytes(4);
    return (b[0] << 24) | (b[1] << 16) | (b[2] << 8) | b[3];
  }

  u64(): number {
    const high = this.u32();
    const value = high * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) throw this.error("RANGE", "an integer is above 2^53");
    return value;
  }

  blob(): Bytes {
    return this.bytes(this.u32());
  }

  text(): string {
    try {
      // Without `ignoreBOM` a text would lose its first character if that is U+FEFF.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.blob());
    } catch (cause) {
      if (cause instanceof FormatError) throw cause;
      throw this.error("MALFORMED", "a text is not UTF-8");
    }
  }

  /**
   * A list with its count. The count is checked against the bytes that are left before anything is allocated.
   */
  list<T>(item: () => T, leastBytes = 1): T[] {
    const count = this.u32();
    if (count * leastBytes > this.remaining)
      throw this.error("TRUNCATED", `a list of ${count} entries, but too few bytes are left for them,`);
    return Array.from({ length: count }, item);
  }

  error(subCode: FormatSubCode, problem: string): FormatError {
    return new FormatError(subCode, `${this.what}: ${problem} at offset ${this.at}; restore it, or write it again`, {
      what: this.what,
      offset: this.at,
    });
  }

  end(): void {
    if (this.remaining !== 0) throw this.error("TRAILING", `${this.remaining} bytes too many`);
  }
}
